#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/https/https_endpoint.h"
#include "adapters/https/tcp_connection.h"

namespace jobs_bridge::https {

/// Looks up one host name with a time limit, which getaddrinfo does not have. Any thread may call
/// it.
///
/// A lookup runs on a thread of its own that shares only one reference-counted object with us and
/// is never joined: a getaddrinfo that hangs can be neither interrupted nor waited for, so at
/// shutdown the thread is left behind and its result, if any, is discarded. There is never more
/// than one such thread: a caller that comes during a lookup waits for that lookup.
class Resolver {
 public:
  Resolver(std::string host, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses, at least one, waiting at most until `deadline`; an error is of kind resolve or
  /// stopped. A literal address is its own answer. A result is cached for some seconds, so that
  /// many reconnecting exchanges cause one lookup.
  Result<std::vector<std::string>, IoFailure> addresses(MonotonicTime deadline);

  /// Ends every wait in progress and every later one.
  void stop();

 private:
  struct State;
  void start_lookup();

  const std::string host_;
  const bool literal_;
  const Lookup lookup_;
  const std::shared_ptr<State> state_;
};

}  // namespace jobs_bridge::https

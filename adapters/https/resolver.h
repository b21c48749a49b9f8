#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/https/https_endpoint.h"
#include "adapters/https/tcp_connection.h"

namespace jobs_bridge::https {

/// Looks one host name up with a limit, which getaddrinfo does not have. Any thread may call it.
///
/// A lookup runs on a thread of its own that shares nothing but one reference-counted object with
/// us, and that nobody joins: a getaddrinfo that hangs can be neither interrupted nor waited for,
/// so at shutdown it is left behind and its result, should it come, goes nowhere. There is never
/// more than one such thread: whoever asks while a lookup is under way waits for that one.
class Resolver {
 public:
  Resolver(std::string host, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses, at least one, waiting at most until `deadline`; an error is of kind resolve or
  /// stopped. A literal address is its own answer. A result serves for some seconds, so that a
  /// herd of reconnecting exchanges asks once.
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

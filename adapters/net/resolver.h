#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/net/lookup.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::net {

/// Looks a host up, as look_up() does. May block for any length of time: callers wait for it only
/// until their own deadline. Called on a thread of its own, never twice at the same time by one
/// Resolver; it can outlive the Resolver, so it must own what it uses.
using Lookup =
    std::function<Result<std::vector<std::string>, std::string>(const std::string& host)>;

/// Looks up one host name with a time limit, which getaddrinfo does not have. Any thread may call
/// it; on a fiber only the fiber waits.
///
/// A lookup runs on a thread of its own that shares only one reference-counted object with us and
/// is never joined: a getaddrinfo that hangs can be neither interrupted nor waited for, so at
/// shutdown the thread is left behind and its result, if any, is discarded. There is never more
/// than one such thread: a caller that comes during a lookup waits for that lookup.
class Resolver {
 public:
  /// `serves_for`: how long a result is kept, so that many who reconnect cause one lookup.
  explicit Resolver(std::string host, Lookup lookup = look_up,
                    Duration serves_for = std::chrono::seconds(5));
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  [[nodiscard]] const std::string& host() const { return host_; }

  struct Fault {
    bool stopped = false;  ///< by stop()
    std::string cause;
  };
  /// The addresses, at least one, waiting at most until `deadline`. A literal address is its own
  /// answer, in the form in which the system writes it.
  Result<std::vector<std::string>, Fault> addresses(MonotonicTime deadline);

  /// Ends every wait in progress and every later one.
  void stop();

 private:
  struct State;
  void start_lookup();

  const std::string host_;
  const bool literal_;
  const Lookup lookup_;
  const Duration serves_for_;
  const std::shared_ptr<State> state_;
};

}  // namespace jobs_bridge::net

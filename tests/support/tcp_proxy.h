#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace jobs_bridge::testing_support {

/// A network in the way: passes TCP connections to 127.0.0.1:`target` on, from a free port of its
/// own, until it is told to swallow everything.
class TcpProxy {
 public:
  explicit TcpProxy(std::uint16_t target);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// From now on nothing passes, in either direction, and nothing is closed: a half-open link.
  void stall();
  /// New connections work again; what there was is cut.
  void heal();
  /// All goes on, and what was said meanwhile arrives.
  void resume();

  enum class Direction { both, to_target, from_target };
  /// The connections that there are stay open but carry nothing more in that direction, as when a
  /// router has forgotten them. New ones work.
  void forget(Direction direction);

 private:
  struct Pair {
    int client;
    int server;
    bool to_target = true;  ///< passes on what the client says
    bool from_target = true;
  };
  void run();
  void wake() const;
  void accept_one();
  void cut_all();
  void forget_all(Direction direction);

  const std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  std::atomic<bool> stalled_{false};
  std::atomic<bool> cut_{false};
  std::atomic<int> forget_{-1};  ///< a Direction
  std::atomic<bool> ending_{false};
  std::vector<Pair> pairs_;  ///< the thread's own
  std::thread thread_;
};

}  // namespace jobs_bridge::testing_support

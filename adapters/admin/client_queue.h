#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>
#include <semaphore>
#include <utility>

namespace jobs_bridge::admin {

/// The library's threads, with a bound on how many accepted clients wait for one: past it no
/// further one is accepted, and the kernel turns them away. Without it whoever can connect could
/// take every descriptor that the process has, and with them the bridge's connections to the
/// endpoint.
class ClientQueue final : public httplib::TaskQueue {
 public:
  /// `most`: clients that are served or wait.
  ClientQueue(std::size_t threads, std::ptrdiff_t most) : room_(most), pool_(threads) {}

  /// Nothing, or whether it was taken, by the library's version.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

  /// Waits for room. Called by the thread that accepts.
  Enqueued enqueue(std::function<void()> serve) override {
    room_.acquire();
    return pool_.enqueue([this, serve = std::move(serve)] {
      serve();
      room_.release();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::counting_semaphore<> room_;
  httplib::ThreadPool pool_;
};

}  // namespace jobs_bridge::admin

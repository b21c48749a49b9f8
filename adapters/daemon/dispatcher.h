#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/daemon/gathered_flush.h"
#include "adapters/daemon/notification_report.h"
#include "adapters/daemon/workers.h"
#include "adapters/fibers/event_loop.h"
#include "bridge/flow/engine.h"
#include "bridge/flow/observer.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Runs the engine: gives it messages, calls' outcomes and the time, and does what it decides.
///
/// The engine is behind one lock, held for its decisions alone, never during a call, a write or a
/// call into the MQTT library. Publications are put into the publisher's queue under that lock, so
/// that they leave in the order in which they were decided, and sent after it is released, because
/// the MQTT library calls receive() with a lock of its own held.
class Dispatcher {
 public:
  using Clock = std::function<Now()>;

  /// Where things are kept over a restart; null: they are not.
  struct Stores {
    Journal* journal = nullptr;  ///< if the engine's updates are durable
    WatchStore* watched = nullptr;
  };

  using Observers = std::vector<Observer*>;

  /// Everything passed by reference or pointer must outlive the dispatcher. `connections`: the most
  /// calls in flight; they are made on `loop`. What the engine already holds is carried out from
  /// now on.
  Dispatcher(Engine engine, std::size_t connections, fibers::EventLoop& loop, Endpoint& endpoint,
             Publisher& publisher, Stores stores, Observers observers, Log& log, Clock clock);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  /// Takes a message from the broker. Fit for the MQTT library's callback: it waits for nothing
  /// but the engine's lock and does not throw.
  void receive(Message message) noexcept;

  /// See Engine::change_limits().
  void change_limits(const EngineSettings& settings);

  /// What the engine holds at this moment. Any thread; takes a few microseconds.
  struct Snapshot {
    struct Pace {
      double per_second = 0;  ///< calls allowed; 0: no limit
      bool slowed = false;    ///< fewer than configured
    };
    Engine::Counts counts;
    std::optional<Duration> oldest_held;
    Pace reads;
    Pace writes;
    Notifier::Counts notifier;
    /// How long the thread that watches deadlines ought to have looked at them and has not.
    Duration overdue{};
    bool stopping = false;
  };
  [[nodiscard]] Snapshot look();

  struct Drained {
    std::size_t abandoned = 0;        ///< requests that got a rejection because time was up
    std::size_t left_to_journal = 0;  ///< updates that the next start takes over
  };
  /// Ends the work: rejects new requests, lets those taken finish for at most `patience`, rejects
  /// what is left, stops the endpoint and the threads. Every request taken has had its reply
  /// queued when this returns. Later messages are still answered, with a rejection.
  Drained drain(Duration patience);

 private:
  bool carry_out_one(Exchange& exchange);
  void record_locked(Now now, Effects& effects);
  void apply_locked(Effects& effects);
  /// `now` is that of the event: asked at another moment, "is there a call to make now" and "when
  /// to look again" would both miss a quota that became ready in between.
  void recall_timer_locked(Now now);
  void finish(Now now, Effects& effects);
  void watch_deadlines();

  Publisher& publisher_;
  Endpoint& endpoint_;
  const Stores stores_;
  const Observers observers_;
  Log& log_;
  NotificationReport report_;
  const Clock clock_;

  std::mutex mutex_;
  Engine engine_;
  std::condition_variable idle_;   ///< signalled when the last request taken is answered
  std::condition_variable timer_;  ///< signalled when the deadline thread must look again
  MonotonicTime looks_by_ = MonotonicTime::max();  ///< when the deadline thread looks again
  bool stopping_ = false;
  bool draining_ = false;

  GatheredFlush flush_;
  Workers workers_;
  std::thread deadlines_;
};

}  // namespace jobs_bridge

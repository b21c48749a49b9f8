#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "bridge/flow/driver.h"
#include "bridge/flow/observer.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/ports/publisher.h"
#include "bridge/ports/watch_store.h"

namespace jobs_bridge {

/// Runs the Driver: gives it messages, calls' outcomes and the time, and carries out its orders.
///
/// It does so on an event loop: each connection to the endpoint is a fiber that makes the calls
/// that are ordered for it, and one fiber, the pulse, runs when the driver's timer is due; it also
/// sends what was published, once for everything that happened in a turn of the loop.
///
/// The driver's time goes on while the machine is suspended, as that of devices and the endpoint
/// does; the event loop's time, by which we wait, does not.
///
/// One lock protects the driver. It is held for the driver's decisions and for settling updates,
/// never while an update is recorded, during a call, nor while something is sent or logged.
/// Publications are put into the
/// publisher's queue under that lock, so that they leave in the order in which they were decided.
class Dispatcher {
 public:
  using Clock = std::function<Now()>;

  /// Stores that keep data over a restart; null: it is not kept.
  struct Stores {
    Journal* journal = nullptr;  ///< if the engine's updates are durable
    WatchStore* watched = nullptr;
  };

  using Observers = std::vector<Observer*>;

  /// Used if a standby can take over from this instance at the broker.
  struct PrimaryRole {
    Lease lease;
    /// Called with whether to be connected as the primary, whenever that changes, on any thread
    /// that an event comes on, with no lock held; must not block.
    std::function<void(bool be_primary)> set;
  };

  /// Everything passed by reference or pointer must outlive the dispatcher. `connections`: the
  /// maximum number of calls in flight. Requests that the engine already holds are carried out from
  /// now on.
  Dispatcher(Engine engine, std::size_t connections, fibers::EventLoop& loop, Endpoint& endpoint,
             Publisher& publisher, Stores stores, Observers observers, Log& log, Clock clock,
             std::optional<PrimaryRole> role = std::nullopt);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  /// The driver's time for these clocks: for calls of the engine before it is passed to a
  /// Dispatcher.
  static Now drivers_time(Now clocks);

  /// Takes a message from the broker: when this returns, an update is recorded or rejected. May be
  /// called from the MQTT library's callback: it waits for nothing but the lock and, for
  /// an update, the journal, does not call into the library while the dispatcher runs, and does not
  /// throw. On the event loop it also begins the call; on other threads it wakes the loop for that.
  void receive(Message message) noexcept;

  /// The broker has acknowledged the replies to these updates, or never will, see
  /// Engine::reply_ended(). Any thread may call it; does not throw.
  void replies_ended(const std::vector<std::uint64_t>& updates) noexcept;

  /// Something has happened that concerns the lease: `event` reports it to the lease, with the time
  /// on the lease's clock. To be called on the same threads as receive(); does not throw.
  void lease_event(const std::function<void(Lease&, MonotonicTime)>& event) noexcept;

  /// See Engine::change_limits().
  void change_limits(const EngineSettings& settings);

  /// What the engine holds at this moment. Any thread may take it; takes a few microseconds.
  struct Snapshot {
    struct Pace {
      double per_second = 0;  ///< calls allowed; 0: no limit
      bool slowed = false;    ///< fewer than configured
      /// The longest time for which only trials are allowed, as the endpoint asked.
      std::optional<Duration> paused_for = {};
    };
    Engine::Counts counts;
    std::optional<Duration> oldest_held;
    Pace reads;
    Pace writes;
    bool denies_all = false;  ///< see Permissions
    Notifier::Counts notifier;
    std::optional<Lease::State> lease;  ///< nothing if there is no lease
    /// For how long the driver's timer has been overdue.
    Duration overdue{};
    bool stopping = false;
  };
  [[nodiscard]] Snapshot snapshot();

  using Drained = Driver::Drained;
  /// Shuts down: rejects new requests, lets those taken finish for at most `timeout`, rejects the
  /// rest, stops the endpoint. When it returns, the reply to every request taken is queued, and the
  /// loop runs nothing for this object any more. Later messages are still answered, with a
  /// rejection. Not to be called on the event loop.
  Drained drain(Duration timeout);

 private:
  /// Used by the event loop's thread only.
  struct Connection {
    std::shared_ptr<fibers::EventLoop::Fiber> fiber;  ///< null: never needed so far
    std::optional<Call> call;                         ///< the call to make
    MonotonicTime ordered{};                          ///< when it was ordered
    bool idle = false;                                ///< the fiber sleeps until there is a call
  };
  void run_pulse();
  void run_connection(std::size_t number);

  /// An event of the driver that concerns a message. Returns when it happened.
  template <typename Event>
  Now on_message(const Event& event);
  void apply_locked(Effects& effects);
  /// Carries out the remaining orders, without the lock. Orders may contain calls only on the event
  /// loop.
  void carry_out(Now now, Driver::Orders& orders);
  void start_call(Now now, Driver::Start start);
  /// Returns whether everything has ended; the dispatcher may then be destroyed already.
  bool end_pulse();
  void report_lease(Lease::State state);

  fibers::EventLoop& loop_;
  Publisher& publisher_;
  Endpoint& endpoint_;
  const Stores stores_;
  const Observers observers_;
  Log& log_;
  const Clock clock_;
  const std::function<void(bool)> set_primary_;

  std::mutex receiving_;  ///< one message at a time; locked before mutex_
  std::mutex mutex_;
  Driver driver_;
  bool ended_ = false;               ///< the pulse has
  std::condition_variable drained_;  ///< the driver has drained, or the pulse has ended

  // Used by the event loop's thread only.
  std::vector<Connection> connections_;
  std::size_t running_ = 0;  ///< connections whose fiber has not ended
  bool ending_ = false;

  std::shared_ptr<fibers::EventLoop::Fiber> pulse_;
  /// How long the machine had been suspended when the pulse went to sleep: its wait does not count
  /// later suspensions.
  std::atomic<Duration> pulse_suspended_{Duration::max()};
};

}  // namespace jobs_bridge

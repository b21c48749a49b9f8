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

#include "adapters/daemon/notification_report.h"
#include "adapters/fibers/event_loop.h"
#include "bridge/flow/driver.h"
#include "bridge/flow/observer.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Runs the Driver: gives it messages, calls' outcomes and the time, and carries out its orders.
///
/// It does so on an event loop: each connection to the endpoint is a fiber that makes the calls
/// that are ordered for it, and one fiber, the pulse, comes when the driver's timer is due, which
/// also sends what was published, once for all that happened in a turn of the loop.
///
/// The driver's time goes on while the machine is suspended, as that of devices and the endpoint
/// does; the event loop's, by which we wait, does not.
///
/// The driver is behind one lock, held for its decisions and for keeping an update, never during a
/// call, nor while something is sent or logged. Publications are put into the publisher's queue
/// under that lock, so that they leave in the order in which they were decided.
class Dispatcher {
 public:
  using Clock = std::function<Now()>;

  /// Where things are kept over a restart; null: they are not.
  struct Stores {
    Journal* journal = nullptr;  ///< if the engine's updates are durable
    WatchStore* watched = nullptr;
  };

  using Observers = std::vector<Observer*>;

  /// Where a standby can take this instance's place at the broker.
  struct Place {
    Lease lease;
    /// Whether to be connected in the place, whenever that changes. Called on any thread that an
    /// event comes on, with no lock held; must not block.
    std::function<void(bool connect)> take;
  };

  /// Everything passed by reference or pointer must outlive the dispatcher. `connections`: the most
  /// calls in flight. What the engine already holds is carried out from now on.
  Dispatcher(Engine engine, std::size_t connections, fibers::EventLoop& loop, Endpoint& endpoint,
             Publisher& publisher, Stores stores, Observers observers, Log& log, Clock clock,
             std::optional<Place> place = std::nullopt);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  /// What the driver's time is at that moment: for what the engine is told before it comes here.
  static Now drivers_time(Now clocks);

  /// Takes a message from the broker: an update is recorded when this returns, or rejected. Fit for
  /// the MQTT library's callback: it waits for nothing but the lock, does not call into the library
  /// while the dispatcher runs, and does not throw. Called on the event loop it begins the call as
  /// well; from elsewhere it wakes the loop for that.
  void receive(Message message) noexcept;

  /// The broker has taken the replies to these updates, see Engine::reply_taken(). Any thread that
  /// receive() may come on; does not throw.
  void replies_taken(const std::vector<std::uint64_t>& updates) noexcept;

  /// Something has happened that the lease is to be told of, by `event`, with the time as the
  /// lease has it. Any thread that receive() may come on; does not throw.
  void lease_event(const std::function<void(Lease&, MonotonicTime)>& event) noexcept;

  /// See Engine::change_limits().
  void change_limits(const EngineSettings& settings);

  /// What the engine holds at this moment. Any thread; takes a few microseconds.
  struct Snapshot {
    struct Pace {
      double per_second = 0;  ///< calls allowed; 0: no limit
      bool slowed = false;    ///< fewer than configured
      /// None but trials for so long, at the most: the endpoint asked for it.
      std::optional<Duration> paused_for = {};
    };
    Engine::Counts counts;
    std::optional<Duration> oldest_held;
    Pace reads;
    Pace writes;
    Notifier::Counts notifier;
    std::optional<Lease::State> lease;  ///< nothing: there is none
    /// How long the driver's timer has been due.
    Duration overdue{};
    bool stopping = false;
  };
  [[nodiscard]] Snapshot look();

  using Drained = Driver::Drained;
  /// Ends the work: rejects new requests, lets those taken finish for at most `patience`, rejects
  /// what is left, stops the endpoint. Every request taken has had its reply queued, and the loop
  /// does nothing for this any more, when it returns. Later messages are still answered, with a
  /// rejection. Not to be called on the event loop.
  Drained drain(Duration patience);

 private:
  /// Used by the event loop's thread.
  struct Connection {
    std::shared_ptr<fibers::EventLoop::Fiber> fiber;  ///< null: it was never needed
    std::optional<Call> call;                         ///< to be made
    MonotonicTime ordered{};                          ///< when it was
    bool idle = false;                                ///< the fiber sleeps until there is a call
  };
  void run_pulse();
  void run_connection(std::size_t number);

  void record_locked(Now now, Driver::Orders& orders);
  void apply_locked(Effects& effects);
  /// The rest of what is ordered; without the lock. Calls only on the event loop.
  void carry_out(Now now, Driver::Orders& orders);
  void start_call(Now now, Driver::Start start);
  /// Also says whether everything has ended, and then the dispatcher may be gone.
  bool end_pulse();
  void report_lease(Lease::State state);

  fibers::EventLoop& loop_;
  Publisher& publisher_;
  Endpoint& endpoint_;
  const Stores stores_;
  const Observers observers_;
  Log& log_;
  NotificationReport report_;
  const Clock clock_;
  const std::function<void(bool)> take_place_;

  std::mutex mutex_;
  Driver driver_;
  bool ended_ = false;               ///< the pulse has
  std::condition_variable drained_;  ///< the driver has, or the pulse has ended

  // Of the event loop's thread.
  std::vector<Connection> connections_;
  std::size_t running_ = 0;  ///< connections whose fiber has not ended
  bool ending_ = false;

  std::shared_ptr<fibers::EventLoop::Fiber> pulse_;
  /// How long the machine had been suspended when the pulse went to sleep: it does not see more.
  std::atomic<Duration> pulse_suspended_{Duration::max()};
};

}  // namespace jobs_bridge

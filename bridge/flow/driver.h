#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bridge/flow/call.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/engine.h"
#include "bridge/flow/lease.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// What the daemon does when. An event and its time go in, orders come out: which call to make on
/// which connection, what to publish, to record and to forget, when to send what was published, and
/// when to look again. No socket, no thread, no lock, no clock: whoever runs it reads the clock
/// once for each event, as two readings would be two moments to decide for, and what becomes
/// possible between them is seen by neither.
///
/// Not thread-safe: one event at a time, and time must not go backwards between them.
class Driver {
 public:
  /// A call to be made now, on this connection: the numbers are below the most that there may be.
  /// Its end goes to call_ended(), or to cannot_connect(), whatever became of it.
  struct Start {
    std::size_t connection = 0;
    Call call;
  };
  struct Orders {
    /// To be carried out in full before the next event; Effects::recorded as received() has it.
    Effects effects;
    std::vector<Start> calls;
    /// What was published since the last time it was ordered is to be sent.
    bool send = false;
    /// timer_fired() is due then, which is sooner than was said before.
    std::optional<MonotonicTime> wake_at;
    /// Whether to be connected in the place that the lease is about, if that has changed.
    std::optional<bool> take_place;
    /// The lease's state, if it is another than was said before.
    std::optional<Lease::State> lease;
  };

  /// `connections`: the most calls at once. Calls for what the engine holds already are ordered by
  /// timer_fired(), which is due at once. `lease`: if there is one, calls are ordered only while it
  /// allows them, and end when it says.
  Driver(Engine engine, std::size_t connections, std::optional<Lease> lease = std::nullopt);

  /// As Engine::received(). What is in Effects::recorded is to be recorded at once, and
  /// not_recorded() called if that fails. The end of the event is one of
  /// - begin_calls(): calls are ordered;
  /// - leave_calls(): they are left to timer_fired(), which is due at once if there is one to
  /// order.
  ///   For whoever has no time to carry out orders: the MQTT library's callback.
  void received(Now now, Message message, Orders& orders);
  void not_recorded(Now now, const JournalEntry& entry, const std::string& cause, Orders& orders);
  void begin_calls(Now now, Orders& orders);
  void leave_calls(Now now, Orders& orders);

  /// To be called when it is due; at other times it does no harm.
  void timer_fired(Now now, Orders& orders);
  /// The call on that connection ended. Says what that tells of the endpoint's health.
  Health call_ended(Now now, std::size_t connection, const HttpOutcome& outcome, Orders& orders);
  /// There is nothing to make the call with that was ordered last for this connection, such as
  /// memory. Others are used first from now on. Orders no call.
  void cannot_connect(Now now, std::size_t connection, const std::string& cause, Orders& orders);

  /// As Engine::reply_taken(). Orders nothing but what is settled.
  void reply_taken(std::uint64_t number, Orders& orders);

  /// Something has happened that the lease is to be told of, by `event`. Leaves calls to
  /// timer_fired(). Does nothing without a lease.
  void lease_event(Now now, const std::function<void(Lease&)>& event, Orders& orders);

  /// As Engine::change_limits(). Leaves calls to timer_fired().
  void limits_changed(Now now, const EngineSettings& settings, Orders& orders);
  /// The daemon is to end: new requests are rejected; those taken may go on for so long. Then what
  /// is left is rejected or left to the journal, and drained() says so.
  void drain(Now now, Duration patience, Orders& orders);

  /// When timer_fired() is due; MonotonicTime::max(): not until another event has come.
  [[nodiscard]] MonotonicTime due() const { return due_; }
  /// Connections without a call.
  [[nodiscard]] std::size_t free_connections() const { return free_.size(); }

  struct Drained {
    std::size_t abandoned = 0;        ///< requests that got a rejection because time was up
    std::size_t left_to_journal = 0;  ///< updates that the next start takes over
  };
  /// Once the end that drain() began has come, of which timer_fired() follows: no call is ordered
  /// any more.
  [[nodiscard]] const std::optional<Drained>& drained() const { return drained_; }
  [[nodiscard]] bool draining() const { return drain_until_.has_value(); }

  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] const std::optional<Lease>& lease() const { return lease_; }

 private:
  void order_calls(Now now, Orders& orders);
  void look_after_drain(Now now, Orders& orders);
  void note_publications(const Orders& orders);
  void note_lease(Now now, Orders& orders);
  /// The end of every event but timer_fired().
  void conclude(Now now, Orders& orders);
  [[nodiscard]] MonotonicTime next_due(MonotonicTime now) const;

  Engine engine_;
  std::optional<Lease> lease_;
  std::optional<Lease::State> lease_state_;  ///< that was said last
  std::vector<RequestId> calls_;             ///< by connection; 0: none
  std::vector<std::size_t> free_;            ///< connections; the one to use next is the last
  bool call_waits_ = true;                   ///< nobody has asked for calls since there may be one
  bool gathered_ = false;                    ///< something was published and not ordered to be sent
  MonotonicTime due_ = MonotonicTime::min();
  std::optional<MonotonicTime> drain_until_;
  std::optional<Drained> drained_;
  bool end_seen_ = false;  ///< timer_fired() came after the end
};

}  // namespace jobs_bridge

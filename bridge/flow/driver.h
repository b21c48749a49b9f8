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

/// Decides what the daemon does and when. An event and its time go in, orders come out: which call
/// to make on which connection, what to publish, to record and to forget, when to send what was
/// published, and when to look again. No socket, no thread, no lock, no clock: the caller reads the
/// clock once per event, because with two readings something that becomes possible between them
/// would be seen by neither.
///
/// Not thread-safe: one event at a time, and time must not go backwards between them.
class Driver {
 public:
  /// A call to be made now, on this connection: connections are numbered from 0 to the maximum less
  /// one. Its end is always reported, to call_ended() or to cannot_make_call().
  struct Start {
    std::size_t connection = 0;
    Call call;
  };
  struct Orders {
    /// To be carried out in full before the next event; for Effects::recorded see
    /// Engine::received().
    Effects effects;
    std::vector<Start> calls;
    /// Everything published since the last such order is to be sent.
    bool send = false;
    /// When timer_fired() is due; set only if that is sooner than ordered before.
    std::optional<MonotonicTime> wake_at;
    /// Whether to be connected as the primary, see Lease; set only if that has changed.
    std::optional<bool> be_primary;
    /// The lease's state; set only if it has changed.
    std::optional<Lease::State> lease;
  };

  /// `connections`: the most calls at once. Calls for what the engine holds already are ordered by
  /// timer_fired(), which is due at once. `lease`: if there is one, calls are ordered only while it
  /// allows them, and their deadline is limited by it.
  Driver(Engine engine, std::size_t connections, std::optional<Lease> lease = std::nullopt);

  /// As the engine's functions. Each is an event of its own, with its own time; the end of each is
  /// one of
  /// - begin_calls(): calls are ordered;
  /// - defer_calls(): they are left to timer_fired(), which is due at once if there is one to
  ///   order. For callers that must return quickly, such as the MQTT library's callback.
  void received(Now now, Message message, Orders& orders);
  void recorded(Now now, Orders& orders);
  void not_recorded(Now now, const std::string& cause, Orders& orders);
  void begin_calls(Now now, Orders& orders);
  void defer_calls(Now now, Orders& orders);

  /// To be called when due(); calling it at other times is harmless.
  void timer_fired(Now now, Orders& orders);
  /// The call on that connection ended. Returns what the outcome tells about the endpoint's health.
  Health call_ended(Now now, std::size_t connection, const HttpOutcome& outcome, Orders& orders);
  /// The call that was last ordered for this connection cannot be made for lack of a resource, such
  /// as memory. Other connections are preferred from now on. Orders no call.
  void cannot_make_call(Now now, std::size_t connection, const std::string& cause, Orders& orders);

  /// As Engine::reply_ended(). Orders nothing but the settling of journal entries.
  void reply_ended(std::uint64_t number, Orders& orders);

  /// Something has happened that concerns the lease: `event` reports it to the lease. Leaves calls
  /// to timer_fired(). Does nothing without a lease.
  void lease_event(Now now, const std::function<void(Lease&)>& event, Orders& orders);

  /// As Engine::change_limits(). Leaves calls to timer_fired().
  void limits_changed(Now now, const EngineSettings& settings, Orders& orders);
  /// Begins the shutdown: new requests are rejected, and those already admitted may go on for
  /// `timeout`. Then the rest is rejected or left to the journal, and drained() reports how many.
  void drain(Now now, Duration timeout, Orders& orders);

  /// When timer_fired() is due; MonotonicTime::max(): not before another event.
  [[nodiscard]] MonotonicTime due() const { return due_; }
  /// Connections without a call.
  [[nodiscard]] std::size_t free_connections() const { return free_.size(); }

  struct Drained {
    std::size_t rejected = 0;         ///< requests rejected because the time was up
    std::size_t left_to_journal = 0;  ///< updates that the next start takes over
  };
  /// Set once the shutdown that drain() began is complete; the event after that is timer_fired().
  /// No call is ordered any more.
  [[nodiscard]] const std::optional<Drained>& drained() const { return drained_; }
  [[nodiscard]] bool draining() const { return drain_until_.has_value(); }

  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] const std::optional<Lease>& lease() const { return lease_; }

 private:
  void order_calls(Now now, Orders& orders);
  void end_drain_if_due(Now now, Orders& orders);
  void note_publications(const Orders& orders);
  void note_lease(Now now, Orders& orders);
  /// The end of every event but timer_fired() and reply_ended().
  void conclude(Now now, Orders& orders);
  [[nodiscard]] MonotonicTime next_due(MonotonicTime now) const;

  Engine engine_;
  std::optional<Lease> lease_;
  std::optional<Lease::State> lease_state_;  ///< the state ordered last
  std::vector<RequestId> calls_;             ///< by connection; 0: none
  std::vector<std::size_t> free_;            ///< connections; the one to use next is the last
  bool may_have_call_ = true;                ///< there may be a call that has not been ordered yet
  bool unsent_ = false;  ///< something was published whose sending was not ordered yet
  MonotonicTime due_ = MonotonicTime::min();
  std::optional<MonotonicTime> drain_until_;
  std::optional<Drained> drained_;
  bool drain_reported_ = false;  ///< timer_fired() came after the end
};

}  // namespace jobs_bridge

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jobs_bridge {

/// The state of a request. "Held" is an update whose device no longer waits.
enum class RequestState : std::uint8_t {
  absent,        ///< not entered yet, or finished
  waiting,       ///< for its turn
  waiting_held,  ///< the same, but after requests whose devices wait
  calling,       ///< its call is under way
  calling_held,
  pausing,  ///< before its next try
  pausing_held,
  reconciling,  ///< it has the next turn: a describe finds out whether the update was carried out
  calling_answered,  ///< its call is under way and its device has been answered
};

enum class RequestEvent : std::uint8_t {
  entered,    ///< it came from a device, and was admitted
  restored,   ///< it is an update from before a restart
  begun,      ///< its turn came: a call is made
  requeued,   ///< the call ended; another is needed, at the thing's next turn
  paused,     ///< the call ended; another is needed, after a pause
  reconcile,  ///< the call ended; a describe is needed at once
  resumed,    ///< the pause is over
  held,       ///< the deadline of an update's device has passed
  concluded,  ///< the call ended, and its outcome is the last
  withdrawn,  ///< it was answered whatever its call says: its time is up, or the bridge stops
};

inline constexpr std::size_t request_state_count = 9;
inline constexpr std::size_t request_event_count = 10;

/// What state a request is in after an event; nothing if the event cannot happen in that state. The
/// complete life of a request:
///
///                     ┌────────────── resumed ──────────────┐
///                     v                                     │
///     ─ entered ──> waiting ── begun ──> calling ── paused ──> pausing
///                     ^                  │ │ │ ^
///                     ├──── requeued ────┘ │ │ └─ begun ─┐
///                     │                    │ └─ reconcile ─> reconciling
///                     │                    └── withdrawn ──> calling_answered
///
/// `concluded` ends calling and calling_answered, and `withdrawn` all other states. `held` leads
/// from waiting to waiting_held and so on; a reconciling request waits for its turn from then on.
/// `restored` begins with waiting_held.
constexpr std::optional<RequestState> next_state(RequestState state, RequestEvent event) {
  using enum RequestState;
  using Event = RequestEvent;
  switch (state) {
    case absent:
      if (event == Event::entered) return waiting;
      if (event == Event::restored) return waiting_held;
      return std::nullopt;
    case waiting:
    case waiting_held:
      if (event == Event::begun) return state == waiting ? calling : calling_held;
      if (event == Event::held) return waiting_held;
      if (event == Event::withdrawn) return absent;
      return std::nullopt;
    case calling:
    case calling_held:
      if (event == Event::requeued) return state == calling ? waiting : waiting_held;
      if (event == Event::paused) return state == calling ? pausing : pausing_held;
      if (event == Event::reconcile && state == calling) return reconciling;
      if (event == Event::held) return calling_held;
      if (event == Event::concluded) return absent;
      // A call that may still arrive must not be overtaken by the thing's next.
      if (event == Event::withdrawn) return calling_answered;
      return std::nullopt;
    case pausing:
    case pausing_held:
      if (event == Event::resumed) return state == pausing ? waiting : waiting_held;
      if (event == Event::held) return pausing_held;
      if (event == Event::withdrawn) return absent;
      return std::nullopt;
    case reconciling:
      if (event == Event::begun) return calling;
      // Its describe is no longer more urgent than requests whose devices wait.
      if (event == Event::held) return waiting_held;
      if (event == Event::withdrawn) return absent;
      return std::nullopt;
    case calling_answered:
      if (event == Event::concluded) return absent;
      return std::nullopt;
  }
  return std::nullopt;
}

constexpr bool is_held(RequestState state) {
  using enum RequestState;
  return state == waiting_held || state == calling_held || state == pausing_held;
}
/// Whether it is in its thing's lane and has no turn yet.
constexpr bool is_queued(RequestState state) {
  return state == RequestState::waiting || state == RequestState::waiting_held;
}
constexpr bool is_pausing(RequestState state) {
  return state == RequestState::pausing || state == RequestState::pausing_held;
}
/// Whether a call for it is under way.
constexpr bool is_calling(RequestState state) {
  using enum RequestState;
  return state == calling || state == calling_held || state == calling_answered;
}

constexpr std::string_view to_string(RequestState state) {
  constexpr std::array<std::string_view, request_state_count> names = {
      "absent",  "waiting",      "waiting_held", "calling",         "calling_held",
      "pausing", "pausing_held", "reconciling",  "calling_answered"};
  return names.at(static_cast<std::size_t>(state));
}
constexpr std::string_view to_string(RequestEvent event) {
  constexpr std::array<std::string_view, request_event_count> names = {
      "entered",   "restored", "begun", "requeued",  "paused",
      "reconcile", "resumed",  "held",  "concluded", "withdrawn"};
  return names.at(static_cast<std::size_t>(event));
}

/// How often each event happened in each state.
using TransitionCounts =
    std::array<std::array<std::uint64_t, request_event_count>, request_state_count>;

/// An event that cannot happen in the state that a request was in: an error in the bridge.
struct IllegalTransition {
  std::uint64_t request = 0;
  RequestState state = RequestState::absent;
  RequestEvent event = RequestEvent::entered;
};

}  // namespace jobs_bridge

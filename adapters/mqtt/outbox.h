#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// What is to be published and what has been published but not acknowledged, in order.
///
/// It keeps our side of MQTT's flow control, because Paho does not keep it well: at the limit of
/// unacknowledged publications its sender sleeps for up to a second and an acknowledgement does not
/// wake it. So Paho is never given more than the broker's Receive Maximum allows. It also keeps
/// every publication until the broker has acknowledged it, whatever becomes of the connection.
///
/// Bounded by count and bytes. Past a bound the oldest waiting publication is dropped: it is the
/// reply whose device has waited longest, and so the one least likely to be heard.
///
/// Not thread-safe.
class Outbox {
 public:
  struct Limits {
    std::size_t publications = 20000;
    std::size_t bytes = std::size_t{64} << 20;  ///< of topics and payloads
  };
  explicit Outbox(Limits limits) : limits_(limits) {}

  /// Names a publication until it is acknowledged or dropped; grows.
  using Sequence = std::uint64_t;

  /// Adds a publication; says how many older ones had to be dropped for it.
  std::size_t push(Publication publication);

  struct Entry {
    Sequence sequence;
    const Publication& publication;  ///< valid until the next call of anything here
  };
  /// The next one to send, which from now on counts as unacknowledged. Nothing if none waits or the
  /// window is full.
  std::optional<Entry> next();

  /// The broker has taken it, or will never take it: forgotten. False if it is not under way.
  bool done(Sequence sequence);
  /// It was not sent after all: it goes back to its place.
  void take_back(Sequence sequence);
  /// The connection is gone: everything unacknowledged waits again, in front and in order.
  void take_back_all();

  /// The most that may be unacknowledged.
  void set_window(std::size_t window) { window_ = window; }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
  [[nodiscard]] bool empty() const { return waiting_.empty() && unacknowledged_.empty(); }

 private:
  struct Waiting {
    Sequence sequence;
    Publication publication;
  };
  Limits limits_;
  std::deque<Waiting> waiting_;
  std::map<Sequence, Publication> unacknowledged_;
  std::size_t bytes_ = 0;  ///< of both
  std::size_t window_ = 0;
  Sequence next_sequence_ = 1;
};

}  // namespace jobs_bridge::mqtt

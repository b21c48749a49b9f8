#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/mqtt/refusal.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// The publications waiting to be sent, and those sent but not acknowledged.
///
/// Publications for one thing are sent in order, and the things take turns: first the first waiting
/// publication of each, then the second of each. So ten thousand replies for one thing, because it
/// sent as many requests, do not delay those for others. (A publication that the broker refused
/// temporarily is sent again later, and others may overtake it.)
///
/// It implements our side of MQTT's flow control, because Paho's is poor: at the limit of
/// unacknowledged publications its sender sleeps for up to a second and an acknowledgement does not
/// wake it. So Paho never gets more than the broker's Receive Maximum allows. It also keeps every
/// publication until the broker has acknowledged it, even if the connection ends.
///
/// Bounded by count and bytes. Beyond a bound the oldest waiting publication is dropped: it is the
/// reply whose device has waited longest, and so the least likely to be still awaited.
///
/// A publication that brings the connection down (a broker may end it over a packet that it finds
/// too large, without saying so) must not do so again and again, nor take others with it. It is
/// unknown which one it was: acknowledgements that the broker had sent may be lost with the
/// connection. So all that were unacknowledged are suspects, and the next connection sends them
/// first and one at a time. A publication that is acknowledged is no suspect any more; one that is
/// alone under way when that connection ends too, and the next one, is the cause.
///
/// Reads no clock; the times passed in must not go backwards. Not thread-safe.
class Outbox {
 public:
  struct Limits {
    std::size_t publications = 100000;
    std::size_t bytes = std::size_t{64} << 20;  ///< of topics, payloads and properties
  };
  explicit Outbox(Limits limits) : limits_(limits) {}

  /// Identifies a publication until it is acknowledged or dropped. It increases and, where a
  /// pointer has 32 bits, eventually wraps: Paho carries it in place of a pointer.
  using Sequence = std::uintptr_t;
  /// Never used for an entry: these stand for publications that bypass the Outbox, a canary and
  /// those of a TopicTest.
  static constexpr Sequence canary = 0;
  static constexpr Sequence topic_test = ~Sequence{0};

  /// Adds a publication; returns how many older ones had to be dropped for it.
  std::size_t push(Publication publication);

  struct Entry {
    Sequence sequence;
    const Publication& publication;  ///< valid until done() or take_back()
  };
  /// The next publication to send, which from now on counts as unacknowledged. Nothing if none
  /// waits or the window is full.
  std::optional<Entry> next();

  struct Sent {
    Publication publication;
    std::uint64_t round = 0;
    int refusals = 0;          ///< how often the broker has refused it temporarily
    bool replacement = false;  ///< it replaces one that was refused
    bool suspect = false;
    int evidence = 0;  ///< from connections that ended while it alone was under way
  };
  /// A publication under way, or null.
  [[nodiscard]] const Sent* find(Sequence sequence) const;
  /// The broker has acknowledged it, or never will: it is removed. False if it is not under way.
  bool done(Sequence sequence);
  /// It was not sent after all: it returns to its place.
  void take_back(Sequence sequence);
  /// The broker will never accept it: another publication replaces it, in its place.
  void replace(Sequence sequence, Publication publication);
  /// The broker temporarily refuses one that is under way: it waits until release() is called at
  /// that time or later.
  void postpone(Sequence sequence, MonotonicTime until);
  /// Postponed publications that are due now wait to be sent again, at the front.
  void release(MonotonicTime now);
  /// When release() should be called.
  [[nodiscard]] MonotonicTime due() const {
    return postponed_.empty() ? MonotonicTime::max() : postponed_.begin()->first;
  }

  /// The connection has ended: everything unacknowledged waits again, at the front and in the order
  /// of queueing. The cause, if there is one, is returned and stays under way, to be replaced or
  /// removed.
  std::optional<Sequence> take_back_all(Evidence evidence);
  /// Drops everything that is not under way; returns how many publications that were.
  std::size_t drop_waiting();
  /// Whether publications are sent one at a time, to see which of them ends connections.
  [[nodiscard]] bool has_suspects() const { return suspects_ > 0; }

  /// Sets how many may be unacknowledged.
  void set_window(std::size_t window) { window_ = window; }

  /// The Publication::update of each publication removed or dropped since the last call, of those
  /// that have one.
  std::vector<std::uint64_t> take_ended_updates() { return std::exchange(ended_updates_, {}); }

  /// The size of topic, payload and properties, in bytes.
  static std::size_t size_of(const Publication& publication);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size() + postponed_.size(); }
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return waiting() == 0 && unacknowledged_.empty(); }

 private:
  struct Waiting;
  using Queue = std::list<Waiting>;
  /// By round; within a round, in the order of queueing.
  using Turns = std::multimap<std::uint64_t, Queue::iterator>;
  struct Waiting {
    Sequence sequence;
    Sent content;
    Turns::iterator turn;
  };
  /// Compares in the order of queueing, also across a wrap.
  struct Older {
    bool operator()(Sequence left, Sequence right) const {
      return static_cast<std::make_signed_t<Sequence>>(left - right) < 0;
    }
    bool operator()(const Waiting& left, const Waiting& right) const {
      return (*this)(left.sequence, right.sequence);
    }
  };
  using Unacknowledged = std::map<Sequence, Sent, Older>;
  struct Postponed {
    Sequence sequence;
    Sent content;
  };
  /// A thing with waiting publications.
  struct Thing {
    std::uint64_t last_round = 0;
    std::size_t waiting = 0;
  };
  Waiting take(Queue::iterator place);
  void return_to_place(Sequence sequence, Sent content);
  void wait_again(Sequence sequence, Sent content, Turns::iterator before, std::uint64_t round);
  void give_turn(Queue::iterator place, Turns::iterator before, std::uint64_t round);
  void drop(Sent sent);
  bool add_evidence(Sent& sent, bool alone, Evidence evidence);
  void unsuspect(Sent& sent);
  void note_end(const Publication& publication);

  Limits limits_;
  Queue waiting_;  ///< in the order of queueing
  Turns turns_;    ///< of all waiting things
  std::unordered_map<std::uint64_t, Thing> things_;
  std::uint64_t round_ = 1;  ///< the present round; only increases
  Unacknowledged unacknowledged_;
  std::multimap<MonotonicTime, Postponed> postponed_;
  std::size_t bytes_ = 0;  ///< of all publications
  std::size_t window_ = 0;
  Sequence next_sequence_ = 1;
  std::size_t suspects_ = 0;
  std::vector<std::uint64_t> ended_updates_;
};

}  // namespace jobs_bridge::mqtt

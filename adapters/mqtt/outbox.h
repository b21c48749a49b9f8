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

/// What is to be published and what has been published but not acknowledged.
///
/// What is for one thing leaves in order, and the things take turns: the first publication of each
/// that waits, then the second of each. A thing that has ten thousand replies coming, because it
/// asked for as many, does not keep the others from theirs. (What the broker has refused for now is
/// sent again later, and overtaken meanwhile.)
///
/// It keeps our side of MQTT's flow control, because Paho does not keep it well: at the limit of
/// unacknowledged publications its sender sleeps for up to a second and an acknowledgement does not
/// wake it. So Paho is never given more than the broker's Receive Maximum allows. It also keeps
/// every publication until the broker has acknowledged it, whatever becomes of the connection.
///
/// Bounded by count and bytes. Past a bound the oldest waiting publication is dropped: it is the
/// reply whose device has waited longest, and so the one least likely to be heard.
///
/// A publication that brings the connection down (a broker may end it over a packet that it finds
/// too large, without saying so) must not do that for ever, nor take others with it. Which one it
/// was cannot be told: what the broker had acknowledged before may be lost with the connection. So
/// all that were unacknowledged are suspects, and the next connection sends them first and one at a
/// time. Whatever is acknowledged is cleared; one that is under way alone when that connection ends
/// too, and the next, is the culprit.
///
/// Knows no clock: time must not go backwards. Not thread-safe.
class Outbox {
 public:
  struct Limits {
    std::size_t publications = 100000;
    std::size_t bytes = std::size_t{64} << 20;  ///< of topics, payloads and properties
  };
  explicit Outbox(Limits limits) : limits_(limits) {}

  /// Names a publication until it is acknowledged or dropped. Grows and, where a pointer has 32
  /// bits, one day wraps: it travels through Paho in place of a pointer.
  using Sequence = std::uintptr_t;
  /// Never name one: for what is published past the Outbox, a canary and a TopicTest's.
  static constexpr Sequence nobody = 0;
  static constexpr Sequence topic_test = ~Sequence{0};

  /// Adds a publication; says how many older ones had to be dropped for it.
  std::size_t push(Publication publication);

  struct Entry {
    Sequence sequence;
    const Publication& publication;  ///< valid until it is done or taken back
  };
  /// The next one to send, which from now on counts as unacknowledged. Nothing if none waits or the
  /// window is full.
  std::optional<Entry> next();

  struct Sent {
    Publication publication;
    std::uint64_t round = 0;
    int refusals = 0;          ///< how often the broker has refused it for now
    bool replacement = false;  ///< it stands in for one that was refused
    bool suspect = false;
    int evidence = 0;  ///< from connections that ended with it alone
  };
  /// One that is under way, or null.
  [[nodiscard]] const Sent* find(Sequence sequence) const;
  /// The broker has taken it, or will never take it: forgotten. False if it is not under way.
  bool done(Sequence sequence);
  /// It was not sent after all: it goes back to its place.
  void take_back(Sequence sequence);
  /// It will never be taken: another goes to its place, as a replacement.
  void replace(Sequence sequence, Publication publication);
  /// The broker refuses one that is under way, for now: it waits until release() at that time.
  void postpone(Sequence sequence, MonotonicTime until);
  /// What was postponed and is due now waits to be sent, in front.
  void release(MonotonicTime now);
  /// When release() is worth calling.
  [[nodiscard]] MonotonicTime due() const {
    return postponed_.empty() ? MonotonicTime::max() : postponed_.begin()->first;
  }

  /// The connection is gone: everything unacknowledged waits again, in front and in the order of
  /// queueing. But the culprit, if there is one, stays under way: to be replaced, or done with.
  std::optional<Sequence> take_back_all(Evidence evidence);
  /// Whatever is not under way is dropped; says how many that were.
  std::size_t drop_waiting();
  /// Whether publications are sent one at a time, to see which of them ends connections.
  [[nodiscard]] bool has_suspects() const { return suspects_ > 0; }

  /// The most that may be unacknowledged.
  void set_window(std::size_t window) { window_ = window; }

  /// Of what is done with or was dropped since the last look: the Publication::update of those that
  /// have one.
  std::vector<std::uint64_t> take_ended_updates() { return std::exchange(ended_updates_, {}); }

  /// Of topic, payload and properties, in bytes.
  static std::size_t size_of(const Publication& publication);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size() + postponed_.size(); }
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return waiting() == 0 && unacknowledged_.empty(); }

 private:
  struct Waiting;
  using Places = std::list<Waiting>;
  /// By round; within one, in the order of queueing.
  using Turns = std::multimap<std::uint64_t, Places::iterator>;
  struct Waiting {
    Sequence sequence;
    Sent content;
    Turns::iterator turn;
  };
  /// In the order of queueing, also across a wrap.
  struct Older {
    bool operator()(Sequence left, Sequence right) const {
      return static_cast<std::make_signed_t<Sequence>>(left - right) < 0;
    }
    bool operator()(const Waiting& left, const Waiting& right) const {
      return (*this)(left.sequence, right.sequence);
    }
  };
  using SentOnes = std::map<Sequence, Sent, Older>;
  struct Postponed {
    Sequence sequence;
    Sent content;
  };
  /// A thing of which something waits.
  struct Thing {
    std::uint64_t last_round = 0;
    std::size_t waiting = 0;
  };
  Waiting take(Places::iterator place);
  void return_to_place(Sequence sequence, Sent content);
  void wait_again(Sequence sequence, Sent content, Turns::iterator before, std::uint64_t round);
  void give_turn(Places::iterator place, Turns::iterator before, std::uint64_t round);
  void drop(Sent sent);
  bool accuse(Sent& sent, bool alone, Evidence evidence);
  void clear(Sent& sent);
  void note_end(const Publication& publication);

  Limits limits_;
  Places waiting_;  ///< in the order of queueing
  Turns turns_;     ///< of all that wait
  std::unordered_map<std::uint64_t, Thing> things_;
  std::uint64_t round_ = 1;  ///< that has come, of those that only grow
  SentOnes unacknowledged_;
  std::multimap<MonotonicTime, Postponed> postponed_;
  std::size_t bytes_ = 0;  ///< of all
  std::size_t window_ = 0;
  Sequence next_sequence_ = 1;
  std::size_t suspects_ = 0;
  std::vector<std::uint64_t> ended_updates_;
};

}  // namespace jobs_bridge::mqtt

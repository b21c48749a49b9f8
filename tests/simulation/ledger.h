#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/flow/effects.h"
#include "bridge/flow/engine.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"
#include "tests/simulation/asked.h"
#include "tests/simulation/coverage.h"

namespace jobs_bridge::simulation {

/// Every request that was ever asked and what has become of it. It sees what goes into the bridge
/// and what comes out, knows nothing of how it works, and throws Violation at the first broken
/// promise.
class Ledger {
 public:
  /// `lateness`: by so much the world itself may be late for what is due.
  Ledger(const EngineSettings& settings, std::uint32_t things, Duration lateness);

  /// A device sends this.
  AskedNumber add(Asked asked);
  /// The broker hands it to the bridge, as this message.
  void received(MonotonicTime now, AskedNumber number, const Message& message);
  /// The bridge has taken it in, with these effects.
  void taken(MonotonicTime now, AskedNumber number, const Effects& effects);
  void recorded(MonotonicTime now, const JournalEntry& entry);
  void not_recorded(const JournalEntry& entry);

  /// The bridge makes a call that is no poll. The request that it is made for.
  AskedNumber call_began(MonotonicTime now, const Call& call);
  void call_ended(MonotonicTime now, AskedNumber number, bool carried_out,
                  const HttpOutcome& outcome);
  /// The bridge publishes replies and says why.
  void published(MonotonicTime now, const Effects& effects);

  /// To the bridge, and so to every request that it has.
  void happened(MonotonicTime now, Event event);

  /// The cloud changes an execution of a thing.
  void disturb(MonotonicTime now, std::uint32_t thing);

  /// The bridge is no more.
  void ended();
  /// An entry that the power took.
  void lost(MonotonicTime now, MonotonicTime recorded, const JournalEntry& entry);
  /// The next bridge takes an entry over; `brought_back`: one that was settled, by a power cut or
  /// for a full disk.
  void restored(MonotonicTime now, const JournalEntry& entry, bool brought_back);

  /// While the bridge lives and nothing is left to do.
  void check_all_done() const;
  /// The state of a thing's queue is within its bounds.
  void check_bounds(MonotonicTime now, std::uint32_t thing) const;

  /// Requests whose devices still wait. Looks at every thing.
  [[nodiscard]] std::size_t awaited(MonotonicTime now) const;
  /// Whether every request has its reply.
  [[nodiscard]] bool is_all_answered() const;
  /// Requests without a reply: of all things, and the most that one thing has.
  [[nodiscard]] std::size_t open_count() const;
  [[nodiscard]] std::size_t longest_line() const;
  [[nodiscard]] std::size_t things() const { return lines_.size(); }
  [[nodiscard]] const Asked& asked(AskedNumber number) const { return asked_[number]; }
  [[nodiscard]] Asked& asked(AskedNumber number) { return asked_[number]; }
  [[nodiscard]] std::size_t size() const { return asked_.size(); }
  [[nodiscard]] std::uint64_t replies() const { return replies_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] const Coverage& coverage() const { return coverage_; }
  /// Requests of a thing without a reply, in arrival order.
  [[nodiscard]] const std::deque<AskedNumber>& open(std::uint32_t thing) const {
    return lines_[thing].open;
  }
  /// The bridge will say no more about what it has not answered.
  void shutting_down() { shutting_down_ = true; }

 private:
  struct Line {
    std::deque<AskedNumber> open;
    std::optional<AskedNumber> in_flight;
    std::optional<AskedNumber> ended;  ///< the one whose call has just ended
    MonotonicTime ended_at{};
    Wanted last_call;
    RequestId last_id = 0;
    AskedNumber last_applied = 0;
    std::int64_t last_version = 0;  ///< that a describe has shown
    MonotonicTime last_success{};
    MonotonicTime disturbed_at{};
    MonotonicTime overwritten_at{};  ///< by an update that was brought back
  };

  [[nodiscard]] Stage stage_of(MonotonicTime now, AskedNumber number) const;
  /// The first open request that one answer will do for as well, if there is one.
  [[nodiscard]] std::optional<AskedNumber> like(AskedNumber number) const;
  /// An update is taken, and may share the answer of another.
  void note_joined(MonotonicTime now, AskedNumber number);
  /// Why it is answered, if no call has just ended for it.
  void count_reply(MonotonicTime now, AskedNumber number, std::string_view payload);
  void reply(MonotonicTime now, AskedNumber number, const Publication& publication);
  void check_token(MonotonicTime now, const Asked& asked, AskedNumber number,
                   const Publication& publication) const;
  [[nodiscard]] bool is_to_be_repeated(const Asked& asked, const Publication& reply) const;
  void check_repeat(const Publication& publication, const Publication* reply) const;
  void check_accepted(MonotonicTime now, const Asked& asked) const;
  void check_rejected(MonotonicTime now, const Asked& asked, std::string_view reply) const;
  void check_own_call(MonotonicTime now, Asked& asked) const;
  [[nodiscard]] static AskedNumber number_in(std::string_view payload);
  [[nodiscard]] std::string describe(const Asked& asked) const;

  EngineSettings settings_;
  Duration lateness_;
  std::deque<Asked> asked_;
  std::vector<Line> lines_;
  Coverage coverage_;
  std::uint64_t replies_ = 0;
  std::uint64_t accepted_ = 0;
  bool shutting_down_ = false;
};

}  // namespace jobs_bridge::simulation

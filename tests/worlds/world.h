#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bridge/flow/engine.h"
#include "tests/worlds/chance.h"
#include "tests/worlds/endpoint_model.h"
#include "tests/worlds/journal_model.h"

namespace jobs_bridge::simulation {

/// What a world is made of. Everything that happens in it follows from this.
struct Plan {
  std::uint64_t seed = 1;
  std::size_t things = 10;
  /// The share of all requests that one thing makes.
  double flood = 0;
  double requests_per_second = 100;
  Duration length = std::chrono::seconds(30);
  std::size_t connections = 8;
  bool crashes = false;
  bool storms = false;  ///< the weather changes by chance
  bool disk_full_at_times = false;
  bool only_start_next = false;
  bool repeats = true;
  EngineSettings engine = {};
};

/// What happened in worlds, added up.
struct Tally {
  std::uint64_t worlds = 0;
  std::uint64_t requests = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t refused = 0;  ///< for want of room, at once
  std::uint64_t held = 0;     ///< updates answered after their deadline
  std::uint64_t calls = 0;
  std::uint64_t applied_again = 0;
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t restarts = 0;
  std::uint64_t lost_to_power_cuts = 0;
  std::uint64_t lost_to_crashes = 0;  ///< requests that were no updates, or were not durable
  double seconds = 0;                 ///< of simulated time

  Tally& operator+=(const Tally& other);
};

/// Devices, a broker that hands over their requests, the engine as the daemon runs it, and the
/// endpoint, in virtual time. After each step the promises are checked; a broken one throws
/// std::runtime_error that says which.
class World {
 public:
  explicit World(Plan plan);

  /// All of it: the plan's length, and then until everything is answered.
  void run();
  /// Runs for so long; requests come as planned.
  void run_for(Duration time);
  /// Nothing new comes and nothing bad happens until everything that was taken is answered.
  void settle();

  /// One request, now.
  void ask(const std::string& thing);
  void ask_start_next(const std::string& thing);
  void kill(bool power_cut, Duration away);
  void restart();

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  EndpointModel& endpoint() { return endpoint_; }
  [[nodiscard]] MonotonicTime now() const { return now_.monotonic; }
  /// How long each answered request took; of one thing, or of all but that.
  [[nodiscard]] std::vector<Duration> waits(const std::string& thing, bool others) const;
  /// The accepted ones among them alone.
  std::vector<Duration> accepted_waits;

 private:
  struct Asked {
    std::string thing;
    std::string topic;
    std::uint64_t note = 0;  ///< which update it is: a repeat is the same one
    Operation operation = Operation::start_next;
    MonotonicTime received = {};
    std::uint64_t life = 0;
    std::uint64_t number = 0;  ///< in the journal
    bool must_succeed = false;
    bool replied = false;
    bool dead = false;             ///< nobody will answer it
    bool may_be_repeated = false;  ///< a crash may bring its reply once more
    Duration took{};
  };
  enum class Fate { open, rejected, lost };
  struct Thing {
    std::uint64_t job = 1;
    std::optional<std::uint64_t> last;  ///< the last request
    std::size_t open_updates = 0;
    std::size_t open_start_nexts = 0;
    bool unsure = false;  ///< something of it may be applied at any time
  };
  struct Flying {
    RequestId id;
    HttpOutcome outcome;
    std::string thing;
  };

  void advance_to(MonotonicTime time);
  void arrive();
  void change_weather();
  void publish(Asked asked, const std::string& members, std::optional<Duration> expires_after);
  void give_out_calls();
  void check_call(const Call& call, const std::string& thing);
  void take_effects();
  void take_reply(const Publication& publication, const Finished& finished);
  void close_asked(Asked& asked);
  void start_engine(const std::vector<JournalEntry>& entries);
  void check_bounds();
  void check_end();
  [[noreturn]] void broken(const std::string& promise) const;

  Plan plan_;
  Chance chance_;
  EndpointModel endpoint_;
  JournalModel journal_;
  Now now_{.monotonic = MonotonicTime(std::chrono::hours(1000)), .unix_seconds = 1700000000};
  std::optional<Engine> engine_;
  Effects effects_;
  std::multimap<MonotonicTime, Flying> flying_;
  std::vector<Asked> asked_;
  std::unordered_map<std::string, Thing> things_;
  std::unordered_map<std::uint64_t, std::uint64_t> by_number_;  ///< in the journal: who asked
  std::unordered_map<std::uint64_t, Fate> updates_;             ///< by note
  std::deque<MonotonicTime> calls_[2];                          ///< of the last second
  MonotonicTime next_arrival_;
  MonotonicTime next_weather_;
  std::uint64_t life_ = 0;
  std::uint64_t ticks_ = 0;
  bool clock_jumped_ = false;
  Tally tally_;
};

/// A small world whose shape follows from the seed.
Plan random_plan(std::uint64_t seed);

}  // namespace jobs_bridge::simulation

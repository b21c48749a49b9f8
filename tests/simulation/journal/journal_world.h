#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/journal_work.h"
#include "adapters/store/sqlite_journal.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/time.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/journal/disk.h"
#include "tests/simulation/journal/threads.h"

namespace jobs_bridge::simulation {

/// What has been simulated.
struct JournalTotals {
  std::uint64_t worlds = 0;
  std::uint64_t recorded = 0;
  std::uint64_t refused = 0;
  std::uint64_t given_up = 0;  ///< of those
  std::uint64_t settled = 0;
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t stops = 0;
  std::uint64_t abandoned = 0;  ///< of those
  std::uint64_t moved = 0;
  std::uint64_t brought_back = 0;  ///< settled entries, by a kill or a power cut
  std::uint64_t lost = 0;          ///< entries, by a power cut or with a file, as they may be
  std::uint64_t recoveries = 0;
  std::uint64_t disk_writes = 0;
  std::uint64_t disk_syncs = 0;
  std::uint64_t disk_failures = 0;
  std::uint64_t steps = 0;
  Duration time{};

  void add(const JournalTotals& other);
  [[nodiscard]] std::string text() const;
};

/// The journal's two threads as they are, with who calls them, on a simulated disk. It judges what
/// bridge/ports/journal.h and adapters/store/sqlite_journal.h promise. The same seed makes the same
/// run.
class JournalWorld {
 public:
  explicit JournalWorld(std::uint64_t seed);
  ~JournalWorld();
  JournalWorld(const JournalWorld&) = delete;
  JournalWorld& operator=(const JournalWorld&) = delete;

  /// Throws Violation, whose details are the end of the story.
  JournalTotals run();

 private:
  using Work = store::JournalWork<SimulatedMachine>;
  /// What became of an entry.
  struct Fate {
    enum class State { recording, kept, refused, settled };
    State state = State::recording;
    MonotonicTime since{};                           ///< of `kept` and `refused`
    Duration excused{};                              ///< excused() at that time
    MonotonicTime settled{};                         ///< when that began
    std::uint64_t order = 0;                         ///< of settling
    MonotonicTime confirmed = MonotonicTime::max();  ///< when settle() had returned
    bool safe = false;  ///< has been seen on the disk, or is an earlier process's
  };
  /// A kind of trouble, and when it ends.
  enum class Trouble : std::uint8_t { hang, slow, full, write_errors, sync_errors, reader };
  struct Phase {
    Trouble kind;
    MonotonicTime end;
  };
  class WorldLog;

  void live(bool last);
  void open();
  void begin_threads(store::Opened<SimulatedFile> opened);
  void compare_loaded(const std::vector<JournalEntry>& rows);
  void run_until(MonotonicTime end);
  [[noreturn]] void throw_broken() const;
  void make_trouble();
  void end_troubles();
  void remove_file();
  void calm_down();
  void stop();
  void end_process();
  void kill();
  void cut_power();

  // The bridge's threads.
  void run_recorder();
  void record_one();
  void run_settler();
  void run_monitor();

  // Who judges.
  void wrote(const Disk::Write& what, MonotonicTime began, MonotonicTime opened);
  void judge_recorded(std::uint64_t number, MonotonicTime began);
  void judge_kept(const char* when);
  void judge_settled();
  void judge_stopped();
  void restore(bool power_cut);
  [[nodiscard]] Duration recovery() const;
  [[nodiscard]] bool is_well() const;
  [[nodiscard]] Duration excused() const;
  [[nodiscard]] bool has(Trouble kind) const;
  void logged(std::string_view event, std::initializer_list<Log::Field> fields);
  void promise(bool kept, const char* what, std::uint64_t number = 0);
  void tell(std::string what, std::uint64_t number = 0);

  Dice dice_;
  Threads threads_;
  Disk disk_;
  JournalTotals totals_;
  store::JournalSettings settings_;
  // What may happen in this world.
  unsigned troubles_ = 0;  ///< a bit for each kind
  bool may_move_ = false;
  Threads::Chances chances_;
  Duration between_records_{};
  Duration until_settled_{};
  double settled_share_ = 0.4;  ///< of what is kept, at a time

  std::unique_ptr<WorldLog> log_;
  std::shared_ptr<Work> work_;
  Threads::Process process_ = 1;
  std::map<std::uint64_t, Fate> fates_;
  std::uint64_t next_number_ = 1;
  std::uint64_t next_order_ = 1;
  std::uint64_t last_removed_ = 0;  ///< the highest order that has left the file
  std::vector<Phase> phases_;
  MonotonicTime trouble_end_{};     ///< of the last trouble of any kind
  MonotonicTime io_trouble_end_{};  ///< of the last one that made the disk fail
  bool full_lately_ = false;        ///< since the process began
  bool abandoned_ = false;          ///< the log must not be used any more
  bool refuses_ = false;            ///< the last entry was refused
  bool is_starved_ = false;         ///< threads may wait long for a processor
  bool opened_ = false;             ///< the process that has ended had the file open
  bool quits_ = false;              ///< the callers are to come to an end
  int callers_ = 0;
  bool at_risk_ = false;       ///< the file was moved, and its entries are not in the new one yet
  MonotonicTime rewritten_{};  ///< when they had been written to it
  bool noticed_ = false;       ///< that
  bool lost_by_sync_ = false;  ///< a sync has failed and a kill came before that was mended
  std::optional<std::uint64_t> stuck_at_;  ///< record() has given up on this write
  struct Told {
    MonotonicTime at;
    std::string_view who;
    std::string what;
    std::uint64_t number;
  };
  std::deque<Told> story_;
};

}  // namespace jobs_bridge::simulation

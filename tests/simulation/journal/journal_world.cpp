#include "tests/simulation/journal/journal_world.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kinds_of_trouble = 6;

/// What is promised of a power cut.
constexpr Duration lost_within = 100ms;
/// What a thread that has a processor takes for what needs no disk.
constexpr Duration at_once = 1ms;
/// What the writer and the syncer may need, beside what the disk takes, until a thing is done.
constexpr Duration threads_take = 20ms;
/// The smallest log that is held to begin anew.
constexpr std::size_t large_log = std::size_t{200} << 10;
constexpr std::size_t longest_story = 60;

}  // namespace

void JournalTotals::add(const JournalTotals& other) {
  worlds += other.worlds;
  recorded += other.recorded;
  refused += other.refused;
  given_up += other.given_up;
  settled += other.settled;
  kills += other.kills;
  power_cuts += other.power_cuts;
  stops += other.stops;
  abandoned += other.abandoned;
  moved += other.moved;
  brought_back += other.brought_back;
  lost += other.lost;
  recoveries += other.recoveries;
  disk_writes += other.disk_writes;
  disk_syncs += other.disk_syncs;
  disk_failures += other.disk_failures;
  steps += other.steps;
  time += other.time;
}

std::string JournalTotals::text() const {
  std::ostringstream text;
  text << worlds << " worlds, " << static_cast<std::int64_t>(in_seconds(time))
       << " s in them: " << recorded << " entries recorded, " << refused << " refused (" << given_up
       << " given up), " << settled << " settled; " << kills << " kills, " << power_cuts
       << " power cuts, " << stops << " stops (" << abandoned << " abandoned), " << moved
       << " files moved; " << brought_back << " brought back, " << lost << " lost; " << recoveries
       << " recoveries; disk: " << disk_writes << " writes, " << disk_syncs << " syncs, "
       << disk_failures << " failures; " << steps << " steps of threads";
  return text.str();
}

/// Hears what the journal says of itself.
class JournalWorld::WorldLog final : public Log {
 public:
  explicit WorldLog(JournalWorld& world) : world_(world) {}
  [[nodiscard]] bool enabled(Severity /*severity*/) const override { return true; }
  using Log::write;
  void write(Severity /*severity*/, std::string_view event,
             std::initializer_list<Field> fields) override {
    world_.logged(event, fields);
  }

 private:
  JournalWorld& world_;
};

JournalWorld::JournalWorld(std::uint64_t seed)
    : dice_(seed),
      threads_(dice_.next()),
      disk_(
          threads_, dice_.next(),
          [this](const Disk::Write& what, MonotonicTime began, MonotonicTime opened) {
            wrote(what, began, opened);
          },
          [this] {
            tell("the disk has forgotten what it could not sync");
            // Removals too: they are to be done again, in order.
            last_removed_ = 0;
          }),
      log_(std::make_unique<WorldLog>(*this)) {
  if (dice_.chance(0.3)) settings_.write_timeout = 300ms;
  if (dice_.chance(0.3)) settings_.retry_after = 200ms;
  // Then the log may take 256 KiB, and is soon full.
  if (dice_.chance(0.7)) settings_.max_size = std::size_t{4} << 20;
  constexpr std::size_t sizes[] = {1000, 3000, 12000, 40000};
  disk_.log_bytes = sizes[dice_.below(4)];
  if (dice_.chance(0.3)) disk_.write_time = 2ms;
  // Each alone in many worlds, none in some.
  for (unsigned kind = 0; kind < kinds_of_trouble; ++kind) {
    if (dice_.chance(0.3)) troubles_ |= 1U << kind;
  }
  if (dice_.chance(0.15)) troubles_ = 0;
  may_move_ = troubles_ != 0 && dice_.chance(0.2);
  if (dice_.chance(0.3)) chances_.spurious = 0.1;
  if (dice_.chance(0.2)) {
    chances_.starved = 0.001;
    chances_.starved_for = dice_.chance(0.5) ? Duration(30ms) : Duration(1500ms);
  }
  between_records_ = dice_.between(10ms, 150ms);
  if (dice_.chance(0.3)) settled_share_ = 0.03;
  until_settled_ = dice_.between(5ms, 400ms);
}

JournalWorld::~JournalWorld() {
  threads_.end(process_);
}

JournalTotals JournalWorld::run() {
  threads_.make_current();
  disk_.make_current();
  threads_.set_chances(chances_);
  is_starved_ = chances_.starved > 0;
  const auto began = threads_.now();
  const auto lives = 1 + dice_.below(4);
  for (std::uint64_t life = 0; life <= lives; ++life) live(life == lives);
  totals_.worlds = 1;
  totals_.time = threads_.now() - began;
  totals_.disk_writes = disk_.writes();
  totals_.disk_syncs = disk_.syncs();
  totals_.disk_failures = disk_.failures();
  totals_.steps = threads_.steps();
  return totals_;
}

// The course of the world.

void JournalWorld::live(bool last) {
  ++process_;
  quits_ = false;
  abandoned_ = false;
  full_lately_ = has(Trouble::full);
  stuck_at_.reset();
  tell("the process begins");
  threads_.start("opener", process_, [this] { open(); });
  const auto end = threads_.now() + 30ms + dice_.about(600ms);
  while (threads_.now() < end) {
    run_until(std::min(end, threads_.now() + 1ms + dice_.about(500ms)));
    if (threads_.now() >= end) break;
    make_trouble();
    // Seldom alone.
    if (dice_.chance(0.4)) make_trouble();
  }
  if (last) return calm_down();
  const auto how = dice_.below(10);
  if (how < 3) return cut_power();
  if (how < 5 && work_) return stop();
  kill();
}

void JournalWorld::open() {
  while (true) {
    auto opened = SimulatedFile::open_or_recover("journal", settings_.max_size, *log_);
    if (opened) {
      compare_loaded(opened->content.rows);
      return begin_threads(std::move(*opened));
    }
    tell("it cannot open the file");
    threads_.sleep(500ms);
  }
}

void JournalWorld::begin_threads(store::Opened<SimulatedFile> opened) {
  work_ = std::make_shared<Work>("journal", std::move(opened), settings_, *log_);
  threads_.start("writer", process_, [work = work_] { work->run_writer(); });
  threads_.start("syncer", process_, [work = work_] { work->run_syncer(); });
  callers_ = 3;
  threads_.start("recorder", process_, [this] { run_recorder(); });
  threads_.start("settler", process_, [this] { run_settler(); });
  threads_.start("monitor", process_, [this] { run_monitor(); });
}

void JournalWorld::run_until(MonotonicTime end) {
  while (threads_.now() < end) {
    auto next = end;
    for (const auto& phase : phases_) next = std::min(next, phase.end);
    threads_.run_until(next);
    if (threads_.broken()) throw_broken();
    end_troubles();
  }
}

void JournalWorld::throw_broken() const {
  std::ostringstream text;
  for (const auto& told : story_) {
    text << "\n    " << in_seconds(told.at.time_since_epoch()) - 3600 << " s, " << told.who << ": "
         << told.what;
    if (told.number != 0) text << " " << told.number;
  }
  throw Violation(threads_.broken()->c_str(), text.str());
}

bool JournalWorld::has(Trouble kind) const {
  return std::ranges::any_of(phases_, [&](const Phase& phase) { return phase.kind == kind; });
}

void JournalWorld::make_trouble() {
  if (may_move_ && dice_.chance(0.3)) return remove_file();
  const auto kind = static_cast<Trouble>(dice_.below(kinds_of_trouble));
  if ((troubles_ & (1U << static_cast<unsigned>(kind))) == 0 || has(kind)) return;
  const auto end = threads_.now() + 1ms + dice_.about(kind == Trouble::hang ? 2s : 800ms);
  phases_.push_back({.kind = kind, .end = end});
  trouble_end_ = std::max(trouble_end_, end);
  auto& faults = disk_.faults;
  switch (kind) {
    case Trouble::hang: {
      tell("the disk hangs, ms", static_cast<std::uint64_t>((end - threads_.now()) / 1ms));
      const auto which = dice_.below(3);
      if (which != 0) faults.writes_hang = end;
      if (which != 1) faults.syncs_hang = end;
      break;
    }
    case Trouble::slow:
      tell("the disk is slow");
      faults.slowness = static_cast<double>(dice_.between(2, 100));
      break;
    case Trouble::full:
      tell("the disk is full");
      full_lately_ = true;
      faults.space = dice_.below(20000);
      break;
    case Trouble::write_errors:
      tell("the disk fails to write");
      faults.failing_writes = dice_.chance(0.5) ? 1 : 0.3;
      faults.failing_opens = dice_.chance(0.5) ? 0.5 : 0;
      io_trouble_end_ = std::max(io_trouble_end_, end);
      break;
    case Trouble::sync_errors:
      tell("the disk fails to sync");
      faults.failing_syncs = dice_.chance(0.5) ? 1 : 0.3;
      io_trouble_end_ = std::max(io_trouble_end_, end);
      break;
    case Trouble::reader:
      tell("another process reads the file");
      faults.has_reader = true;
      break;
  }
}

void JournalWorld::end_troubles() {
  for (const auto& [kind, end] : phases_) {
    if (end > threads_.now()) continue;
    auto& faults = disk_.faults;
    switch (kind) {
      case Trouble::hang:
        tell("the disk goes on");
        break;
      case Trouble::slow:
        tell("the disk is no longer slow");
        faults.slowness = 1;
        break;
      case Trouble::full:
        tell("the disk has space");
        faults.space.reset();
        break;
      case Trouble::write_errors:
        tell("the disk writes again");
        faults.failing_writes = 0;
        faults.failing_opens = 0;
        break;
      case Trouble::sync_errors:
        tell("the disk syncs again");
        faults.failing_syncs = 0;
        break;
      case Trouble::reader:
        tell("the other process has read the file");
        faults.has_reader = false;
        break;
    }
  }
  std::erase_if(phases_, [this](const Phase& phase) { return phase.end <= threads_.now(); });
}

void JournalWorld::remove_file() {
  // What is removed while the journal does not have it open is lost, and not by the journal.
  if (!work_ || !disk_.at_path() || disk_.at_path()->opened_by == nullptr) return;
  tell("the file is removed");
  ++totals_.moved;
  at_risk_ = true;
  noticed_ = false;
  disk_.remove_file();
  trouble_end_ = std::max(trouble_end_, threads_.now());
}

/// How long the journal may take to be as before, once nothing is wrong any more: a check, a try
/// that came too early, and the next one, for two kinds of trouble.
Duration JournalWorld::recovery() const {
  return 2 * (settings_.retry_after + Duration(1s)) + Duration(1500ms);
}

bool JournalWorld::is_well() const {
  return !is_starved_ && threads_.now() > trouble_end_ + recovery();
}

/// Nothing goes wrong any more, and the journal is as good as new.
void JournalWorld::calm_down() {
  tell("from now on nothing goes wrong");
  for (auto& phase : phases_) phase.end = threads_.now();
  disk_.faults.writes_hang = disk_.faults.syncs_hang = {};
  const auto calm = std::max(threads_.now(), disk_.busy_until());
  trouble_end_ = calm;
  end_troubles();
  threads_.set_chances({.spurious = chances_.spurious});
  is_starved_ = false;
  run_until(calm + recovery() + 500ms);
  promise(work_ != nullptr, "a disk in order can be opened");
  stop();
}

void JournalWorld::stop() {
  tell("the process is told to stop");
  quits_ = true;
  const auto callers_end = threads_.now() + 2 * settings_.write_timeout + 1s;
  while (callers_ > 0) {
    run_until(threads_.now() + 5ms);
    promise(is_starved_ || threads_.now() < callers_end, "calls return");
  }
  ++totals_.stops;
  std::optional<bool> ended;
  bool well = false;
  threads_.start("closer", process_, [&] {
    const auto began = threads_.now();
    const auto starved = threads_.starved();
    well = is_well();
    const bool responds = !has(Trouble::hang) && !has(Trouble::slow) && well;
    ended = work_->stop();
    const auto took = threads_.now() - began - (threads_.starved() - starved);
    promise(took <= settings_.closing + at_once, "stop() ends in time");
    promise(*ended || !responds, "stop() waits for a disk that responds");
    if (!*ended) work_->abandon();
  });
  const auto& over = [&] { return ended && threads_.is_over(process_); };
  const auto end = threads_.now() + settings_.closing + 10s;
  while (!ended && threads_.now() < end) run_until(threads_.now() + 5ms);
  promise(ended.has_value(), "stop() returns");
  if (!*ended) {
    tell("the threads are abandoned");
    ++totals_.abandoned;
    abandoned_ = true;
    run_until(threads_.now() + dice_.about(1s));
    return kill();
  }
  run_until(threads_.now() + threads_take);
  promise(over() || is_starved_, "threads that have ended do nothing more");
  tell("the process ends in order");
  if (well) judge_stopped();
  kill();
}

void JournalWorld::kill() {
  tell("the process ends");
  ++totals_.kills;
  if (disk_.at_path() && disk_.at_path()->distrusted) lost_by_sync_ = true;
  end_process();
  judge_kept("a kill loses nothing");
  restore(false);
}

void JournalWorld::end_process() {
  threads_.end(process_);
  opened_ = work_ != nullptr;
  work_.reset();
  disk_.kill();
}

void JournalWorld::cut_power() {
  tell("the power is cut");
  ++totals_.power_cuts;
  const bool distrusted = disk_.at_path() && disk_.at_path()->distrusted;
  end_process();
  disk_.cut_power();
  const auto content = disk_.seen();
  const auto now = threads_.now();
  // A disk that fails is not synced before it has been opened again.
  const bool fails = distrusted || !opened_ || lost_by_sync_;
  for (const auto& [number, fate] : fates_) {
    const auto since_excused = excused() - fate.excused;
    const bool failed_since = fate.since < io_trouble_end_ + recovery();
    if (fate.state == Fate::State::kept && !content.contains(number)) {
      promise(fails || at_risk_ || failed_since ||
                  now - std::max(fate.since, rewritten_) <= lost_within + since_excused,
              "a power cut loses what was recorded within the last 100 ms only", number);
    }
  }
  restore(true);
  lost_by_sync_ = false;
}

/// What the next process finds.
void JournalWorld::restore(bool power_cut) {
  const auto content = disk_.seen();
  for (const auto& [number, entry] : content) {
    promise(fates_.contains(number) || (lost_by_sync_ && number < next_number_),
            "nothing is there that was not recorded", number);
    fates_.try_emplace(number);
  }
  std::erase_if(fates_, [&](const auto& item) {
    if (content.contains(item.first)) return false;
    if (item.second.state == Fate::State::kept) ++totals_.lost;
    // A power cut may undo its removal yet.
    return power_cut || item.second.state != Fate::State::settled;
  });
  for (auto& [number, fate] : fates_) {
    if (!content.contains(number)) continue;
    if (fate.state == Fate::State::settled) ++totals_.brought_back;
    fate = {.state = Fate::State::kept, .since = threads_.now(), .excused = excused()};
  }
  last_removed_ = 0;
  at_risk_ = false;
}

void JournalWorld::compare_loaded(const std::vector<JournalEntry>& rows) {
  Disk::Entries found;
  for (const auto& row : rows) {
    found.emplace(row.number, row);
    promise(fates_.contains(row.number) || (lost_by_sync_ && row.number < next_number_),
            "what is loaded is what was kept", row.number);
    fates_[row.number] = {
        .state = Fate::State::kept, .since = threads_.now(), .excused = excused(), .safe = true};
  }
  std::erase_if(fates_, [&](const auto& item) {
    const auto& [number, fate] = item;
    if (fate.state == Fate::State::settled || found.contains(number)) return false;
    promise(lost_by_sync_, "what was kept is loaded", number);
    return true;
  });
  tell("it has loaded, entries", rows.size());
}

// The bridge's threads.

void JournalWorld::run_recorder() {
  while (!quits_) {
    // In bursts.
    threads_.sleep(dice_.chance(0.4) ? dice_.about(2ms) : dice_.about(between_records_));
    if (!quits_) record_one();
  }
  --callers_;
}

void JournalWorld::record_one() {
  auto number = next_number_;
  // That of an entry that was refused is free.
  const auto refused = std::ranges::find(fates_, Fate::State::refused,
                                         [](const auto& item) { return item.second.state; });
  if (refused != fates_.end() && dice_.chance(0.02)) {
    number = refused->first;
  } else {
    ++next_number_;
  }
  fates_[number] = {};
  const auto began = threads_.now();
  const auto starved = threads_.starved();
  const auto disk_before = excused();
  const auto writing = disk_.writing();
  const auto checkpoints = disk_.checkpoints();
  const bool was_well = is_well();
  const auto refusal = work_->record({.number = number, .received = 1, .message = {}});
  const auto took = threads_.now() - began - (threads_.starved() - starved);
  auto& fate = fates_[number];
  fate.since = threads_.now();
  fate.excused = excused();
  fate.state = refusal ? Fate::State::refused : Fate::State::kept;

  const auto file = disk_.at_path();
  const bool may_be_held = disk_.checkpoints() != checkpoints || !file || at_risk_ ||
                           file->log_size > large_log || full_lately_ ||
                           threads_.starved() != starved;
  promise(took <= settings_.write_timeout * (may_be_held ? 2 : 1) + at_once,
          "record() returns in time", number);
  promise(threads_.now() - began <= excused() - disk_before + threads_take,
          "record() waits for the disk only", number);
  const bool is_stuck = stuck_at_ && writing == stuck_at_ && disk_.writing() == stuck_at_;
  promise(!is_stuck || (refusal && took <= at_once),
          "while a write hangs entries are refused at once", number);
  if (refusal) {
    if (!std::exchange(refuses_, true)) tell("entries are refused: " + *refusal + ", from", number);
    ++totals_.refused;
    promise(*refusal != "the journal ", "a refusal has a cause", number);
    promise(!was_well || !is_well(), "a disk in order takes every entry", number);
    if (took < settings_.write_timeout) return;
    ++totals_.given_up;
    stuck_at_ = disk_.writing();
    return;
  }
  ++totals_.recorded;
  refuses_ = false;
  tell("records", number);
  judge_recorded(number, began);
}

void JournalWorld::run_settler() {
  while (!quits_) {
    threads_.sleep(dice_.about(until_settled_ / 3));
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, fate] : fates_) {
      if (fate.state == Fate::State::kept && dice_.chance(settled_share_))
        numbers.push_back(number);
    }
    if (quits_ || numbers.empty()) continue;
    if (numbers.size() > 1 && dice_.chance(0.5)) std::swap(numbers.front(), numbers.back());
    const auto began = threads_.now();
    const auto starved = threads_.starved();
    for (const auto number : numbers) {
      auto& fate = fates_.at(number);
      fate.state = Fate::State::settled;
      fate.settled = began;
      fate.order = next_order_++;
      fate.excused = excused();
      tell("settles", number);
    }
    work_->settle(numbers);
    totals_.settled += numbers.size();
    for (const auto number : numbers) fates_.at(number).confirmed = threads_.now();
    const auto took = threads_.now() - began - (threads_.starved() - starved);
    promise(took <= at_once, "settle() does not wait for the disk", numbers.front());
  }
  --callers_;
}

void JournalWorld::run_monitor() {
  while (!quits_) {
    threads_.sleep(dice_.about(150ms));
    const auto began = threads_.now();
    const auto starved = threads_.starved();
    const bool was_well = is_well();
    const auto state = work_->state();
    const auto took = threads_.now() - began - (threads_.starved() - starved);
    promise(took <= at_once, "state() does not wait for the disk");
    promise(!was_well || !state.failing, "the journal recovers once its disk is in order");
    judge_settled();
  }
  --callers_;
}

// Who judges.

Duration JournalWorld::excused() const {
  return disk_.busy() + disk_.distrusted() + threads_.starved();
}

void JournalWorld::wrote(const Disk::Write& what, MonotonicTime began, MonotonicTime opened) {
  const auto& seen = disk_.at_path()->seen;
  for (const auto number : what.removed) {
    const auto found = fates_.find(number);
    if (found == fates_.end()) continue;
    const auto& fate = found->second;
    if (fate.state == Fate::State::settled) last_removed_ = std::max(last_removed_, fate.order);
    promise(fate.state != Fate::State::kept || (what.added && what.added->number == number),
            "only what was settled is removed", number);
  }
  bool is_new = false;
  if (what.added) {
    const auto number = what.added->number;
    const auto found = fates_.find(number);
    if (found == fates_.end()) return promise(false, "only what was recorded is written", number);
    const auto& fate = found->second;
    const bool refused = fate.state == Fate::State::refused;
    is_new = fate.state == Fate::State::recording || refused;
    promise(!refused || fate.since >= began, "what was refused is not written later", number);
    // A caller without a processor may not have said so yet.
    promise(fate.state != Fate::State::settled || fate.confirmed > opened,
            "what was settled is not written again", number);
  }
  for (const auto& [number, entry] : seen) {
    const auto found = fates_.find(number);
    if (found == fates_.end()) continue;
    const auto& fate = found->second;
    promise(fate.state != Fate::State::settled || fate.order > last_removed_ || lost_by_sync_,
            "entries are removed in the order in which they were settled", number);
    promise(!is_new || fate.state != Fate::State::refused || fate.since >= began ||
                number == what.added->number,
            "what was refused is gone before anything else is recorded", number);
  }
}

void JournalWorld::judge_recorded(std::uint64_t number, MonotonicTime began) {
  judge_kept("what is recorded is in the file");
  if (at_risk_ || lost_by_sync_) return;
  const auto seen = disk_.seen();
  std::optional<Disk::Entries> safe;
  for (auto& [each, fate] : fates_) {
    promise(fate.confirmed >= began || !seen.contains(each),
            "what was settled is gone before an entry is recorded", each);
    if (fate.state != Fate::State::kept || fate.safe || each == number) continue;
    if (began - std::max(fate.since, rewritten_) <= settings_.sync_timeout + at_once) continue;
    if (!safe) safe = disk_.at_path()->safe();
    fate.safe = safe->contains(each);
    promise(fate.safe, "nothing is recorded while the disk is too late with what was", each);
  }
}

void JournalWorld::judge_kept(const char* when) {
  if (at_risk_ || lost_by_sync_) return;
  const auto seen = disk_.seen();
  for (const auto& [number, fate] : fates_) {
    promise(fate.state != Fate::State::kept || seen.contains(number), when, number);
  }
}

void JournalWorld::judge_settled() {
  if (!is_well() || at_risk_ || lost_by_sync_) return;
  const auto well_since = trouble_end_ + recovery();
  for (const auto& [number, entry] : disk_.seen()) {
    const auto found = fates_.find(number);
    if (found == fates_.end()) continue;
    const auto& fate = found->second;
    if (fate.state == Fate::State::settled) {
      const auto since = std::max(fate.settled, well_since);
      promise(threads_.now() <=
                  since + settings_.remove_after + threads_take + excused() - fate.excused,
              "what is settled is removed in time", number);
    } else if (fate.state == Fate::State::refused) {
      promise(threads_.now() <=
                  std::max(fate.since, well_since) + threads_take + excused() - fate.excused,
              "what was refused is gone once the disk is back", number);
    }
  }
}

/// After an orderly end, with a disk in order.
void JournalWorld::judge_stopped() {
  if (lost_by_sync_) return;
  const auto safe = disk_.at_path() ? disk_.at_path()->safe() : Disk::Entries();
  for (const auto& [number, fate] : fates_) {
    promise((fate.state == Fate::State::kept) == safe.contains(number),
            "at an orderly end what is not settled is on the disk, and nothing else", number);
  }
  promise(disk_.at_path() != nullptr, "a file that was removed is replaced");
}

void JournalWorld::logged(std::string_view event, std::initializer_list<Log::Field> fields) {
  tell(std::string(event));
  for (const auto& field : fields) {
    if (field.name == "cause") story_.back().what += " (" + std::string(field.value) + ")";
  }
  promise(!abandoned_, "the log is not used by threads that were abandoned");
  if (event.find("removed or replaced") != std::string_view::npos) noticed_ = true;
  if (event.find("can be written again") == std::string_view::npos) return;
  ++totals_.recoveries;
  if (!at_risk_ || !noticed_) return;
  at_risk_ = false;
  rewritten_ = threads_.now();
  judge_kept("what was in a file that was removed is in the new one");
}

void JournalWorld::promise(bool kept, const char* what, std::uint64_t number) {
  if (kept) return;
  tell("broken promise, of entry", number);
  threads_.broken(what);
  if (threads_.self() == nullptr) throw_broken();
}

void JournalWorld::tell(std::string what, std::uint64_t number) {
  if (story_.size() == longest_story) story_.pop_front();
  story_.push_back(
      {.at = threads_.now(), .who = threads_.name(), .what = std::move(what), .number = number});
}

}  // namespace jobs_bridge::simulation

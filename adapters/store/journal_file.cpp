#include "adapters/store/journal_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "adapters/files/system_text.h"
#include "bridge/flow/partition.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::store {
namespace {

using Kind = FileFault::Kind;

/// The database's file grows and shrinks by so much.
constexpr std::size_t chunk_size = std::size_t{64} << 10;

/// journal.md, which says what these numbers are, changes with them. The pages are small: they go
/// into the log as a whole, and an update is small.
constexpr Format updates{
    .application = "1784838762",
    .version = 2,
    .table =
        "CREATE TABLE updates(place INTEGER PRIMARY KEY, number INTEGER NOT NULL, "
        "received INTEGER NOT NULL, expires_after INTEGER, topic BLOB NOT NULL, "
        "payload BLOB NOT NULL, response_topic BLOB NOT NULL, correlation_data BLOB NOT NULL, "
        "content_type BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT",
    .to_open = "PRAGMA cell_size_check=ON; PRAGMA page_size=512",
    .previous_table =
        "CREATE TABLE updates(number INTEGER PRIMARY KEY, received INTEGER NOT NULL, "
        "expires_after INTEGER, topic BLOB NOT NULL, payload BLOB NOT NULL, "
        "response_topic BLOB NOT NULL, correlation_data BLOB NOT NULL, "
        "content_type BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT",
    .rename_previous = "ALTER TABLE updates RENAME TO previous",
    .copy_previous =
        "INSERT INTO updates(number, received, expires_after, topic, payload, response_topic, "
        "correlation_data, content_type, checksum) SELECT number, received, expires_after, topic, "
        "payload, response_topic, correlation_data, content_type, checksum FROM previous "
        "ORDER BY number; "
        "DROP TABLE previous"};

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Detects rows that were changed: SQLite checks the structure of a file, not its contents.
std::int64_t checksum(const JournalEntry& entry) {
  const auto& message = entry.message;
  std::string row;
  row.reserve(message.payload.size() + message.topic.size() + 256);
  row.append(std::to_string(entry.number)).append(1, ' ').append(std::to_string(entry.received));
  row += ' ';
  if (message.expires_after) row += std::to_string(milliseconds(*message.expires_after));
  // With their lengths, so that no two rows are the same text.
  for (const auto* part : {&message.topic, &message.payload, &message.response_topic,
                           &message.correlation_data, &message.content_type}) {
    row.append(1, ' ').append(std::to_string(part->size())).append(1, ':').append(*part);
  }
  return std::bit_cast<std::int64_t>(name_hash(row));
}

JournalEntry entry_of(const Statement& row) {
  JournalEntry entry{.number = static_cast<std::uint64_t>(row.integer(0)),
                     .received = row.integer(1),
                     .message = {.topic = std::string(row.bytes(4)),
                                 .payload = std::string(row.bytes(5)),
                                 .response_topic = std::string(row.bytes(6)),
                                 .correlation_data = std::string(row.bytes(7)),
                                 .content_type = std::string(row.bytes(8))}};
  if (row.integer(2) == 0) {
    // The longest that MQTT has. Whatever a damaged file says, it must not overflow; the checksum
    // then does not fit.
    constexpr std::int64_t most = 4'294'967'295'000;
    entry.message.expires_after =
        std::chrono::milliseconds(std::clamp<std::int64_t>(row.integer(3), 0, most));
  }
  return entry;
}

struct PlacedEntry {
  std::int64_t place;
  JournalEntry entry;
};

struct Updates {
  using Row = PlacedEntry;
  /// Of the previous version too, in which the number was the rowid.
  static constexpr const char* rows =
      "SELECT number, received, expires_after IS NULL, expires_after, topic, payload, "
      "response_topic, correlation_data, content_type, checksum, rowid FROM updates ORDER BY rowid";

  static std::optional<PlacedEntry> read(const Statement& row) {
    auto entry = entry_of(row);
    if (entry.number == 0 || row.integer(9) != checksum(entry)) return std::nullopt;
    return PlacedEntry{.place = row.integer(10), .entry = std::move(entry)};
  }
  static std::int64_t key_of(const PlacedEntry& row) { return row.place; }
  static bool is_younger(const PlacedEntry&, const PlacedEntry&) { return false; }
};

/// In the order of their arrival.
Content<JournalEntry> entries_of(Content<PlacedEntry> placed) {
  Content<JournalEntry> content;
  content.damaged_rows = placed.damaged_rows;
  content.damage = std::move(placed.damage);
  content.rows.reserve(placed.rows.size());
  for (auto& row : placed.rows) content.rows.push_back(std::move(row.entry));
  std::ranges::sort(content.rows, {}, &JournalEntry::number);
  const auto end = std::unique(
      content.rows.begin(), content.rows.end(),
      [](const JournalEntry& a, const JournalEntry& b) { return a.number == b.number; });
  if (end != content.rows.end()) content.note("an update occurs twice");
  content.rows.erase(end, content.rows.end());
  return content;
}

/// A connection beside which there is no other and that makes no further file: the index of the log
/// is held in memory.
Result<Database, FileFault> open_alone(const std::string& path) {
  auto opened = Database::open(path);
  if (!opened) return opened;
  opened.value().checkpoint_when_closed(false);
  auto fault = opened.value().run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON");
  if (fault) return Failure{*std::move(fault)};
  return opened;
}

Result<Content<JournalEntry>, FileFault> read_alone(const std::string& path) {
  auto opened = open_alone(path);
  if (!opened) return Failure{opened.error()};
  const auto identity = identify(opened.value(), updates);
  if (!identity) return Failure{identity.error()};
  if (*identity == Identity::none) return Content<JournalEntry>{};
  return entries_of(read_all<Updates>(opened.value()));
}

/// What a file of the previous version holds; nothing if it is none, or somebody else reads it.
std::optional<Content<JournalEntry>> read_if_previous(const std::string& path) {
  const auto locked = lock(path);
  if (!locked) return std::nullopt;
  auto opened = open_alone(path);
  if (!opened) return std::nullopt;
  const auto identity = identify(opened.value(), updates);
  if (!identity || *identity != Identity::previous) return std::nullopt;
  return entries_of(read_all<Updates>(opened.value()));
}

/// Repairs a damaged write-ahead log as far as possible; nothing if it is intact.
Result<std::optional<LogDamage>, FileFault> repair_log(const std::string& path) {
  if (auto fault = ensure_file(path, updates)) return Failure{*std::move(fault)};
  const auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  auto damage = damage_of_log(path);
  if (!damage) return damage;
  // A file of another application is not changed.
  const auto content = read_alone(path);
  if (!content && content.error().kind != Kind::damaged) return Failure{content.error()};
  if (damage->repaired.empty()) return damage;
  if (const auto cause = overwrite_log(path, damage->repaired)) {
    return Failure{FileFault{Kind::unusable,
                             "has a damaged write-ahead log that cannot be repaired: " + *cause}};
  }
  return damage;
}

/// Writes the write-ahead log into the database and frees the log's space, which needs no further
/// space: for a file that cannot be opened because its disk is full.
std::optional<FileFault> empty_log(const std::string& path) {
  const auto locked = lock(path);
  if (!locked) return locked.error();
  auto opened = open_alone(path);
  if (!opened) return opened.error();
  auto& database = opened.value();
  const auto identity = identify(database, updates);
  if (!identity) return identity.error();
  database.set_chunk_size(static_cast<int>(chunk_size));
  return database.run("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

/// What is at the path; a file that cannot be opened for want of space on its disk, or because of
/// damage, is only read.
Result<Opened<JournalFile>, FileFault> find(const std::string& path, std::size_t max_size) {
  // One of the previous version is not converted if it is damaged: it is quarantined as it was.
  if (auto previous = read_if_previous(path); previous && previous->damage) {
    Opened<JournalFile> opened;
    opened.content = *std::move(previous);
    return opened;
  }
  auto file = JournalFile::open(path, max_size);
  if (!file && is_for_want_of_space(file.error().kind) && !empty_log(path)) {
    file = JournalFile::open(path, max_size);
  }
  Opened<JournalFile> opened;
  if (file) {
    opened.file = std::move(file).value();
    return opened;
  }
  const auto& fault = file.error();
  if (!is_for_want_of_space(fault.kind) && fault.kind != Kind::damaged) return Failure{fault};
  const auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  auto content = read_alone(path);
  if (!content) return Failure{fault.kind == Kind::damaged ? fault : content.error()};
  opened.content = std::move(content).value();
  // One of the previous version whose damage was found when it was converted.
  if (fault.kind == Kind::damaged) opened.content.note(fault.message);
  return opened;
}

bool copy(const std::vector<JournalEntry>& entries, JournalFile& file) {
  for (const auto& entry : entries) {
    if (file.write(&entry, {})) return false;
  }
  return !file.sync();
}

void report(const std::string& path, const LogDamage& damage, Log& log) {
  // A write holds one update at most.
  log.write(
      Severity::error,
      damage.writes_lost == 0
          ? "the journal's write-ahead log was damaged and has been repaired: no update is lost"
          : "the journal's write-ahead log is damaged or incomplete: updates may be lost",
      {{"path", path},
       {"bits_corrected", std::to_string(damage.bits_corrected)},
       {"updates_lost_at_most", std::to_string(damage.writes_lost)},
       {"hint", damage.writes_lost == 0
                    ? "check the disk and the machine's memory"
                    : "check the disk, and compare what devices have reported with the job "
                      "executions"}});
}

}  // namespace

std::optional<std::string> JournalFile::why_refused(const std::string& path) {
  return store::why_refused(path, updates);
}

Result<Opened<JournalFile>, FileFault> JournalFile::open_or_recover(const std::string& path,
                                                                    std::size_t max_size,
                                                                    Log& log) {
  auto repaired = repair_log(path);
  if (!repaired) return Failure{repaired.error()};
  if (repaired.value()) report(path, *repaired.value(), log);
  auto opened = store::open_or_recover<JournalFile>(
      path, [&] { return find(path, max_size); },
      [&](const std::string& name, const Content<JournalEntry>& content) {
        log.write(Severity::error, "a damaged journal was set aside: updates in it may be lost",
                  {{"path", path},
                   {"set_aside", name},
                   {"damage", *content.damage},
                   {"updates_damaged", std::to_string(content.damaged_rows)},
                   {"updates_saved", std::to_string(content.rows.size())},
                   {"hint",
                    "check the disk, and compare what devices have reported with the job "
                    "executions"}});
      });
  if (!opened || opened->saved || !opened->file) return opened;
  opened->saved = copy(opened->content.rows, *opened->file);
  if (!opened->saved) opened->file.reset();
  return opened;
}

Result<std::unique_ptr<JournalFile>, FileFault> JournalFile::open(const std::string& path,
                                                                  std::size_t max_size) {
  auto opened =
      RecordFile::open(path, updates, "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=OFF");
  if (!opened) return Failure{opened.error()};
  RecordFile file = std::move(opened).value();
  const auto size = file.database().value("PRAGMA page_size");
  if (!size) return Failure{size.error()};
  const auto page_size = parse_number<std::size_t>(*size).value_or(512);
  if (auto fault = file.database().run(
          ("PRAGMA max_page_count=" + std::to_string(max_size / page_size + 64)).c_str())) {
    return Failure{*std::move(fault)};
  }
  file.database().count_log_pages();
  file.database().set_chunk_size(static_cast<int>(chunk_size));

  auto again = Database::open(path);
  if (!again) return Failure{again.error()};
  Database checkpoints = std::move(again).value();
  checkpoints.checkpoint_when_closed(false);
  // Does not wait for other readers of the file, since updates would wait too.
  auto fault = checkpoints.run(
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=0");
  if (fault) return Failure{*std::move(fault)};
  checkpoints.set_chunk_size(static_cast<int>(chunk_size));

  auto statements = prepare(file.database());
  if (!statements) return Failure{statements.error()};
  checkpoints.checkpoint_when_closed(true);
  return std::unique_ptr<JournalFile>(new JournalFile(
      std::move(file), page_size, std::move(checkpoints), std::move(statements).value()));
}

Result<JournalFile::Statements, FileFault> JournalFile::prepare(Database& writes) {
  auto begin = writes.prepare("BEGIN IMMEDIATE");
  if (!begin) return Failure{begin.error()};
  auto put = writes.prepare(
      "REPLACE INTO updates(number, received, expires_after, topic, payload, "
      "response_topic, correlation_data, content_type, checksum, place) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  if (!put) return Failure{put.error()};
  auto take = writes.prepare("DELETE FROM updates WHERE place=?1");
  if (!take) return Failure{take.error()};
  auto commit = writes.prepare("COMMIT");
  if (!commit) return Failure{commit.error()};
  return Statements{.begin = std::move(begin).value(),
                    .put = std::move(put).value(),
                    .take = std::move(take).value(),
                    .commit = std::move(commit).value()};
}

JournalFile::~JournalFile() {
  // Closing brings the log into the database and removes it: then the database must be on the disk.
  file_.database().run("PRAGMA synchronous=FULL");
}

Content<JournalEntry> JournalFile::read() {
  auto placed = read_all<Updates>(file_.database());
  places_ = {};
  for (const auto& row : placed.rows) places_.take(row.place, row.entry.number);
  return entries_of(std::move(placed));
}

std::optional<FileFault> JournalFile::write(const JournalEntry* added,
                                            std::span<const std::uint64_t> removed) {
  if (added != nullptr) {
    if (auto fault = reserve(size_of(*added))) return fault;
  }
  auto places = places_.of(removed);
  std::optional<std::int64_t> place;
  if (added != nullptr) {
    place = places_.for_new(places);
    // What is overwritten need not be removed.
    std::erase(places, *place);
  }
  const bool many = places.size() + (added != nullptr ? 1 : 0) > 1;
  auto fault = many ? statements_.begin.run() : std::nullopt;
  for (const auto each : places) {
    if (fault) break;
    statements_.take.bind(0, each);
    fault = statements_.take.run();
  }
  if (!fault && added != nullptr) {
    bind(*added, *place);
    fault = statements_.put.run();
  }
  if (!fault && many) fault = statements_.commit.run();
  if (fault) {
    file_.database().roll_back();
    return fault;
  }
  for (const auto number : removed) places_.release(number);
  if (added != nullptr) places_.take(*place, added->number);
  return std::nullopt;
}

/// Space for what the database grows by, so that the log can be brought into it however full the
/// disk gets meanwhile.
std::optional<FileFault> JournalFile::reserve(std::size_t bytes) {
  // What a page holds beside a row's bytes, and the pages above a row's.
  const auto more = bytes / (page_size_ - 64) + 6;
  pages_ += more;
  if (pages_ * page_size_ <= reserved_) return std::nullopt;
  const auto count = file_.database().value("PRAGMA page_count");
  if (!count) return count.error();
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) return std::nullopt;
  pages_ = parse_number<std::size_t>(*count).value_or(0) + more;
  reserved_ = static_cast<std::size_t>(status.st_size);
  if (pages_ * page_size_ <= reserved_) return std::nullopt;
  const auto wanted = (pages_ * page_size_ / chunk_size + 1) * chunk_size;
  if (::fallocate(file_.number(), 0, status.st_size, static_cast<off_t>(wanted - reserved_)) == 0 ||
      errno == EOPNOTSUPP) {
    reserved_ = wanted;
    return std::nullopt;
  }
  pages_ -= more;
  if (errno == ENOSPC) return no_space_for(file_.path());
  return FileFault{Kind::unusable, "cannot be written: " + files::system_text(errno)};
}

bool JournalFile::make_room(std::size_t bytes, std::size_t updates, bool log_begins_anew) {
  bytes *= updates;
  if (const auto fault = reserve(bytes)) return false;
  // A page more for each that changes, and what each takes in the log.
  const auto needed = (bytes / (page_size_ - 64) + 10 * updates) * (page_size_ + 24);
  const auto end = (log_begins_anew ? 0 : log_used()) + needed;
  const auto size = log_size();
  if (end <= size) return true;
  return ::fallocate(file_.number_of_log(), 0, static_cast<off_t>(size),
                     static_cast<off_t>(end - size)) == 0 ||
         errno == EOPNOTSUPP;
}

std::size_t JournalFile::log_used() const {
  return file_.database().log_pages() * (page_size_ + 24);
}

std::optional<std::string> JournalFile::rewrite_log() {
  std::vector<char> block(std::size_t{64} << 10);
  for (off_t at = 0;;) {
    const auto read = ::pread(file_.number_of_log(), block.data(), block.size(), at);
    if (read == 0) break;
    if (read < 0 ||
        ::pwrite(file_.number_of_log(), block.data(), static_cast<std::size_t>(read), at) != read) {
      return files::system_text(errno);
    }
    at += read;
  }
  return sync();
}

void JournalFile::bind(const JournalEntry& entry, std::int64_t place) {
  const auto& message = entry.message;
  auto& put = statements_.put;
  put.bind(0, static_cast<std::int64_t>(entry.number));
  put.bind(1, entry.received);
  if (message.expires_after) {
    put.bind(2, milliseconds(*message.expires_after));
  } else {
    put.bind_null(2);
  }
  put.bind_blob(3, message.topic);
  put.bind_blob(4, message.payload);
  put.bind_blob(5, message.response_topic);
  put.bind_blob(6, message.correlation_data);
  put.bind_blob(7, message.content_type);
  put.bind(8, checksum(entry));
  put.bind(9, place);
}

std::optional<std::string> JournalFile::sync() {
  if (::fdatasync(file_.number_of_log()) == 0) return std::nullopt;
  return files::system_text(errno);
}

Result<bool, FileFault> JournalFile::checkpoint(const std::string& mode) {
  auto prepared = checkpoints_.prepare(("PRAGMA wal_checkpoint(" + mode + ")").c_str());
  if (!prepared) return Failure{prepared.error()};
  const auto row = prepared.value().step();
  reserved_ = 0;  // it may have shrunk
  if (!row) return Failure{row.error()};
  return prepared.value().integer(0) == 0 &&
         prepared.value().integer(1) == prepared.value().integer(2);
}

std::size_t JournalFile::log_size() const {
  struct stat status {};
  return ::fstat(file_.number_of_log(), &status) == 0 ? static_cast<std::size_t>(status.st_size)
                                                      : 0;
}

void JournalFile::leave_as_it_is() {
  file_.leave_as_it_is();
  checkpoints_.checkpoint_when_closed(false);
}

void JournalFile::leave_behind() {
  leave_as_it_is();
  file_.leave_behind();
}

}  // namespace jobs_bridge::store

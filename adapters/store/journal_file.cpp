#include "adapters/store/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <system_error>

#include "adapters/store/journal_checksum.h"
#include "adapters/store/record_file.h"

namespace jobs_bridge::store {
namespace {

using Kind = FileFault::Kind;

constexpr Format format{
    .application = "1784838762",
    .version = 1,
    .table =
        "CREATE TABLE updates(number INTEGER PRIMARY KEY, received INTEGER NOT NULL, "
        "expires_after INTEGER, topic BLOB NOT NULL, payload BLOB NOT NULL, "
        "response_topic BLOB NOT NULL, correlation_data BLOB NOT NULL, "
        "content_type BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT"};

/// The database's file grows and shrinks by so much.
constexpr std::size_t chunk_size = std::size_t{64} << 10;

/// Small: whole pages go into the log, and an update is small.
constexpr std::size_t page_size = 1024;

constexpr const char* columns =
    "SELECT number, received, expires_after IS NULL, expires_after, topic, payload, "
    "response_topic, correlation_data, content_type, checksum FROM updates ORDER BY number";

std::string text_of(int error) {
  return std::generic_category().message(error);
}

/// Keeps a second bridge away. Not by SQLite's own locks: two connections of ours must get along.
Result<Descriptor, FileFault> lock(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.number() < 0) {
    return Failure{FileFault{Kind::unusable, "cannot be opened: " + text_of(errno)}};
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    return Failure{FileFault{Kind::unusable, errno == EWOULDBLOCK
                                                 ? "is in use by another process"
                                                 : "cannot be locked: " + text_of(errno)}};
  }
  return file;
}

/// The name of a new file outlives a power cut only if its directory does.
void sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  const Descriptor opened(
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() >= 0) ::fsync(opened.number());
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

void read_rows(Database& database, const std::string& sql, JournalContent& content) {
  const auto note = [&](const std::string& damage) {
    if (!content.damage) content.damage = damage;
  };
  auto prepared = database.prepare(sql.c_str());
  if (!prepared) return note(prepared.error().message);
  Statement& rows = prepared.value();
  while (true) {
    const auto row = rows.step();
    if (!row) return note(row.error().message);
    if (!*row) return;
    auto entry = entry_of(rows);
    if (entry.number != 0 && rows.integer(9) == checksum(entry)) {
      content.entries.push_back(std::move(entry));
    } else {
      ++content.damaged_rows;
      note("a row is not as it was written");
    }
  }
}

JournalContent read_all(Database& database) {
  JournalContent content;
  const auto check = database.value("PRAGMA quick_check(1)");
  if (!check) {
    content.damage = check.error().message;
  } else if (*check != "ok") {
    content.damage = *check;
  }
  read_rows(database, columns, content);
  const bool ascending = std::ranges::adjacent_find(content.entries, std::ranges::greater_equal(),
                                                    &JournalEntry::number) == content.entries.end();
  if (!ascending && !content.damage) content.damage = "rows are not in order";
  if (!content.damage) return content;
  // A page that cannot be read ends a reading: from both ends, only what is behind it is lost.
  const auto damaged_rows = content.damaged_rows;
  read_rows(database, std::string(columns) + " DESC", content);
  content.damaged_rows = std::max(damaged_rows, content.damaged_rows - damaged_rows);
  std::map<std::uint64_t, JournalEntry> saved;
  for (auto& entry : content.entries) saved.try_emplace(entry.number, std::move(entry));
  content.entries.clear();
  for (auto& [number, entry] : saved) content.entries.push_back(std::move(entry));
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

Result<JournalContent, FileFault> read_alone(const std::string& path) {
  auto opened = open_alone(path);
  if (!opened) return Failure{opened.error()};
  const auto identity = identify(opened.value(), format);
  if (!identity) return Failure{identity.error()};
  if (*identity == Identity::none) return JournalContent{};
  return read_all(opened.value());
}

std::size_t size_of(const JournalEntry& entry) {
  const auto& message = entry.message;
  return message.topic.size() + message.payload.size() + message.response_topic.size() +
         message.correlation_data.size() + message.content_type.size();
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<std::unique_ptr<JournalFile>, FileFault> JournalFile::open(const std::string& path,
                                                                  std::size_t max_size) {
  if (auto fault = ensure_file(path, format)) return Failure{*std::move(fault)};
  auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  auto opened = Database::open(path);
  if (!opened) return Failure{opened.error()};
  Database writes = std::move(opened).value();
  writes.checkpoint_when_closed(false);
  auto fault = writes.run(
      ("PRAGMA cell_size_check=ON; PRAGMA page_size=" + std::to_string(page_size)).c_str());
  if (fault) return Failure{*std::move(fault)};
  const auto identity = identify(writes, format);
  if (!identity) return Failure{identity.error()};
  const auto mode = writes.value("PRAGMA journal_mode=WAL");
  if (!mode) return Failure{mode.error()};
  if (*mode != "wal") {
    return Failure{
        FileFault{Kind::unusable, "is on a file system without what a write-ahead log needs"}};
  }
  const auto pages = std::to_string(max_size / page_size + 64);
  fault = writes.run(("PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0; "
                      "PRAGMA max_page_count=" +
                      pages)
                         .c_str());
  if (!fault && *identity == Identity::none) {
    fault = writes.run("PRAGMA synchronous=FULL");
    if (!fault) fault = begin(writes, format);
  }
  if (!fault) fault = writes.run("PRAGMA synchronous=OFF");
  if (fault) return Failure{*std::move(fault)};
  writes.count_log_pages();
  writes.set_chunk_size(static_cast<int>(chunk_size));

  auto again = Database::open(path);
  if (!again) return Failure{again.error()};
  Database checkpoints = std::move(again).value();
  checkpoints.checkpoint_when_closed(false);
  // Whoever looks into the file meanwhile is not waited for: updates would be.
  fault = checkpoints.run(
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=0");
  if (fault) return Failure{*std::move(fault)};

  checkpoints.set_chunk_size(static_cast<int>(chunk_size));

  auto statements = prepare(writes);
  if (!statements) return Failure{statements.error()};
  // Its locks are on the other files, so it may be opened once more beside SQLite.
  Descriptor log(::open((path + "-wal").c_str(), O_RDWR | O_CLOEXEC));
  if (log.number() < 0) {
    return Failure{FileFault{Kind::unusable, "has no log of writes: " + text_of(errno)}};
  }
  sync_directory_of(path);
  writes.checkpoint_when_closed(true);
  checkpoints.checkpoint_when_closed(true);
  return std::unique_ptr<JournalFile>(
      new JournalFile(path, std::move(locked).value(), std::move(log), std::move(writes),
                      std::move(checkpoints), std::move(statements).value()));
}

Result<JournalFile::Statements, FileFault> JournalFile::prepare(Database& writes) {
  auto begin = writes.prepare("BEGIN IMMEDIATE");
  if (!begin) return Failure{begin.error()};
  auto put = writes.prepare(
      "INSERT INTO updates(number, received, expires_after, topic, payload, "
      "response_topic, correlation_data, content_type, checksum) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  if (!put) return Failure{put.error()};
  auto take = writes.prepare("DELETE FROM updates WHERE number=?1");
  if (!take) return Failure{take.error()};
  auto commit = writes.prepare("COMMIT");
  if (!commit) return Failure{commit.error()};
  return Statements{.begin = std::move(begin).value(),
                    .put = std::move(put).value(),
                    .take = std::move(take).value(),
                    .commit = std::move(commit).value()};
}

JournalFile::JournalFile(std::string path, Descriptor lock, Descriptor log, Database writes,
                         Database checkpoints, Statements statements)
    : path_(std::move(path)),
      lock_(std::move(lock)),
      log_(std::move(log)),
      writes_(std::move(writes)),
      checkpoints_(std::move(checkpoints)),
      statements_(std::move(statements)) {}

JournalFile::~JournalFile() {
  // Closing brings the log into the database and removes it: then the database must be on the disk.
  writes_.run("PRAGMA synchronous=FULL");
}

Result<JournalContent, FileFault> JournalFile::read_unwritable(const std::string& path) {
  const auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  return read_alone(path);
}

Result<std::optional<LogDamage>, FileFault> JournalFile::mend_log(const std::string& path) {
  if (auto fault = ensure_file(path, format)) return Failure{*std::move(fault)};
  const auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  auto damage = damage_of_log(path);
  if (!damage) return damage;
  // Somebody else's is left as it is.
  const auto content = read_alone(path);
  if (!content && content.error().kind != Kind::damaged) return Failure{content.error()};
  if (damage->mended.empty()) return damage;
  if (const auto cause = overwrite_log(path, damage->mended)) {
    return Failure{
        FileFault{Kind::unusable, "has a damaged log of writes that cannot be mended: " + *cause}};
  }
  return damage;
}

std::optional<FileFault> JournalFile::empty_log(const std::string& path) {
  const auto locked = lock(path);
  if (!locked) return locked.error();
  auto opened = open_alone(path);
  if (!opened) return opened.error();
  auto& database = opened.value();
  const auto identity = identify(database, format);
  if (!identity) return identity.error();
  database.set_chunk_size(static_cast<int>(chunk_size));
  return database.run("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

JournalContent JournalFile::read() {
  return read_all(writes_);
}

std::optional<FileFault> JournalFile::write(const JournalEntry* added,
                                            std::span<const std::uint64_t> removed) {
  if (added != nullptr) {
    if (auto fault = reserve(size_of(*added))) return fault;
  }
  const bool many = removed.size() + (added != nullptr ? 1 : 0) > 1;
  auto fault = many ? carry_out(statements_.begin) : std::nullopt;
  for (const auto number : removed) {
    if (fault) break;
    statements_.take.bind(0, static_cast<std::int64_t>(number));
    fault = carry_out(statements_.take);
  }
  if (!fault && added != nullptr) {
    bind(*added);
    fault = carry_out(statements_.put);
  }
  if (!fault && many) fault = carry_out(statements_.commit);
  if (fault) writes_.roll_back();
  return fault;
}

/// Space for what the database grows by, so that the log can be brought into it however full the
/// disk gets meanwhile.
std::optional<FileFault> JournalFile::reserve(std::size_t bytes) {
  // What a page holds beside a row's bytes, and the pages above a row's.
  const auto more = bytes / (page_size - 64) + 6;
  pages_ += more;
  if (pages_ * page_size <= reserved_) return std::nullopt;
  const auto count = writes_.value("PRAGMA page_count");
  if (!count) return count.error();
  struct stat status {};
  if (::fstat(lock_.number(), &status) != 0) return std::nullopt;
  pages_ = static_cast<std::size_t>(std::strtoull(count->c_str(), nullptr, 10)) + more;
  reserved_ = static_cast<std::size_t>(status.st_size);
  if (pages_ * page_size <= reserved_) return std::nullopt;
  const auto wanted = (pages_ * page_size / chunk_size + 1) * chunk_size;
  if (::fallocate(lock_.number(), 0, status.st_size, static_cast<off_t>(wanted - reserved_)) == 0 ||
      errno == EOPNOTSUPP) {
    reserved_ = wanted;
    return std::nullopt;
  }
  pages_ -= more;
  if (errno == ENOSPC) return FileFault{Kind::full, "cannot be written: disk full"};
  return FileFault{Kind::unusable, "cannot be written: " + text_of(errno)};
}

bool JournalFile::make_room(std::size_t bytes, bool log_begins_anew) {
  if (const auto fault = reserve(bytes)) return false;
  // A page more for each that changes, and what each takes in the log.
  const auto needed = (bytes / (page_size - 64) + 10) * (page_size + 24);
  const auto end = (log_begins_anew ? 0 : log_used()) + needed;
  const auto size = log_size();
  if (end <= size) return true;
  return ::fallocate(log_.number(), 0, static_cast<off_t>(size), static_cast<off_t>(end - size)) ==
             0 ||
         errno == EOPNOTSUPP;
}

std::size_t JournalFile::log_used() const {
  return writes_.log_pages() * (page_size + 24);
}

std::optional<std::string> JournalFile::rewrite_log() {
  std::vector<char> block(std::size_t{64} << 10);
  for (off_t at = 0;;) {
    const auto read = ::pread(log_.number(), block.data(), block.size(), at);
    if (read == 0) break;
    if (read < 0 ||
        ::pwrite(log_.number(), block.data(), static_cast<std::size_t>(read), at) != read) {
      return text_of(errno);
    }
    at += read;
  }
  return sync();
}

std::optional<FileFault> JournalFile::carry_out(Statement& statement) {
  const auto done = statement.step();
  statement.reset();
  return done ? std::nullopt : std::optional(done.error());
}

void JournalFile::bind(const JournalEntry& entry) {
  const auto& message = entry.message;
  auto& put = statements_.put;
  put.bind(0, static_cast<std::int64_t>(entry.number));
  put.bind(1, entry.received);
  if (message.expires_after) {
    put.bind(2,
             std::chrono::duration_cast<std::chrono::milliseconds>(*message.expires_after).count());
  } else {
    put.bind_null(2);
  }
  put.bind_blob(3, message.topic);
  put.bind_blob(4, message.payload);
  put.bind_blob(5, message.response_topic);
  put.bind_blob(6, message.correlation_data);
  put.bind_blob(7, message.content_type);
  put.bind(8, checksum(entry));
}

bool JournalFile::has_moved() const {
  struct stat ours {};
  struct stat there {};
  return ::fstat(lock_.number(), &ours) == 0 &&
         (::stat(path_.c_str(), &there) != 0 || ours.st_ino != there.st_ino ||
          ours.st_dev != there.st_dev);
}

std::optional<std::string> JournalFile::sync() {
  if (::fdatasync(log_.number()) == 0) return std::nullopt;
  return text_of(errno);
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
  return ::fstat(log_.number(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

void JournalFile::leave_as_it_is() {
  writes_.checkpoint_when_closed(false);
  checkpoints_.checkpoint_when_closed(false);
}

void JournalFile::leave_behind() {
  leave_as_it_is();
  struct stat ours {};
  struct stat there {};
  const auto name = path_ + "-wal";
  if (::fstat(log_.number(), &ours) == 0 && ::stat(name.c_str(), &there) == 0 &&
      ours.st_ino == there.st_ino) {
    ::unlink(name.c_str());
    ::unlink((path_ + "-shm").c_str());
  }
}

}  // namespace jobs_bridge::store

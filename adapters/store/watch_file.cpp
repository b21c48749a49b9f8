#include "adapters/store/watch_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <unordered_map>

#include "adapters/store/record_file.h"
#include "adapters/store/watch_checksum.h"

namespace jobs_bridge::store {
namespace {

using Kind = FileFault::Kind;

/// watched_things.md, which says what these numbers are, changes with them.
constexpr Format format{
    .application = "1784838004",
    .version = 1,
    .table =
        "CREATE TABLE watched(thing TEXT PRIMARY KEY, asked INTEGER NOT NULL, "
        "told BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID"};

constexpr const char* rows_in_order =
    "SELECT thing, asked, told, checksum FROM watched ORDER BY thing";
constexpr const char* rows_backwards =
    "SELECT thing, asked, told, checksum FROM watched ORDER BY thing DESC";

std::optional<std::uint64_t> file_number(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_ino;
}

/// Of rows that are the same thing's, which only a damaged file has, the younger.
void put(std::unordered_map<std::string, WatchedThing>& things, WatchedThing thing) {
  const auto [at, is_new] = things.try_emplace(thing.thing, thing);
  if (!is_new && at->second.asked < thing.asked) at->second = std::move(thing);
}

}  // namespace

Result<std::unique_ptr<WatchFile>, FileFault> WatchFile::open(const std::string& path) {
  if (auto fault = ensure_file(path, format)) return Failure{*std::move(fault)};
  auto opened = Database::open(path);
  if (!opened) return Failure{opened.error()};
  Database database = std::move(opened).value();
  // Nothing is changed in a file that may not be ours. The lock keeps a second bridge away.
  database.checkpoint_when_closed(false);
  if (auto fault = database.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON")) {
    return Failure{*std::move(fault)};
  }
  const auto identity = identify(database, format);
  if (!identity) return Failure{identity.error()};
  // In this journal mode a commit waits for no disk. What the log keeps after a large round, it
  // gives back.
  const auto mode = database.value("PRAGMA journal_mode=WAL");
  if (!mode) return Failure{mode.error()};
  if (*mode != "wal") {
    return Failure{FileFault{Kind::unusable,
                             "is on a file system without what a write-ahead log "
                             "needs"}};
  }
  auto fault = database.run(
      "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=8388608");
  if (!fault && *identity == Identity::none) fault = begin(database, format);
  if (fault) return Failure{*std::move(fault)};
  auto put = database.prepare(
      "INSERT INTO watched(thing, asked, told, checksum) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT(thing) DO UPDATE SET asked=excluded.asked, told=excluded.told, "
      "checksum=excluded.checksum WHERE asked<>excluded.asked OR told<>excluded.told OR "
      "checksum<>excluded.checksum");
  if (!put) return Failure{put.error()};
  auto remove = database.prepare("DELETE FROM watched WHERE thing=?1");
  if (!remove) return Failure{remove.error()};
  database.checkpoint_when_closed(true);
  return std::unique_ptr<WatchFile>(
      new WatchFile(path, std::move(database), std::move(put).value(), std::move(remove).value()));
}

WatchFile::WatchFile(const std::string& path, Database database, Statement put, Statement remove)
    : log_path_(path + "-wal"),
      log_number_(file_number(log_path_)),
      database_(std::move(database)),
      put_(std::move(put)),
      remove_(std::move(remove)) {}

void WatchFile::leave_behind() {
  leave_as_it_is();
  if (log_number_ && file_number(log_path_) == log_number_) ::unlink(log_path_.c_str());
}

WatchFile::Content WatchFile::read() {
  Content content;
  // It checks how the pages hang together, and not what is in them.
  const auto check = database_.value("PRAGMA quick_check(1)");
  if (!check) {
    content.damage = check.error().message;
  } else if (*check != "ok") {
    content.damage = *check;
  }
  read_rows(rows_in_order, content);
  if (!content.damage) return content;
  // A page that cannot be read ends a reading: from both ends, only what is behind it is lost.
  read_rows(rows_backwards, content);
  std::unordered_map<std::string, WatchedThing> saved;
  for (auto& thing : content.things) put(saved, std::move(thing));
  content.things.clear();
  for (auto& [name, thing] : saved) content.things.push_back(std::move(thing));
  return content;
}

void WatchFile::read_rows(const char* sql, Content& content) {
  const auto note = [&](const std::string& damage) {
    if (!content.damage) content.damage = damage;
  };
  auto prepared = database_.prepare(sql);
  if (!prepared) return note(prepared.error().message);
  Statement& rows = prepared.value();
  std::string before;
  while (true) {
    const auto row = rows.step();
    if (!row) return note(row.error().message);
    if (!*row) return;
    WatchedThing thing{.thing = std::string(rows.bytes(0)),
                       .asked = rows.integer(1),
                       .told = std::string(rows.bytes(2))};
    // A page that is there twice, or where another one was, has rows that are whole.
    if (thing.thing <= before) note("rows are not in order");
    before = thing.thing;
    if (rows.integer(3) == checksum(thing.thing, thing.asked, thing.told)) {
      content.things.push_back(std::move(thing));
    } else {
      note("a row is not as it was written");
    }
  }
}

std::optional<FileFault> WatchFile::write(const Changes::Map& changes,
                                          const std::function<bool()>& is_late) {
  auto fault = database_.run("BEGIN IMMEDIATE");
  if (!fault) fault = write_rows(changes, is_late);
  if (!fault) fault = database_.run("COMMIT");
  if (fault) database_.roll_back();
  return fault;
}

std::optional<FileFault> WatchFile::write_rows(const Changes::Map& changes,
                                               const std::function<bool()>& is_late) {
  for (const auto& [thing, row] : changes) {
    if (is_late()) return FileFault{Kind::late, "was not written fast enough"};
    Statement& statement = row ? put_ : remove_;
    statement.bind_text(0, thing);
    if (row) {
      statement.bind(1, row->asked);
      statement.bind_blob(2, row->told);
      statement.bind(3, checksum(thing, row->asked, row->told));
    }
    const auto done = statement.step();
    statement.reset();
    if (!done) return done.error();
  }
  return std::nullopt;
}

}  // namespace jobs_bridge::store

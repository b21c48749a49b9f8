#include "adapters/store/watch_file.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include "bridge/flow/partition.h"

namespace jobs_bridge::store {
namespace {

/// watched_things.md, which says what these numbers are, changes with them. SQLite's own lock keeps
/// other processes away.
constexpr Format watched{.application = "1784838004",
                         .version = 1,
                         .table =
                             "CREATE TABLE watched(thing TEXT PRIMARY KEY, asked INTEGER NOT NULL, "
                             "told BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
                         .to_open = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON"};

/// What the log keeps after a large round, it gives back.
constexpr const char* to_write = "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=8388608";

constexpr const char* put_row =
    "INSERT INTO watched(thing, asked, told, checksum) VALUES(?1, ?2, ?3, ?4) "
    "ON CONFLICT(thing) DO UPDATE SET asked=excluded.asked, told=excluded.told, "
    "checksum=excluded.checksum WHERE asked<>excluded.asked OR told<>excluded.told OR "
    "checksum<>excluded.checksum";

/// Detects rows that were changed: SQLite checks the structure of a file, not its contents.
std::int64_t checksum(std::string_view thing, std::int64_t asked, std::string_view told) {
  // A name holds no NUL, so no two rows are the same text.
  std::string row(thing);
  row.append(1, '\0').append(std::to_string(asked)).append(1, '\0').append(told);
  return std::bit_cast<std::int64_t>(name_hash(row));
}

struct Watched {
  using Row = WatchedThing;
  static constexpr const char* rows =
      "SELECT thing, asked, told, checksum FROM watched ORDER BY thing";

  static std::optional<WatchedThing> read(const Statement& row) {
    WatchedThing thing{.thing = std::string(row.bytes(0)),
                       .asked = row.integer(1),
                       .told = std::string(row.bytes(2))};
    if (row.integer(3) != checksum(thing.thing, thing.asked, thing.told)) return std::nullopt;
    return thing;
  }
  static const std::string& key_of(const WatchedThing& thing) { return thing.thing; }
  static bool is_younger(const WatchedThing& thing, const WatchedThing& than) {
    return thing.asked > than.asked;
  }
};

}  // namespace

std::optional<std::string> WatchFile::why_refused(const std::string& path) {
  return store::why_refused(path, watched);
}

Result<Opened<WatchFile>, FileFault> WatchFile::open_or_recover(const std::string& path, Log& log) {
  return store::open_or_recover<WatchFile>(
      path, [&] { return open(path); },
      [&](const std::string& name, const Content<WatchedThing>& content) {
        log.write(Severity::warning,
                  "a damaged file of watched things was set aside: a new one was begun",
                  {{"path", path},
                   {"set_aside", name},
                   {"damage", *content.damage},
                   {"things_saved", std::to_string(content.rows.size())},
                   {"hint", "check the disk"}});
      });
}

Result<Opened<WatchFile>, FileFault> WatchFile::open(const std::string& path) {
  auto opened = RecordFile::open(path, watched, to_write);
  if (!opened) return Failure{opened.error()};
  RecordFile file = std::move(opened).value();
  auto put = file.database().prepare(put_row);
  if (!put) return Failure{put.error()};
  auto remove = file.database().prepare("DELETE FROM watched WHERE thing=?1");
  if (!remove) return Failure{remove.error()};
  Opened<WatchFile> ready;
  ready.file.reset(
      new WatchFile(std::move(file), std::move(put).value(), std::move(remove).value()));
  return ready;
}

Content<WatchedThing> WatchFile::read() {
  return read_all<Watched>(file_.database());
}

std::optional<FileFault> WatchFile::write(const Changes::Map& changes,
                                          const std::function<bool()>& is_late) {
  auto fault = file_.database().run("BEGIN IMMEDIATE");
  if (!fault) fault = write_rows(changes, is_late);
  if (!fault) fault = file_.database().run("COMMIT");
  if (fault) file_.database().roll_back();
  return fault;
}

std::optional<FileFault> WatchFile::write_rows(const Changes::Map& changes,
                                               const std::function<bool()>& is_late) {
  for (const auto& [thing, row] : changes) {
    if (is_late()) return FileFault{FileFault::Kind::late, "was not written in time"};
    Statement& statement = row ? put_ : remove_;
    statement.bind_text(0, thing);
    if (row) {
      statement.bind(1, row->asked);
      statement.bind_blob(2, row->told);
      statement.bind(3, checksum(thing, row->asked, row->told));
    }
    if (auto fault = statement.run()) return fault;
  }
  return std::nullopt;
}

}  // namespace jobs_bridge::store

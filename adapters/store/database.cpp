#include "adapters/store/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "adapters/files/system_text.h"
#include "bridge/text/hex.h"

namespace jobs_bridge::store {
namespace {

FileFault::Kind kind_of(int code) {
  // A disk that returns other data than was written, or none, counts as damage.
  if (code == SQLITE_IOERR_READ || code == SQLITE_IOERR_CORRUPTFS) return FileFault::Kind::damaged;
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a statement that does not fit the schema
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return FileFault::Kind::damaged;
    case SQLITE_FULL:
      return FileFault::Kind::full;
    case SQLITE_NOMEM:
      return FileFault::Kind::no_memory;
    default:
      return FileFault::Kind::unusable;
  }
}

FileFault fault_of(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) {
    return {.kind = FileFault::Kind::unusable, .message = "is in use by another process"};
  }
  if (code == SQLITE_READONLY_DIRECTORY) {
    return {.kind = FileFault::Kind::unusable,
            .message = "is in a directory that cannot be written to"};
  }
  if ((code & 0xff) == SQLITE_FULL) {
    const char* path = sqlite3_db_filename(database, "main");
    return no_space_for(path == nullptr ? "" : path, /*may_be_at_limit=*/true);
  }
  FileFault fault{.kind = kind_of(code), .message = sqlite3_errmsg(database)};
  if (fault.kind != FileFault::Kind::damaged) fault.message.insert(0, "cannot be used: ");
  const int cause = sqlite3_system_errno(database);
  const bool is_of_the_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (is_of_the_system && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG)) {
    fault.kind = FileFault::Kind::full;
  }
  if (is_of_the_system && cause != 0) {
    fault.message += " (" + files::system_text(cause) + ")";
  } else if ((code & 0xff) == SQLITE_IOERR) {
    fault.message += " (SQLite code " + std::to_string(code) + ")";
  }
  return fault;
}

}  // namespace

FileFault no_space_for(const std::string& path, bool may_be_at_limit) {
  // Less than this may be free on a disk that has no space for a page and what goes with it.
  constexpr std::uintmax_t little = 64U << 10U;
  std::error_code unknown;
  const auto space = std::filesystem::space(std::filesystem::path(path).parent_path(), unknown);
  const auto free =
      unknown ? std::string() : " (" + std::to_string(space.available >> 10U) + " KiB free)";
  if (may_be_at_limit && !unknown && space.available >= little) {
    return {.kind = FileFault::Kind::at_limit,
            .message = "has reached its maximum size, while its disk still has space" + free};
  }
  return {.kind = FileFault::Kind::full, .message = "has no space: its disk is full" + free};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter + 1, value);
}

void Statement::bind_null(int parameter) {
  sqlite3_bind_null(statement_.get(), parameter + 1);
}

void Statement::bind_text(int parameter, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), parameter + 1, value.data(), value.size(), nullptr,
                      SQLITE_UTF8);
}

void Statement::bind_blob(int parameter, std::string_view value) {
  // No address would be bound as NULL.
  sqlite3_bind_blob64(statement_.get(), parameter + 1, value.empty() ? "" : value.data(),
                      value.size(), nullptr);
}

Result<bool, FileFault> Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return Failure{fault_of(sqlite3_db_handle(statement_.get()))};
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::optional<FileFault> Statement::run() {
  const auto done = step();
  sqlite3_reset(statement_.get());
  return done ? std::nullopt : std::optional(done.error());
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Result<Database, FileFault> Database::open(const std::string& path) {
  return open(path, SQLITE_OPEN_READWRITE);
}

Result<Database, FileFault> Database::open_to_look(const std::string& path) {
  // SQLite percent-decodes the path of a URI.
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += '%';
      append_hex(uri, c);
    } else {
      uri += c;
    }
  }
  return open(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

Result<Database, FileFault> Database::open(const std::string& name, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<sqlite3, Close> database(handle);
  if (!database)
    return Failure{FileFault{FileFault::Kind::no_memory, "cannot be opened: out of memory"}};
  if (code != SQLITE_OK) return Failure{fault_of(handle)};
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 1000);
  // The schema of a file that was tampered with must not run code.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return Database(std::move(database));
}

Result<Statement, FileFault> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    return Failure{fault_of(database_.get())};
  }
  return Statement(statement);
}

std::optional<FileFault> Database::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return std::nullopt;
  }
  return fault_of(database_.get());
}

Result<std::string, FileFault> Database::value(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return Failure{statement.error()};
  const auto row = statement.value().step();
  if (!row) return Failure{row.error()};
  return std::string(*row ? statement.value().bytes(0) : "");
}

bool Database::is_read_only() const {
  return sqlite3_db_readonly(database_.get(), "main") == 1;
}

void Database::checkpoint_when_closed(bool wanted) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

void Database::roll_back() {
  if (sqlite3_get_autocommit(database_.get()) == 0) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Database::set_chunk_size(int bytes) {
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

void Database::count_log_pages() {
  const auto count = [](void* pages, sqlite3*, const char*, int in_log) {
    *static_cast<std::size_t*>(pages) = static_cast<std::size_t>(in_log);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), count, log_pages_.get());
}

}  // namespace jobs_bridge::store

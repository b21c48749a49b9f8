#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace jobs_bridge::store {

/// Why an operation on the file failed.
struct FileFault {
  enum class Kind {
    damaged,    ///< the file does not contain what was written
    full,       ///< the disk, for now; the same connection may succeed later
    at_limit,   ///< the file is as large as it may be, for now
    no_memory,  ///< for now
    unusable,   ///< because of the path, permissions, the device or another process
    late,       ///< the deadline has passed
  };
  Kind kind = Kind::unusable;
  /// Completes the name of the file: "is in use by another process".
  std::string message;
};

/// Whether the file is in order, and the same connection may succeed later, perhaps at once with
/// something smaller.
constexpr bool is_for_want_of_space(FileFault::Kind kind) {
  using Kind = FileFault::Kind;
  return kind == Kind::full || kind == Kind::at_limit || kind == Kind::no_memory;
}

/// The fault of a write for which there was no space: says how much there is. Asks the disk.
/// `may_be_at_limit`: the file's own maximum size may be the cause; SQLite does not say which it
/// is.
FileFault no_space_for(const std::string& path, bool may_be_at_limit = false);

/// A prepared statement for repeated use. It must not outlive its Database.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Columns and parameters by their index, from 0. Bound data must live until run() returns.
  void bind(int parameter, std::int64_t value);
  void bind_null(int parameter);
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  /// Returns whether there is a (further) row.
  Result<bool, FileFault> step();
  /// Executes a statement that returns no rows; it can be reused afterwards.
  std::optional<FileFault> run();
  [[nodiscard]] std::int64_t integer(int column) const;
  /// The bytes of a text or a blob, valid until the next step.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A connection to an existing database file. Used by one thread at a time.
class Database {
 public:
  static Result<Database, FileFault> open(const std::string& path);
  /// To read what the file itself holds, without its write-ahead log: nothing is created or
  /// changed, and another process may be using it.
  static Result<Database, FileFault> open_to_look(const std::string& path);

  Result<Statement, FileFault> prepare(const char* sql);
  /// Executes statements whose results are not needed.
  std::optional<FileFault> run(const char* sql);
  /// The first column of the first row; empty if there is none.
  Result<std::string, FileFault> value(const char* sql);

  [[nodiscard]] bool is_read_only() const;
  /// Whether closing writes the contents of the write-ahead log into the file, which is the
  /// default.
  void checkpoint_when_closed(bool wanted);
  void roll_back();
  /// Makes the file grow and shrink in steps of so many bytes.
  void set_chunk_size(int bytes);
  /// Enables log_pages().
  void count_log_pages();
  /// How many pages of the write-ahead log are in use, as of this connection's last commit.
  [[nodiscard]] std::size_t log_pages() const { return *log_pages_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  static Result<Database, FileFault> open(const std::string& name, int flags);
  explicit Database(std::unique_ptr<sqlite3, Close> database) : database_(std::move(database)) {}

  std::unique_ptr<std::size_t> log_pages_ = std::make_unique<std::size_t>(0);
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace jobs_bridge::store

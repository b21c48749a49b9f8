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

/// Why something with the file did not work.
struct FileFault {
  enum class Kind {
    damaged,   ///< what is in the file is not what was written
    full,      ///< for now; the same connection may succeed later
    unusable,  ///< the path, the rights, the device, another process
    late,      ///< there was no time
  };
  Kind kind = Kind::unusable;
  /// Completes the name of the file: "is in use by another process".
  std::string message;
};

/// A statement that is used again and again. It must not outlive its Database.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Columns and parameters by their index, from 0. What is bound must live until run() returns.
  void bind(int parameter, std::int64_t value);
  void bind_null(int parameter);
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  /// Whether there is a (further) row.
  Result<bool, FileFault> step();
  /// Carries it out, for one that returns no rows; it can be used again then.
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

/// A connection to a database file that is there. Used by one thread at a time.
class Database {
 public:
  static Result<Database, FileFault> open(const std::string& path);

  Result<Statement, FileFault> prepare(const char* sql);
  /// Carries out statements that return nothing of interest.
  std::optional<FileFault> run(const char* sql);
  /// The first column of the first row; empty if there is none.
  Result<std::string, FileFault> value(const char* sql);

  [[nodiscard]] bool is_read_only() const;
  /// Whether closing brings what is in the log of writes into the file, as it does unless told
  /// otherwise.
  void checkpoint_when_closed(bool wanted);
  void roll_back();
  /// Has the file grow and shrink in steps of so many bytes.
  void set_chunk_size(int bytes);
  /// From now on log_pages() is known.
  void count_log_pages();
  /// How many pages the log of writes has in use, as of this connection's last commit.
  [[nodiscard]] std::size_t log_pages() const { return *log_pages_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(std::unique_ptr<sqlite3, Close> database) : database_(std::move(database)) {}

  std::unique_ptr<std::size_t> log_pages_ = std::make_unique<std::size_t>(0);
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace jobs_bridge::store

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace jobs_bridge::store {

/// A directory on a disk that keeps no more than it must: what was written to a file since the last
/// fsync() of that file, and which names are new, gone or changed since the last one of the
/// directory, a power cut takes back. It sees the calls of the whole process, SQLite's too, and
/// there is one at a time.
class ForgetfulDisk {
 public:
  /// What is there already is kept.
  explicit ForgetfulDisk(std::string directory);
  ~ForgetfulDisk();
  ForgetfulDisk(const ForgetfulDisk&) = delete;
  ForgetfulDisk& operator=(const ForgetfulDisk&) = delete;

  /// Files by their names, without those that SQLite makes anew at each start.
  using Image = std::map<std::string, std::shared_ptr<const std::string>>;
  /// What a power cut now would leave: nothing that need not be there.
  [[nodiscard]] Image image() const;
  /// What power cuts until now could have left, each once: just before every write and after every
  /// sync nothing that need not be there, and the same with all of one file.
  using Seen = std::function<void(const Image&)>;
  void set_seen(Seen seen);

  /// The next sync of a file whose name ends so fails, and what it was to keep is forgotten for
  /// good unless it is written again.
  void fail_next_sync(const std::string& name_end);
  [[nodiscard]] bool has_failed() const;
  /// Whether syncs return, from now on.
  static void set_confirms(bool wanted);
  [[nodiscard]] static int unconfirmed();

  /// Of the functions that stand in for the C library's.
  static int sync(int file, int (*real)(int));
  static ssize_t write(int file, const void* data, std::size_t size, off_t at);

 private:
  struct File {
    std::shared_ptr<const std::string> kept = std::make_shared<std::string>();
    std::vector<std::pair<std::size_t, std::size_t>> written;  ///< and not kept: where, how much
  };
  [[nodiscard]] std::map<std::string, ino_t> names_now() const;
  [[nodiscard]] Image image_locked() const;
  void report_locked();
  int sync_locked(int file, int (*real)(int));

  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<ino_t, File> files_;
  std::map<std::string, ino_t> names_;  ///< that are kept
  std::string failing_;
  bool has_failed_ = false;
  Seen seen_;
};

}  // namespace jobs_bridge::store

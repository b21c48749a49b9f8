#pragma once

#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace jobs_bridge::testing_support {

/// A disk that takes a write and does not come back for as long as a test wants: stands between
/// SQLite and the logs of writes of all files that are opened while it is installed.
class DiskGate {
 public:
  static DiskGate& instance() {
    static DiskGate gate;
    return gate;
  }

  void install() {
    system_ = sqlite3_vfs_find(nullptr);
    files_ = *system_;
    files_.zName = "gate";
    files_.pNext = nullptr;
    files_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      return instance().open(name, file, flags, out);
    };
    if (sqlite3_vfs_register(&files_, 1) != SQLITE_OK) throw std::runtime_error("no VFS");
  }
  void remove() {
    sqlite3_vfs_register(system_, 1);
    sqlite3_vfs_unregister(&files_);
  }

  void shut() { set(is_shut_, true); }
  void open() {
    let_pass(0);
    set(is_shut_, false);
  }
  /// While it is shut: lets so many transactions pass.
  void let_pass(int commits) {
    const std::lock_guard lock(mutex_);
    commits_ = commits;
    changed_.notify_all();
  }
  bool wait_until_somebody_waits() { return wait(is_waiting_); }
  bool wait_until_the_file_is_closed() { return wait(is_closed_); }

 private:
  int open(const char* name, sqlite3_file* file, int flags, int* out) {
    const int code = system_->xOpen(system_, name, file, flags, out);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
    methods_ = file->pMethods;
    gated_ = *methods_;
    gated_.xWrite = [](sqlite3_file* opened, const void* data, int size, sqlite3_int64 at) {
      instance().pass(static_cast<const char*>(data), size);
      return instance().methods_->xWrite(opened, data, size, at);
    };
    gated_.xClose = [](sqlite3_file* opened) {
      const int closed = instance().methods_->xClose(opened);
      instance().set(instance().is_closed_, true);
      return closed;
    };
    file->pMethods = &gated_;
    is_closed_ = false;
    return code;
  }
  void pass(const char* data, int size) {
    std::unique_lock lock(mutex_);
    is_waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_shut_ || commits_ > 0; });
    is_waiting_ = false;
    if (commits_ == 0) return;
    // A page comes after the header of its frame, which is not zero from the fifth byte to the
    // eighth if the page is the last one of a transaction.
    if (size != frame_header_size) {
      if (std::exchange(is_last_page_, false)) --commits_;
    } else {
      is_last_page_ =
          std::string_view(data, frame_header_size).substr(4, 4) != std::string_view("\0\0\0\0", 4);
    }
  }
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    changed_.notify_all();
  }
  bool wait(const bool& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return what; });
  }

  sqlite3_vfs* system_ = nullptr;
  sqlite3_vfs files_{};
  const sqlite3_io_methods* methods_ = nullptr;
  sqlite3_io_methods gated_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_shut_ = false;
  bool is_waiting_ = false;
  bool is_closed_ = false;
  static constexpr int frame_header_size = 24;
  int commits_ = 0;
  bool is_last_page_ = false;
};

}  // namespace jobs_bridge::testing_support

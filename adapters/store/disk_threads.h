#pragma once

#include <pthread.h>

#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bridge/ports/log.h"

namespace jobs_bridge::store {

/// Forwards to a log until it is detached: for a thread that may outlive that log.
class DetachableLog final : public Log {
 public:
  explicit DetachableLog(Log& inner) : inner_(&inner) {}

  [[nodiscard]] bool enabled(Severity severity) const override {
    const std::lock_guard lock(mutex_);
    return inner_ != nullptr && inner_->enabled(severity);
  }
  using Log::write;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override {
    const std::lock_guard lock(mutex_);
    if (inner_ != nullptr) inner_->write(severity, event, fields);
  }
  /// Waits for a line that is being written; the inner log is not used after it.
  void detach() {
    const std::lock_guard lock(mutex_);
    inner_ = nullptr;
  }

 private:
  mutable std::mutex mutex_;
  Log* inner_;
};

/// The threads that access a store's file. A disk may block one indefinitely: so they own what they
/// use and share (`Work`), which outlives the store if necessary. Work::stop() makes them finish
/// and end, and returns false if they did not in time; Work::abandon() gives them up: they do not
/// use the log any more.
template <typename Work>
class DiskThreads {
 public:
  struct Thread {
    const char* name;  ///< as the system shows it; 15 characters at most
    void (Work::*run)();
  };

  DiskThreads(std::shared_ptr<Work> work, std::initializer_list<Thread> threads)
      : work_(std::move(work)) {
    threads_.reserve(threads.size());
    try {
      for (const auto& [name, run] : threads) {
        threads_.emplace_back([work = work_, run = run] { ((*work).*run)(); });
        pthread_setname_np(threads_.back().native_handle(), name);
      }
    } catch (const std::exception&) {
      end(false);
      throw;
    }
  }
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;
  ~DiskThreads() { end(true); }

  Work* operator->() const { return work_.get(); }

 private:
  /// `complete`: all threads have been started, so that none is waited for in vain.
  void end(bool complete) {
    const bool ended = work_->stop() && complete;
    if (!ended) work_->abandon();
    for (auto& thread : threads_) ended ? thread.join() : thread.detach();
  }

  const std::shared_ptr<Work> work_;
  std::vector<std::thread> threads_;
};

}  // namespace jobs_bridge::store

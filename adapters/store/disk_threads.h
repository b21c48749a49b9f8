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

#include "bridge/ports.h"

namespace jobs_bridge::store {

/// Passes on what is written until it is detached: for a thread that may outlive the log.
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

/// The threads that touch a store's file. A disk may hold one for ever: so what they do and share
/// (`Work`) is theirs too, and outlives the store if it must. Work::stop() has them finish and end,
/// and is false if they did not in time; Work::abandon() lets go of them: they use the log no more.
template <typename Work>
class DiskThreads {
 public:
  struct Thread {
    const char* name;  ///< as the system shows it, 15 characters at most
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
  /// `complete`: all threads have begun, so that none is waited for in vain.
  void end(bool complete) {
    const bool ended = work_->stop() && complete;
    if (!ended) work_->abandon();
    for (auto& thread : threads_) ended ? thread.join() : thread.detach();
  }

  const std::shared_ptr<Work> work_;
  std::vector<std::thread> threads_;
};

}  // namespace jobs_bridge::store

#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/connection.h"
#include "tests/load/options.h"
#include "tests/load/progress.h"
#include "tests/load/tally.h"

namespace jobs_load {

/// One run: connects, subscribes, asks as the options say, and counts. One thread does it all.
class Load {
 public:
  /// Once `stopping` is true no more is asked, and the run ends when what is under way has. It must
  /// outlive this.
  Load(const Options& options, const std::atomic<bool>& stopping);

  /// Throws std::runtime_error, with the cause, when the broker refuses or is gone.
  Tally::Summary run();

 private:
  struct Reply {
    Tally::Sequence sequence;
    std::string rejection;  ///< its code; empty: accepted
  };

  void connect();
  void subscribe();
  void ask(std::size_t thing, Time due, bool counts);
  /// Open loop: when the next request is due.
  [[nodiscard]] Time next_due() const;
  void ask_what_is_due(Time now);
  void take_reply(std::string_view topic, std::string_view payload);
  void account_for_replies();
  void free(std::size_t thing);
  [[nodiscard]] Operation next_operation();
  [[nodiscard]] std::string request_topic(std::size_t thing, Operation operation) const;
  /// Waits for the sockets until `until` at most and serves them.
  void serve(Time until);
  [[nodiscard]] bool has_asked_all(Time now) const;
  [[nodiscard]] std::string name(std::size_t thing) const;

  const Options options_;
  const std::atomic<bool>& stopping_;
  /// Before and after the number in a client token; random, so that other runs' replies are not
  /// ours.
  const std::string mark_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Reply> replies_;
  Tally tally_;
  std::optional<Progress> progress_;
  std::mt19937_64 random_;
  Time next_tending_;

  std::deque<std::size_t> idle_;    ///< closed loop: the longest idle first
  std::vector<std::size_t> order_;  ///< open loop
  std::size_t next_in_order_ = 0;
  Time start_;                 ///< when the first request was due
  Time measuring_;             ///< when the measurement began
  std::size_t due_count_ = 0;  ///< open loop: requests sent since the start
  std::size_t counted_ = 0;    ///< requests that belong to the measurement
};

}  // namespace jobs_load

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace jobs_load {

using Time = std::chrono::steady_clock::time_point;

/// What became of every request.
///
/// A latency runs from the moment when a request was due to the moment when its reply was there. In
/// an open loop that is not when it was sent: whatever kept the generator from sending in time kept
/// the device waiting too, and leaving it out would hide the very stalls that are looked for
/// (coordinated omission).
class Tally {
 public:
  using Sequence = std::uint64_t;

  /// `patience`: a reply that takes longer is late, and its request lost.
  explicit Tally(std::chrono::duration<double> patience) : patience_(patience) {}

  /// A request of the thing is on its way; `counts`: it belongs to the measurement.
  Sequence asked(std::size_t thing, Time due, bool counts);

  /// A reply with this number came. The thing, if it was the first reply to its request and in
  /// time. What was overdue by then must have been given up: see expire().
  std::optional<std::size_t> answered(Sequence sequence, Time now);
  /// What a rejection said; to be called after answered(), if that returned a thing.
  void rejected(const std::string& code);

  /// A request that was due could not be asked, for want of a connection.
  void skipped() { ++summary_.skipped; }

  /// Gives up on what has waited for too long; the things whose requests those were. Costs nothing
  /// where there is nothing to give up.
  std::vector<std::size_t> expire(Time now);

  [[nodiscard]] std::size_t outstanding() const { return outstanding_.size(); }

  struct Summary {
    std::uint64_t requests = 0;  ///< that count
    std::uint64_t replies = 0;   ///< to them, each counted once
    std::uint64_t lost = 0;
    std::uint64_t skipped = 0;     ///< due, but never asked; not among the requests
    std::uint64_t late = 0;        ///< replies to requests that had been given up
    std::uint64_t duplicates = 0;  ///< further replies to a request
    std::map<std::string, std::uint64_t> rejections = {};
    double seconds = 0;  ///< from the first request due to the last reply
    /// Latencies, in milliseconds. A lost request is in them with the patience, which it took at
    /// least: to leave it out would hide the worst.
    double mean = 0;
    double p50 = 0;
    double p90 = 0;
    double p99 = 0;
    double p999 = 0;
    double longest = 0;
  };
  /// What is outstanding counts as lost.
  [[nodiscard]] Summary summary() const;

 private:
  struct Request {
    std::size_t thing = 0;
    Time due;
    bool counts = false;
  };
  const std::chrono::duration<double> patience_;
  std::unordered_map<Sequence, Request> outstanding_;
  /// By number: what became of it. A byte each, so that a duplicate is known for what it is.
  enum class Fate : std::uint8_t { open, answered, lost };
  std::vector<Fate> fates_;
  Sequence oldest_ = 0;  ///< no older one is outstanding
  /// In microseconds; all of them, so that every percentile is exact.
  std::vector<std::uint32_t> latencies_;
  std::optional<Time> first_due_;
  Time last_reply_;
  bool last_counts_ = false;
  Summary summary_;
};

}  // namespace jobs_load

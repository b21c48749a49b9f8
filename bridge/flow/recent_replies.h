#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "bridge/jobs/message.h"

namespace jobs_bridge {

/// The replies to the last updates. A broker that has not had our acknowledgement, because the
/// connection broke, hands an update over once more. It has been carried out by then, so the
/// endpoint would refuse it because of the version that the update itself created. The device must
/// get the same reply as before.
///
/// Bounded by number and by bytes; the oldest go first. Not thread-safe.
class RecentReplies {
 public:
  /// A hash of everything that distinguishes a message from others of its thing; never 0.
  static std::uint32_t fingerprint_of(const Message& message) {
    std::uint64_t hash = 0;
    for (const std::string_view part :
         {std::string_view(message.topic), std::string_view(message.payload),
          std::string_view(message.response_topic), std::string_view(message.correlation_data)}) {
      hash = hash * 0x9e3779b97f4a7c15U + std::hash<std::string_view>()(part);
    }
    const auto folded = static_cast<std::uint32_t>(hash ^ hash >> 32U);
    return folded == 0 ? 1 : folded;
  }

  void add(std::uint32_t fingerprint, const Publication& reply) {
    const auto [it, inserted] = replies_.try_emplace(fingerprint);
    if (inserted) order_.push_back(fingerprint);
    bytes_ += size_of(reply) - size_of(it->second);
    it->second = reply;
    while (order_.size() > max_count || bytes_ > max_bytes) {
      const auto oldest = replies_.find(order_.front());
      bytes_ -= size_of(oldest->second);
      replies_.erase(oldest);
      order_.pop_front();
    }
  }

  /// Null if it is not among them.
  [[nodiscard]] const Publication* find(std::uint32_t fingerprint, std::uint64_t thing) const {
    const auto found = replies_.find(fingerprint);
    const bool known = found != replies_.end() && found->second.thing == thing;
    return known ? &found->second : nullptr;
  }

 private:
  static constexpr std::size_t max_count = 1000;
  static constexpr std::size_t max_bytes = std::size_t{1} << 20U;
  static std::size_t size_of(const Publication& reply) {
    return reply.topic.size() + reply.payload.size() + reply.correlation_data.size();
  }

  std::unordered_map<std::uint32_t, Publication> replies_;
  std::deque<std::uint32_t> order_;
  std::size_t bytes_ = 0;
};

}  // namespace jobs_bridge

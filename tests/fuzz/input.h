#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jobs_bridge::fuzz {

/// An input that is taken apart from its beginning. What is asked for beyond its end is 0 or empty,
/// so that every input means something.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool is_empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const auto one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  /// The low byte first.
  std::uint32_t number() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) value |= std::uint32_t{byte()} << shift;
    return value;
  }
  std::string_view take(std::size_t size) {
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() { return take(rest_.size()); }
  /// Up to the next `mark` or the end; the mark is left out. Seeds with marks can be read and
  /// written in an editor.
  std::string_view until(std::string_view mark) {
    const auto taken = take(std::min(rest_.find(mark), rest_.size()));
    take(mark.size());
    return taken;
  }
  std::string_view line() { return until("\n"); }

 private:
  std::string_view rest_;
};

}  // namespace jobs_bridge::fuzz

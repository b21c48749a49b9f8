#include "tests/simulation/story.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace jobs_bridge::simulation {
namespace {

/// What a person reads, and how much of a long line.
constexpr std::size_t max_lines = 80;
constexpr std::size_t longest = 200;

/// Worlds begin at one hour.
constexpr MonotonicTime beginning{std::chrono::hours(1)};

}  // namespace

void Story::tell(MonotonicTime now, std::string_view who, std::string_view what) {
  if (lines_.size() >= max_lines) {
    lines_.erase(lines_.begin());
    ++left_out_;
  }
  std::array<char, 40> time{};
  std::snprintf(time.data(), time.size(), "%12.6f s  ",
                std::chrono::duration<double>(now - beginning).count());
  auto line = std::string(time.data()) + std::string(who);
  line.resize(std::max<std::size_t>(line.size(), 28), ' ');
  lines_.push_back(line + std::string(what.substr(0, longest)) +
                   (what.size() > longest ? "..." : ""));
}

std::string Story::text() const {
  std::string text;
  if (left_out_ > 0) text += "  (" + std::to_string(left_out_) + " lines before are left out)\n";
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

}  // namespace jobs_bridge::simulation

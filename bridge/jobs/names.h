#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jobs_bridge {

/// The name of a thing: 1 to 128 of `[a-zA-Z0-9:_-]` (AWS IoT data model, ThingName). A value of
/// this type is safe to put into a URL path and into a topic, which is why there is no other way
/// to make one than parse().
class ThingName {
 public:
  static std::optional<ThingName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The rule for names, for use in messages.
  static constexpr std::string_view rule =
      "1 to 128 characters from a-z, A-Z, 0-9, ':', '_' and '-'";

  friend bool operator==(const ThingName&, const ThingName&) = default;

 private:
  explicit ThingName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The job that a request names: its id, or `$next`, which stands for the first pending one. The
/// endpoint judges which ids are valid (AWS IoT data model, JobId: 1 to 64 of `[a-zA-Z0-9_-]`);
/// here only names are refused that cannot be one level of a topic and, escaped, one segment of a
/// URL path. A value of this type is safe in a topic; in a path it must be escaped.
class JobName {
 public:
  static std::optional<JobName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_next() const { return text_ == "$next"; }
  static constexpr std::string_view rule =
      "1 to 256 bytes without control characters, '/', '+' and '#', and neither '.' nor '..'";

  friend bool operator==(const JobName&, const JobName&) = default;

 private:
  explicit JobName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace jobs_bridge

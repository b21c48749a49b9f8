#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace jobs_bridge {

/// A list of things, each by its name or by a pattern: a name in which `*` stands for any number of
/// characters, also none. Upper and lower case differ, as in names.
class ThingList {
 public:
  ThingList() = default;
  /// Elements that are not valid match nothing.
  explicit ThingList(const std::vector<std::string>& elements);

  [[nodiscard]] bool contains(std::string_view thing) const;
  [[nodiscard]] bool empty() const { return names_.empty() && patterns_.empty(); }

  static bool is_valid(std::string_view element);
  /// The rule for elements, for use in messages.
  static constexpr std::string_view rule =
      "1 to 128 characters from a-z, A-Z, 0-9, ':', '_', '-' and '*', which stands for any "
      "characters";

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> names_;
  std::vector<std::string> patterns_;
};

}  // namespace jobs_bridge

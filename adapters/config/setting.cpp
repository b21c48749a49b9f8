#include "adapters/config/setting.h"

#include <utility>

namespace jobs_bridge::config {

Setting setting_in_one_piece(const Key& key, std::string value, Origin origin) {
  Setting setting{.key = &key, .value = {}, .elements = {}, .origin = std::move(origin)};
  if (!is_list(key.type.kind)) {
    setting.value = std::move(value);
    return setting;
  }
  for (auto& element : split_list(value)) {
    setting.elements.push_back({.value = std::move(element), .line = setting.origin.line});
  }
  return setting;
}

}  // namespace jobs_bridge::config

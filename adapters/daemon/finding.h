#pragma once

#include <cstdint>
#include <string>

namespace jobs_bridge {

/// The result of checking one thing that the bridge will need.
struct Finding {
  enum class Level : std::uint8_t {
    ok,
    warning,  ///< it works, but not as it should; or it cannot be told whether it does
    fault,
  };
  std::string name;
  Level level = Level::ok;
  std::string text;
  std::string hint;  ///< empty: nothing to do; may also be set if all is well, as an improvement
};

}  // namespace jobs_bridge

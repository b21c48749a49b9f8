#pragma once

#include <string>

namespace jobs_bridge {

/// The result of checking one thing that the bridge will need.
struct Finding {
  std::string name;
  bool good = false;
  std::string text;
  std::string hint;  ///< empty: nothing to do; may also be set if all is well, as an improvement
  /// It works, but not as it should. Of what is good.
  bool doubtful = false;
};

}  // namespace jobs_bridge

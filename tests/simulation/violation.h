#pragma once

#include <stdexcept>
#include <string>

namespace jobs_bridge::simulation {

/// The bridge has broken a promise.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void promise(bool kept, const char* what) {
  if (!kept) throw Violation(what);
}
/// `details` is called only for a broken one.
template <typename Details>
void promise(bool kept, const char* what, const Details& details) {
  if (!kept) throw Violation(std::string(what) + ": " + details());
}

}  // namespace jobs_bridge::simulation

#pragma once

#include <stdexcept>
#include <string>

namespace jobs_bridge::simulation {

/// The bridge has broken a promise.
class Violation : public std::runtime_error {
 public:
  explicit Violation(const char* what, const std::string& details = {})
      : std::runtime_error(details.empty() ? what : what + (": " + details)), promise_(what) {}

  /// Which one, without the details.
  [[nodiscard]] const std::string& promise() const { return promise_; }

 private:
  std::string promise_;
};

inline void promise(bool kept, const char* what) {
  if (!kept) throw Violation(what);
}
/// `details` is called only for a broken one.
template <typename Details>
void promise(bool kept, const char* what, const Details& details) {
  if (!kept) throw Violation(what, details());
}

}  // namespace jobs_bridge::simulation

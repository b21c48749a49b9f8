#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace jobs_bridge::fuzz {

/// Ends the program where a promise is broken, which both libFuzzer and ctest take for a failure.
inline void promise(bool kept, std::string_view what) {
  if (kept) return;
  std::fprintf(stderr, "not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace jobs_bridge::fuzz

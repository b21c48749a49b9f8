#pragma once

#include <cstdint>
#include <string_view>

#include "bridge/flow/effects.h"
#include "bridge/jobs/http.h"
#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// One number for all that the bridge did, and when: two runs that differ in a single effect differ
/// in it. FNV-1a.
class Digest {
 public:
  /// What the bridge published, recorded and settled.
  void add(MonotonicTime now, const Effects& effects) {
    for (const auto& publication : effects.publications) {
      add(now);
      add(publication.topic);
      add(publication.payload);
    }
    for (const auto& entry : effects.recorded) add(now, entry.number, 'r');
    for (const auto number : effects.settled) add(now, number, 's');
    for (const auto& watched : effects.watched) add(watched.thing);
    for (const auto& forgotten : effects.forgotten) add(forgotten);
  }
  /// A call that it made.
  void add(MonotonicTime now, const HttpRequest& call) {
    add(now);
    add(call.method);
    add(call.target);
    add(call.body);
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void add(std::uint64_t number) { value_ = (value_ ^ number) * 0x100000001b3U; }
  void add(MonotonicTime now) { add(static_cast<std::uint64_t>(now.time_since_epoch().count())); }
  void add(MonotonicTime now, std::uint64_t number, char what) {
    add(now);
    add(number);
    add(static_cast<std::uint64_t>(what));
  }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  }

  std::uint64_t value_ = 0;
};

}  // namespace jobs_bridge::simulation

#pragma once

#include <cstdint>

#include "bridge/jobs/message.h"
#include "tests/simulation/asked.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/endpoint_model.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/shape.h"

namespace jobs_bridge::simulation {

/// What devices ask for. They know their executions' versions, as far as those depend on
/// themselves, and sometimes get them wrong.
class Devices {
 public:
  Devices(const Shape& shape, std::uint64_t seed) : shape_(shape), dice_(seed) {}

  std::uint32_t some_thing() { return static_cast<std::uint32_t>(dice_.below(shape_.things)); }
  /// The next request of a thing.
  Asked ask(std::uint32_t thing, const EndpointModel& endpoint, const Ledger& ledger);
  /// The message that carries it, with this client token.
  static Message message_of(const Asked& asked, AskedNumber number);

 private:
  void ask_update(Asked& asked, const EndpointModel& endpoint, const Ledger& ledger);
  void choose_extras(Asked& asked);

  const Shape& shape_;
  Dice dice_;
  std::uint64_t next_mark_ = 1;
};

}  // namespace jobs_bridge::simulation

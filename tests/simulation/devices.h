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
  explicit Devices(const Shape& shape) : shape_(shape) {}

  /// The next request of a thing.
  Asked ask(Dice& dice, std::uint32_t thing, const EndpointModel& endpoint, const Ledger& ledger);
  /// The message that carries it, with this client token.
  static Message message_of(const Asked& asked, AskedNumber number);

 private:
  void ask_update(Dice& dice, Asked& asked, const EndpointModel& endpoint, const Ledger& ledger);
  void choose_extras(Dice& dice, Asked& asked) const;

  const Shape& shape_;
  std::uint64_t next_mark_ = 1;
};

}  // namespace jobs_bridge::simulation

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "adapters/mqtt/outbox.h"
#include "bridge/ports/publisher.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// The way to the devices: the Outbox that the daemon has, over a connection that comes and goes,
/// takes nothing for a while, and acknowledges late. That everything arrives at the broker, and
/// what is for one thing in the order in which it was decided, is judged here.
class BrokerModel final : public Publisher {
 public:
  using Clock = std::function<MonotonicTime()>;

  /// `window`: the broker's Receive Maximum. `agenda` must outlive it. Not connected at
  /// first.
  BrokerModel(Agenda& agenda, Clock clock, std::size_t window, std::uint64_t seed);

  /// Told of each update whose reply has arrived, or never will.
  void report_taken(std::function<void(std::uint64_t)> on_taken) {
    on_taken_ = std::move(on_taken);
  }

  void queue(Publication publication) override;
  void flush() override;

  [[nodiscard]] bool connected() const { return connected_; }
  /// The share of attempts to send that a connection refuses, which is its end.
  void set_blocked(double share) { blocked_ = share; }
  void disconnect();
  /// Does nothing if it is.
  void connect();
  /// The bridge's process ends: what it kept is gone.
  void forget();
  [[nodiscard]] bool empty() const { return outbox_.empty(); }
  using Sequence = mqtt::Outbox::Sequence;
  /// Of what was queued last in this life of the process.
  [[nodiscard]] Sequence last_queued() const { return last_queued_; }
  /// How much of what was queued up to there has not arrived yet.
  [[nodiscard]] std::size_t missing_until(Sequence last) const;
  /// How long so many take at most while nothing goes wrong.
  [[nodiscard]] Duration time_for(std::size_t publications) const;

 private:
  struct Packet {
    Sequence sequence;
    std::uint64_t thing;
  };
  void arrive(const Packet& packet);
  void acknowledge(Sequence sequence);
  void tell_taken();
  /// Happens later, if the connection still lives then.
  void later(std::function<void()> what);

  Agenda& agenda_;
  const Clock clock_;
  const std::size_t window_;
  Dice dice_;
  mqtt::Outbox outbox_;
  Sequence last_queued_ = mqtt::Outbox::nobody;
  std::unordered_map<std::uint64_t, std::deque<Sequence>> expected_;  ///< by thing
  /// And not acknowledged; the things that they are for.
  std::map<Sequence, std::uint64_t> arrived_;
  MonotonicTime last_event_{};
  double blocked_ = 0;
  std::function<void(std::uint64_t)> on_taken_;
  std::uint64_t connection_ = 0;
  bool connected_ = false;
};

}  // namespace jobs_bridge::simulation

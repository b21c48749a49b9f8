#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/bridge.h"
#include "tests/simulation/broker_model.h"
#include "tests/simulation/devices.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/endpoint_model.h"
#include "tests/simulation/journal_model.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/shape.h"

namespace jobs_bridge::simulation {

/// What has been simulated.
struct Totals {
  std::uint64_t worlds = 0;
  std::uint64_t requests = 0;
  std::uint64_t calls = 0;
  std::uint64_t replies = 0;
  std::uint64_t accepted = 0;
  std::uint64_t ends = 0;  ///< of bridges, by a crash or orderly
  Duration time{};
  std::uint64_t fingerprint = 0;  ///< the same for the same run

  void add(const Totals& other);
  [[nodiscard]] std::string text() const;
};

/// Devices, broker, bridge, network, disk and endpoint in virtual time. The same shape and seed
/// make the same run.
///
/// Of the daemon it runs the whole core as it is, bridge/flow/driver included, and the MQTT side's
/// outbox (adapters/mqtt/outbox). Left out, and seen to by tests of their own:
/// - who carries out the driver's orders: the dispatcher with its lock, the event loop and its
/// fibers;
/// - the MQTT libraries, the sender around the outbox, sessions and the canary: a message comes
/// once,
///   and never counts as kept for long;
/// - HTTP, TLS, signing and the credential keeper: a call has an outcome;
/// - the journal's file and the thread that writes it: the journal keeps what bridge/ports.h
/// promises;
/// - the store of watched things, whose things are forgotten when the bridge ends.
class World {
 public:
  World(Shape shape, std::uint64_t seed);

  /// Lets devices ask until the shape's length has passed.
  void run_traffic();
  /// Devices are silent, the weather is fair: everything that is held must be delivered.
  void settle();

  void run_until(MonotonicTime end);
  void run_for(Duration duration) { run_until(now_ + duration); }
  /// A device sends a request now; what it is chooses chance.
  AskedNumber send(std::uint32_t thing);
  AskedNumber send(Asked asked);
  void set_weather(const Weather& weather) { endpoint_.set_weather(weather); }

  // What run_traffic() lets happen now and then, at once; what exactly, the dice say.
  void request();
  void change_weather();
  void cancel_a_job();
  void add_a_job();
  void jump_the_clock();
  void fill_the_disk();
  void stall();
  void lose_the_broker();
  void end_the_bridge();

  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] Dice& dice() { return dice_; }
  [[nodiscard]] Agenda& agenda() { return agenda_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const EndpointModel& endpoint() const { return endpoint_; }
  [[nodiscard]] const Bridge& bridge() const { return *bridge_; }
  [[nodiscard]] Totals totals() const;

 private:
  struct Under {
    Bridge::Begun begun;
    Fate fate;
  };

  [[nodiscard]] Now clock() const;
  void every(Duration mean, void (World::*what)());
  void repeat(Duration mean, void (World::*what)());

  /// What waits at the broker, as far as the bridge reads it now.
  void hand_over();
  [[nodiscard]] bool is_stalled() const { return now_ < stalled_until_; }
  [[nodiscard]] MonotonicTime next_ring() const;
  void fire_timer();
  void connect_to_broker();
  void look_after_broker();
  void begin_call(const Bridge::Begun& begun);
  void end_call(std::uint64_t call);
  void start_bridge();
  void stop_bridge(bool cut_power);
  void end_in_order();
  void stop_once_drained();
  /// The numbers of the calls, in order.
  [[nodiscard]] std::vector<std::uint64_t> under_way() const;

  Shape shape_;
  Dice dice_;
  Agenda agenda_;
  EndpointModel endpoint_;
  JournalModel journal_;
  BrokerModel broker_;
  Ledger ledger_;
  Digest digest_;
  Devices devices_;
  std::optional<Bridge> bridge_;
  MonotonicTime now_{std::chrono::hours(1)};
  MonotonicTime traffic_ends_;
  MonotonicTime stalled_until_{};  ///< the event loop
  bool reconnecting_ = false;
  bool process_stalled_ = false;  ///< and all else with it
  Duration timer_late_{};         ///< by so much the next time
  std::int64_t clock_offset_;
  /// What nobody has read yet, in the order in which it was sent, which is the broker's.
  std::deque<AskedNumber> at_broker_;
  std::unordered_map<std::uint64_t, Under> calls_;
  std::uint64_t next_call_ = 0;
  std::uint64_t calls_before_ = 0;  ///< of former lives
  std::uint64_t ends_ = 0;
};

}  // namespace jobs_bridge::simulation

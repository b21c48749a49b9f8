#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bridge/flow/engine.h"
#include "bridge/time.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/weather.h"

namespace jobs_bridge::simulation {

/// What a world is like. Means of times between events of 0: there are none.
struct Shape {
  /// What can go wrong at all; how much of it, the rest says.
  Faults faults = Faults::all();
  EngineSettings engine = {};
  std::uint32_t things = 10;
  std::size_t connections = 8;
  std::size_t jobs = 3;  ///< of each thing, at the beginning

  Duration length = std::chrono::minutes(2);  ///< of the traffic
  Duration between_requests = std::chrono::milliseconds(50);
  double start_next = 0.3;  ///< shares of the operations; the rest are updates
  double get = 0.1;
  double describe = 0.1;
  double ends_jobs = 0.4;  ///< share of the updates
  double repeats = 0;      ///< the same request again with another token
  double floods = 0;       ///< many requests of one thing at once
  double expires = 0;
  double invalid = 0;
  double response_topic = 0;

  Duration between_weathers{};
  Weather weather = Weather::fair();  ///< at the beginning
  /// After the traffic nothing gets through for so long: what waits pauses as long as it ever does.
  Duration last_outage{};
  /// So many things have a weather of their own all the time: their calls alone fail.
  std::uint32_t failing_things = 0;
  Weather failing_weather = Weather::fair();
  Duration between_cancellations{};
  Duration between_new_jobs{};
  Duration between_clock_jumps{};
  bool clock_unset = false;  ///< 1970 at first
  Duration between_ends{};   ///< of the process or the machine
  double orderly = 0.3;      ///< share of those ends that are shutdowns
  double power_cuts = 0.3;
  Duration between_full_disks{};

  /// Calls are signed with credentials that live so long, if at all, whose source gives none now
  /// and then, and which the endpoint refuses from some moment on.
  Duration credentials_life{};
  Duration between_lost_credentials{};
  Duration between_refused_credentials{};

  /// Messages come on a thread of the MQTT library's, beside the event loop, which is woken for
  /// them.
  bool callbacks_apart = false;
  /// The journal takes so long for an update, at most; other events happen meanwhile.
  Duration recording_time{};
  /// The loop is so late for its timer, and for what wakes it, at most.
  Duration timer_lateness{};
  /// The event loop, or the whole process, stands still for up to `longest_stall`: calls that have
  /// ended, messages that have come and timers are seen after it.
  Duration between_stalls{};
  Duration longest_stall{};

  /// The connection to the broker ends, also by not taking what is sent: this share of it. Of what
  /// it takes the broker refuses a share.
  Duration between_broker_losses{};
  double blocked = 0;
  double refused = 0;
  std::size_t receive_maximum = 65535;
  /// The link dies without a word: the broker keeps what devices send until that is noticed.
  Duration between_dead_links{};
  Duration keep_alive = std::chrono::seconds(15);

  /// The latest that something due may come.
  [[nodiscard]] Duration lateness() const {
    return timer_lateness + longest_stall + recording_time;
  }

  static Shape random(Dice& dice);
  /// The same without what belongs to other kinds of fault.
  [[nodiscard]] Shape with_only(const Faults& those) const;
  [[nodiscard]] std::string describe_world() const;
};

}  // namespace jobs_bridge::simulation

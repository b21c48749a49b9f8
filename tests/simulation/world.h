#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bridge/ports/publisher.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/bridge.h"
#include "tests/simulation/broker_model.h"
#include "tests/simulation/credentials_model.h"
#include "tests/simulation/devices.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/endpoint_model.h"
#include "tests/simulation/incoming_model.h"
#include "tests/simulation/journal_model.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/script.h"
#include "tests/simulation/shape.h"
#include "tests/simulation/story.h"
#include "tests/simulation/transitions.h"

namespace jobs_bridge::simulation {

/// Calls whose credentials the endpoint refused at first.
struct SigningCounts {
  std::uint64_t worlds = 0;  ///< that had any
  std::uint64_t refused = 0;
  std::uint64_t sent_again = 0;     ///< of those, with others
  std::uint64_t accepted_then = 0;  ///< of those again

  void add(const SigningCounts& other);
};

/// What has been simulated.
struct Totals {
  std::uint64_t worlds = 0;
  std::uint64_t requests = 0;
  std::uint64_t calls = 0;
  std::uint64_t replies = 0;
  std::uint64_t accepted = 0;
  std::uint64_t ends = 0;  ///< of bridges, by a crash or orderly
  SigningCounts signing = {};
  double longest_settling = 0;  ///< as a share of what it may take
  Duration time{};
  std::uint64_t fingerprint = 0;  ///< the same for the same run
  Coverage coverage = {};
  Transitions transitions = {};

  void add(const Totals& other);
  [[nodiscard]] std::string text() const;
};

/// What a test adds to a world.
struct Extras {
  /// Told what happens.
  Story* story = nullptr;
  /// Stands between the bridge and the broker.
  std::function<std::unique_ptr<Publisher>(Publisher& broker)> between = {};
};

/// Devices, broker, bridge, network, disk and endpoint in virtual time. The same shape and seed
/// make the same run.
///
/// Of the daemon it runs the whole unmodified core, bridge/flow/driver included; of the MQTT side
/// what decides: sender and outbox, and the monitor of the link with its canary; and what decides
/// about credentials (adapters/aws/credential_renewal). Left out, and seen to by tests of their
/// own:
/// - who carries out the driver's orders: the dispatcher with its lock, the event loop and its
/// fibers;
/// - the MQTT libraries and the thread that connects with them: a message comes once, the broker
/// has a session for it and refuses neither subscriptions nor canaries;
/// - HTTP, TLS and signatures: a call has an outcome, and is sent once more with other credentials
///   as adapters/aws/signing_endpoint does it, but for the corrections of its clock;
/// - the sources of credentials, and the thread that asks them: there is one, which never returns
///   as a better one among several;
/// - the journal's file and the threads that write it: the journal keeps what
/// bridge/ports/journal.h promises. Whether those threads keep it, worlds of their own show
/// (tests/simulation/journal);
/// - the store of watched things, whose things are forgotten when the bridge ends.
class World {
 public:
  World(Shape shape, std::uint64_t seed, Extras extras = {});

  /// Lets devices ask, and things go wrong, until the shape's length has passed.
  void run_traffic();
  /// The same, as text.
  void run_traffic(const Script& script);
  /// Devices are silent and nothing goes wrong any more: all that waits must be answered, and all
  /// that is held delivered, within the time that it takes at the quota (see liveness.h).
  void settle();

  void run_until(MonotonicTime end);
  void run_for(Duration duration) { run_until(now_ + duration); }
  /// A device sends a request now; what it is chooses chance.
  AskedNumber send(std::uint32_t thing);
  AskedNumber send(Asked asked);
  void set_weather(const Weather& weather) { endpoint_.set_weather(weather); }

  /// Of what settle() had to wait for, and may have waited for.
  struct Settling {
    Duration took{};
    Duration bound{};
  };
  [[nodiscard]] const Settling& settling() const { return settling_; }

  // What happens in scripts, at once; how exactly, the dice say.
  /// A device asks, or asks again.
  void request(std::uint32_t thing);
  void change_weather();
  void cancel_a_job(std::uint32_t thing);
  void add_a_job(std::uint32_t thing);
  void jump_the_clock();
  void fill_the_disk();
  void stall();
  void lose_the_broker();
  void let_the_link_die();
  void lose_the_credentials();
  void refuse_the_credentials();
  void end_the_bridge();

  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] Dice& dice() { return dice_; }
  [[nodiscard]] Agenda& agenda() { return agenda_; }
  [[nodiscard]] CredentialsModel& credentials() { return credentials_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const EndpointModel& endpoint() const { return endpoint_; }
  [[nodiscard]] const Bridge& bridge() const { return *bridge_; }
  [[nodiscard]] Totals totals() const;

 private:
  /// A call under way: it waits for credentials, or has been sent and ends as its fate says.
  struct Under {
    Bridge::Begun begun;
    Fate fate = {};
    aws::CredentialsPointer credentials = {};  ///< it is signed with
    MonotonicTime signed_at{};
    bool refused = false;  ///< at first, for its credentials
    bool again = false;    ///< sent once more
  };

  [[nodiscard]] Now clock() const;
  void play(const Script& script, MonotonicTime begin, std::size_t next);
  void happen(const Happening& what);
  /// Lets what is broken come back, but for the endpoint's state.
  void end_faults();
  [[nodiscard]] bool is_done() const;
  template <typename Text>
  void tell(std::string_view who, const Text& text) {
    if (extras_.story != nullptr) extras_.story->tell(now_, who, text());
  }

  /// What has come from the broker, as far as the bridge reads it now.
  void hand_over();
  /// The update that was received last is recorded: at once, or after a while.
  void record();
  [[nodiscard]] bool is_stalled() const { return now_ < stalled_until_; }
  [[nodiscard]] MonotonicTime next_ring() const;
  void fire_timer();
  void connect_to_broker();
  void look_after_broker();
  void begin_call(const Bridge::Begun& begun);
  void sign_call(std::uint64_t call, const aws::CredentialsPointer& credentials);
  void send_call(std::uint64_t call, Under& under);
  void hear_answer(std::uint64_t call, Under& under);
  void send_again(std::uint64_t call, Under& under);
  /// The next step of a call that has not ended with its bridge, once the event loop runs.
  void go_on(std::uint64_t call, const std::function<void(Under&)>& step);
  void end_call(std::uint64_t call, Under& under);
  void start_bridge();
  void stop_bridge(bool cut_power);
  void end_in_order();
  void stop_once_drained();
  /// The numbers of the calls, in order.
  [[nodiscard]] std::vector<std::uint64_t> under_way() const;

  Shape shape_;
  Extras extras_;
  Dice dice_;
  Dice lateness_dice_;
  Agenda agenda_;
  EndpointModel endpoint_;
  CredentialsModel credentials_;
  JournalModel journal_;
  BrokerModel broker_;
  IncomingModel incoming_;
  std::unique_ptr<Publisher> between_;  ///< it and the bridge, if anything is
  Ledger ledger_;
  Digest digest_;
  Devices devices_;
  std::optional<Bridge> bridge_;
  MonotonicTime now_{std::chrono::hours(1)};
  MonotonicTime stalled_until_{};  ///< the event loop
  bool reconnecting_ = false;
  bool process_stalled_ = false;       ///< and all else with it
  MonotonicTime stood_still_until_{};  ///< the process, last
  Duration timer_late_{};              ///< by so much the next time
  Duration recording_time_;            ///< as Shape::recording_time, until the faults end
  std::int64_t clock_offset_;
  std::unordered_map<std::uint64_t, Under> calls_;
  std::uint64_t next_call_ = 0;
  std::uint64_t calls_before_ = 0;  ///< of former lives
  Transitions transitions_before_;
  std::uint64_t ends_ = 0;
  SigningCounts signing_;
  Settling settling_;
};

}  // namespace jobs_bridge::simulation

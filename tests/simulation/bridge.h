#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "bridge/flow/driver.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/publisher.h"
#include "bridge/time.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/journal_model.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/pace.h"
#include "tests/simulation/story.h"

namespace jobs_bridge::simulation {

/// One life of the bridge: the Driver that the daemon runs, whose orders the world carries out and
/// the ledger judges. A wake-up that it fails to ask for is a violation.
class Bridge {
 public:
  /// A call goes out to the endpoint; its outcome goes to call_ended().
  struct Begun {
    Driver::Start start;
    std::optional<AskedNumber> asked;  ///< nothing: a poll
    QuotaKind quota;

    [[nodiscard]] const Call& call() const { return start.call; }
  };
  using Send = std::function<void(const Begun&)>;

  /// What it works with and who looks on. They must outlive it.
  struct Around {
    Ledger& ledger;
    JournalModel& journal;
    Publisher& publisher;
    Digest& digest;
    Story* story;  ///< or null
  };

  /// Takes over what the journal kept. Its timer is due at once.
  Bridge(Now now, const EngineSettings& settings, std::size_t connections, const Around& around,
         Send send);

  /// `apart`: on a thread of the MQTT library's, which leaves calls to the event loop. Whether it
  /// is an update that is to be recorded: then no other message is received before record().
  bool receive(Now now, AskedNumber number, Message message, bool apart);
  [[nodiscard]] bool is_recording() const { return recording_.has_value(); }
  void record(Now now, bool apart);
  void call_ended(Now now, const Begun& begun, bool carried_out, const HttpOutcome& outcome);
  [[nodiscard]] MonotonicTime due() const { return driver_.due(); }
  void fire_timer(Now now);
  void reply_ended(Now now, std::uint64_t update);
  void drain(Now now, Duration timeout);
  [[nodiscard]] bool draining() const { return driver_.draining(); }
  [[nodiscard]] bool drained() const { return driver_.drained().has_value(); }
  /// Once it is drained, of a call still under way: it is broken off.
  void break_off(Now now, const Begun& begun);
  /// Checks, just before `then`, that no timer was missed; nothing happens until then.
  void check_nothing_missed(Now then) const;

  [[nodiscard]] bool is_idle() const { return engine().is_idle(); }
  [[nodiscard]] Engine::Counts counts() const { return engine().counts(); }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] const TransitionCounts& transitions() const { return engine().transitions(); }
  /// Publications that were decided.
  [[nodiscard]] std::uint64_t published() const { return published_; }

 private:
  [[nodiscard]] const Engine& engine() const { return driver_.engine(); }
  void end_message(Now now, Driver::Orders& orders, bool apart);
  /// What the driver ordered for an event.
  void carry_out(Now now, Driver::Orders& orders);
  void settle(Now now, const Effects& effects);
  void publish(Now now, const Effects& effects);
  void begin(Now now, Driver::Start start);
  void check_bounds() const;

  EngineSettings settings_;
  std::size_t connections_;
  Ledger& ledger_;
  JournalModel& journal_;
  Publisher& publisher_;
  Digest& digest_;
  Story* story_;
  Send send_;
  Pace pace_;
  std::size_t restored_bytes_ = 0;
  Driver driver_;
  std::optional<JournalEntry> recording_;
  std::size_t under_way_ = 0;
  bool unsent_ = false;  ///< something was published and not ordered to be sent
  bool drain_reported_ = false;
  double spare_rings_ = 100;  ///< wake-ups by the timer with nothing to do that are still allowed
  MonotonicTime last_ring_{};
  std::uint64_t calls_ = 0;
  std::uint64_t published_ = 0;
};

}  // namespace jobs_bridge::simulation

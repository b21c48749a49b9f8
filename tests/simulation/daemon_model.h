#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bridge/flow/engine.h"
#include "bridge/time.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/journal_model.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/pace.h"

namespace jobs_bridge::simulation {

/// One life of the bridge: an engine, run as the daemon runs it. Workers ask for calls only when
/// they are woken and whenever they have ended one; a timer sleeps until Engine::next_tick() and is
/// recalled when that comes nearer. A wake-up that the engine fails to ask for is a violation.
class DaemonModel {
 public:
  /// A call goes out to the endpoint; its outcome goes to answered().
  struct Begun {
    Call call;
    std::optional<AskedNumber> asked;  ///< nothing: a poll
    QuotaKind quota;
  };
  using Send = std::function<void(const Begun&)>;

  DaemonModel(const EngineSettings& settings, std::size_t connections, Ledger& ledger,
              JournalModel& journal, Digest& digest, Send send);

  /// Takes over what the journal kept.
  void restore(Now now);
  void receive(Now now, AskedNumber number, Message message);
  void answered(Now now, const Begun& begun, bool carried_out, const HttpOutcome& outcome);
  /// When the timer rings.
  [[nodiscard]] MonotonicTime sleeps_until() const { return sleeps_until_; }
  void ring(Now now);
  void refuse_new_requests() { engine_.refuse_new_requests(); }
  void abandon(Now now);
  /// After abandon(), of a call still under way: it is broken off.
  void break_off(Now now, const Begun& begun);
  /// That nobody sleeps through something, asked just before `then`, up to which nothing happens.
  void check_nothing_missed(Now then) const;

  [[nodiscard]] bool is_idle() const { return engine_.is_idle(); }
  [[nodiscard]] Engine::Counts counts() const { return engine_.counts(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t slowed_down() const { return slowed_down_; }

 private:
  void wake();
  void run_workers(Now now);
  void begin(Now now, Call call, bool poll, bool reachable);
  /// Applies the effects, lets the workers run and recalls the timer.
  void settle(Now now, Effects& effects);
  void apply(Now now, Effects& effects);
  void check_bounds() const;

  EngineSettings settings_;
  Engine engine_;
  Ledger& ledger_;
  JournalModel& journal_;
  Digest& digest_;
  Send send_;
  Pace pace_;
  std::size_t workers_;
  std::size_t idle_;
  std::size_t woken_ = 0;
  std::size_t unserved_wakes_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t restored_bytes_ = 0;
  MonotonicTime sleeps_until_ = MonotonicTime::min();
  double spare_rings_ = 100;  ///< rings for nothing that are allowed yet
  MonotonicTime last_ring_{};
  std::uint64_t calls_ = 0;
  std::uint64_t slowed_down_ = 0;
};

}  // namespace jobs_bridge::simulation

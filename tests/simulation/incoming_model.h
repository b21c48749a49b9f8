#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "adapters/mqtt/liveness_monitor.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/asked.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// The way from the devices: a broker that keeps in order what they send while the bridge has no
/// connection, or one that has died without a word. How long a message may have waited, and whether
/// the link is dead, is decided by the LivenessMonitor that the daemon has, whose canaries take the
/// same way. That it is never wrong by more than it allows itself is judged here.
class IncomingModel {
 public:
  /// What it works with. They must outlive it.
  struct Around {
    Agenda& agenda;
    std::function<MonotonicTime()> clock;
    /// Until when the process has stood still last, or still does.
    std::function<MonotonicTime()> stood_still_until;
    /// Whether publications that the broker may not take are under way: see Sender.
    std::function<bool()> has_suspects;
    /// There is something to read.
    std::function<void()> on_ready;
    /// The monitor, or else the library, has found that the link is dead.
    std::function<void()> on_dead;
  };
  IncomingModel(Around around, Duration keep_alive, std::uint64_t seed);

  /// A process begins, without a connection.
  void begin();
  /// The process ends.
  void end();
  void connected();
  /// Does nothing if there is no connection.
  void disconnected();
  /// From now on nothing gets through, until the connection ends.
  void die();
  /// The broker has answered a publication that is no canary.
  void acknowledged() {
    if (monitor_) monitor_->acknowledged();
  }
  /// What was sent before now may have waited although the process ran: behind an update that a
  /// slow disk took long for, or for the event loop.
  void excuse(MonotonicTime until) { excused_until_ = std::max(excused_until_, until); }

  void send(AskedNumber number) { stream_.push_back({.content = number, .sent = around_.clock()}); }
  /// The next request on the connection, after what comes before it.
  std::optional<AskedNumber> next();
  /// How long that request has waited since it was sent.
  [[nodiscard]] Duration waited() const { return around_.clock() - read_sent_; }
  /// The request that next() returned has been made a message: tells it how long it may have waited
  /// as the bridge sees it.
  void arrived(Message& message);

  [[nodiscard]] bool is_dead() const { return dead_; }
  /// Whether messages that arrive now are known not to have waited.
  [[nodiscard]] bool caught_up() const { return monitor_ && monitor_->caught_up(); }

 private:
  struct Canary {
    std::string payload;
  };
  struct Accepted {};  ///< the broker's acknowledgement of a canary
  struct Granted {};   ///< its answer to the subscriptions
  struct Item {
    std::variant<AskedNumber, Canary, Accepted, Granted> content;
    MonotonicTime sent;
  };

  void tend();
  void wake_at(MonotonicTime due);
  void publish(std::string payload);
  void later(std::function<void()> what);
  void note_blindness();
  void look_at_dead_link(MonotonicTime since);
  [[nodiscard]] Duration time_to_notice() const;

  const Around around_;
  const Duration keep_alive_;
  Dice dice_;
  std::unique_ptr<mqtt::LivenessMonitor> monitor_;  ///< of the process, if there is one
  std::uint64_t process_ = 0;
  std::uint64_t connection_ = 0;
  bool connected_ = false;
  bool dead_ = false;
  bool subscribed_ = false;
  bool blind_ = false;  ///< canaries prove nothing on this connection
  MonotonicTime began_{};
  MonotonicTime last_event_{};
  MonotonicTime wake_at_ = MonotonicTime::max();
  MonotonicTime excused_until_ = MonotonicTime::min();
  /// A link was dead until then, and its connection ended before the monitor could find out.
  MonotonicTime dead_until_ = MonotonicTime::min();
  MonotonicTime read_sent_{};  ///< when the request was sent that next() returned last
  /// From the broker, not read yet.
  std::deque<Item> stream_;
};

}  // namespace jobs_bridge::simulation

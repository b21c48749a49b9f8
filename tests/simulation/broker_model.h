#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/mqtt/sender.h"
#include "bridge/ports/log.h"
#include "bridge/ports/publisher.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// The way to the devices: the Sender that the daemon has, with its Outbox, over a connection that
/// comes and goes, takes nothing for a while, acknowledges late, and refuses some publications, for
/// now or for good. That everything arrives at the broker, and what is for one thing in the order
/// in which it was decided, is judged here: all but what the broker refused.
class BrokerModel final : public Publisher, private mqtt::Sender::Link, private Log {
 public:
  using Clock = std::function<MonotonicTime()>;

  /// `window`: the broker's Receive Maximum. `agenda` must outlive it. Not connected at
  /// first.
  BrokerModel(Agenda& agenda, Clock clock, std::size_t window, std::uint64_t seed);

  /// Told of each update whose reply has arrived, or never will.
  void report_ended_replies(std::function<void(std::uint64_t)> on_replies_ended) {
    on_replies_ended_ = std::move(on_replies_ended);
  }

  /// Told of each publication that the broker has answered.
  void report_acknowledged(std::function<void()> on_acknowledged) {
    on_acknowledged_ = std::move(on_acknowledged);
  }

  void queue(Publication publication) override;
  void flush() override { sender_->flush(); }

  [[nodiscard]] bool connected() const { return connected_; }
  /// The share of attempts to send that a connection refuses, which is its end.
  void set_blocked(double share) { blocked_ = share; }
  /// The share of publications that the broker refuses, most of them for now.
  void set_refused(double share) { refused_ = share; }
  void disconnect();
  /// From now on nothing arrives in either direction, until the connection ends.
  void die() { dead_ = true; }
  /// See Sender.
  [[nodiscard]] bool has_suspects() const { return sender_->has_suspects(); }
  /// Does nothing if it is.
  void connect();
  /// The bridge's process ends: what it kept is gone.
  void forget();
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
  // Of the link.
  SendResult hand_over(Sequence sequence, const Publication& publication,
                       mqtt::Refusal& why) noexcept override;
  void send_gathered() noexcept override {}
  // Of the log: the sender says there what it gives up.
  [[nodiscard]] bool enabled(Severity severity) const override;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override;

  std::unique_ptr<mqtt::Sender> make_sender();
  void wake_at(MonotonicTime due);
  void arrive(const Packet& packet);
  void refuse(const Packet& packet);
  void acknowledge(Sequence sequence);
  void gave_up(Sequence sequence);
  /// Happens later, if the connection still lives then.
  void later(std::function<void()> what);

  Agenda& agenda_;
  const Clock clock_;
  const std::size_t window_;
  Dice dice_;
  std::unique_ptr<mqtt::Sender> sender_;
  std::uint64_t process_ = 0;
  MonotonicTime wake_at_ = MonotonicTime::max();
  Sequence last_queued_ = 0;
  std::unordered_map<std::uint64_t, std::deque<Sequence>> expected_;  ///< by thing
  /// Refused at least once: they may arrive whenever, or never.
  std::map<Sequence, std::uint64_t> overtaken_;
  /// And not acknowledged; the things that they are for.
  std::map<Sequence, std::uint64_t> arrived_;
  MonotonicTime last_event_{};
  double blocked_ = 0;
  double refused_ = 0;
  std::function<void(std::uint64_t)> on_replies_ended_;
  std::function<void()> on_acknowledged_;
  std::uint64_t connection_ = 0;
  bool connected_ = false;
  bool dead_ = false;
};

}  // namespace jobs_bridge::simulation

#include "tests/simulation/broker_model.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "bridge/text/parse_number.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;
using mqtt::Evidence;
using mqtt::Refusal;

constexpr Duration max_latency = 20ms;
/// The sender's longest pause before it sends again what was refused for now.
constexpr Duration max_pause = 5s;

}  // namespace

BrokerModel::BrokerModel(Agenda& agenda, Clock clock, std::size_t window, std::uint64_t seed)
    : agenda_(agenda),
      clock_(std::move(clock)),
      window_(window),
      dice_(seed),
      sender_(make_sender()) {}

std::unique_ptr<mqtt::Sender> BrokerModel::make_sender() {
  auto sender = std::make_unique<mqtt::Sender>(
      mqtt::Outbox::Limits{}, static_cast<Log&>(*this),
      [this](const std::string&) {
        // Not at once: the sender is in the middle of a flush.
        agenda_.at(clock_(), [this, connection = connection_] {
          if (connection == connection_) disconnect();
        });
      },
      [this] { wake_at(sender_->due()); }, clock_);
  sender->report_ended_replies([this](const std::vector<std::uint64_t>& updates) {
    for (const auto update : updates) {
      if (on_replies_ended_) on_replies_ended_(update);
    }
  });
  return sender;
}

/// As the connection's thread does, which waits for what is due, and flushes.
void BrokerModel::wake_at(MonotonicTime due) {
  if (due >= wake_at_) return;
  wake_at_ = due;
  agenda_.at(due, [this, due, process = process_] {
    if (process != process_ || due != wake_at_) return;
    wake_at_ = MonotonicTime::max();
    sender_->flush();
    wake_at(sender_->due());
  });
}

void BrokerModel::queue(Publication publication) {
  expected_[publication.thing].push_back(++last_queued_);
  // So that the log names the publication.
  publication.topic.insert(0, std::to_string(last_queued_) + "|");
  sender_->queue(std::move(publication));
  promise(sender_->counts().overflowed == 0, "the outbox has room");
}

mqtt::Sender::Link::SendResult BrokerModel::hand_over(Sequence sequence,
                                                      const Publication& publication,
                                                      Refusal& why) noexcept {
  if (dice_.chance(blocked_)) {
    why.detail = "blocked";
    return SendResult::link_failed;
  }
  const Packet packet{.sequence = sequence, .thing = publication.thing};
  const bool fits = sender_->counts().unacknowledged <= window_;
  later([this, packet, fits] {
    promise(fits, "no more is unacknowledged than the broker takes");
    arrive(packet);
  });
  return SendResult::accepted;
}

void BrokerModel::later(std::function<void()> what) {
  // In order, as the bytes of a connection are.
  last_event_ = std::max(last_event_, clock_() + dice_.between(Duration::zero(), max_latency));
  agenda_.at(last_event_, [this, connection = connection_, what = std::move(what)] {
    if (connected_ && !dead_ && connection == connection_) what();
  });
}

void BrokerModel::arrive(const Packet& packet) {
  const auto sequence = packet.sequence;
  auto& expected = expected_[packet.thing];
  const bool first = !expected.empty() && expected.front() == sequence;
  promise(first || arrived_.contains(sequence) || overtaken_.contains(sequence),
          "what is for a thing is published in the order in which it was decided",
          [&] { return std::to_string(sequence); });
  if (first) expected.pop_front();
  if (dice_.chance(refused_)) {
    arrived_.erase(sequence);
    overtaken_.emplace(sequence, packet.thing);
    later([this, packet] { refuse(packet); });
    return;
  }
  overtaken_.erase(sequence);
  arrived_.emplace(sequence, packet.thing);
  later([this, sequence] { acknowledge(sequence); });
}

void BrokerModel::refuse(const Packet& packet) {
  if (on_acknowledged_) on_acknowledged_();
  constexpr std::array kinds{Refusal::Kind::quota_exceeded, Refusal::Kind::unavailable,
                             Refusal::Kind::unavailable, Refusal::Kind::not_authorized};
  sender_->refused(packet.sequence, {.kind = kinds.at(dice_.below(kinds.size())), .detail = {}});
}

void BrokerModel::acknowledge(Sequence sequence) {
  if (on_acknowledged_) on_acknowledged_();
  arrived_.erase(sequence);
  sender_->acknowledged(sequence);
}

bool BrokerModel::enabled(Severity /*severity*/) const {
  return true;
}

void BrokerModel::write(Severity /*severity*/, std::string_view /*event*/,
                        std::initializer_list<Field> fields) {
  bool nothing = false;
  std::string_view topic;
  for (const auto& field : fields) {
    nothing = nothing || (field.name == "instead" && field.value == "nothing");
    if (field.name == "topic") topic = field.value;
  }
  if (!nothing) return;
  const auto sequence = parse_number<Sequence>(topic.substr(0, topic.find('|')));
  promise(sequence.has_value(), "the simulation is sound");
  gave_up(*sequence);
}

/// However innocent: what ended connections is unknown.
void BrokerModel::gave_up(Sequence sequence) {
  overtaken_.erase(sequence);
  arrived_.erase(sequence);
  for (auto& [thing, expected] : expected_) std::erase(expected, sequence);
}

void BrokerModel::disconnect() {
  if (!std::exchange(connected_, false)) return;
  sender_->end();
  sender_->recall(dice_.chance(0.5) ? Evidence::none : Evidence::strong);
}

void BrokerModel::connect() {
  if (std::exchange(connected_, true)) return;
  ++connection_;
  dead_ = false;
  last_event_ = clock_();
  sender_->begin(*this, window_);
  sender_->flush();
}

std::size_t BrokerModel::missing_until(Sequence last) const {
  auto missing = static_cast<std::size_t>(
      std::ranges::count_if(overtaken_, [last](const auto& one) { return one.first <= last; }));
  for (const auto& [thing, expected] : expected_) {
    missing += static_cast<std::size_t>(
        std::ranges::count_if(expected, [last](Sequence one) { return one <= last; }));
  }
  return missing;
}

Duration BrokerModel::time_for(std::size_t publications) const {
  // One at a time while there are suspects: there and back. What polls publish meanwhile for other
  // things has its turn as well.
  return (publications + 1) * 4 * max_latency + 1s + max_pause;
}

void BrokerModel::forget() {
  ++process_;
  ++connection_;
  connected_ = false;
  sender_->end();
  sender_ = make_sender();
  wake_at_ = MonotonicTime::max();
  expected_.clear();
  overtaken_.clear();
  arrived_.clear();
  last_queued_ = 0;
}

}  // namespace jobs_bridge::simulation

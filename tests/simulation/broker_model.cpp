#include "tests/simulation/broker_model.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration most_latency = 20ms;

}  // namespace

BrokerModel::BrokerModel(Agenda& agenda, Clock clock, std::size_t window, std::uint64_t seed)
    : agenda_(agenda), clock_(std::move(clock)), window_(window), dice_(seed), outbox_({}) {}

void BrokerModel::queue(Publication publication) {
  const auto thing = publication.thing;
  const auto dropped = outbox_.push(std::move(publication));
  promise(dropped == 0, "the outbox has room");
  expected_[thing].push_back(++last_queued_);
}

void BrokerModel::flush() {
  while (connected_) {
    const auto entry = outbox_.next();
    if (!entry) return;
    promise(outbox_.unacknowledged() <= window_, "no more is unacknowledged than the broker takes");
    if (dice_.chance(blocked_)) {
      outbox_.take_back(entry->sequence);
      disconnect();
      return;
    }
    const Packet packet{.sequence = entry->sequence, .thing = entry->publication.thing};
    later([this, packet] { arrive(packet); });
  }
}

void BrokerModel::later(std::function<void()> what) {
  // In order, as the bytes of a connection are.
  last_event_ = std::max(last_event_, clock_() + dice_.between(Duration::zero(), most_latency));
  agenda_.at(last_event_, [this, connection = connection_, what = std::move(what)] {
    if (connected_ && connection == connection_) what();
  });
}

void BrokerModel::arrive(const Packet& packet) {
  auto& expected = expected_[packet.thing];
  if (!expected.empty() && expected.front() == packet.sequence) {
    expected.pop_front();
    arrived_.emplace(packet.sequence, packet.thing);
  } else {
    promise(arrived_.contains(packet.sequence),
            "what is for a thing is published in the order in which it was decided",
            [&] { return std::to_string(packet.sequence); });
  }
  later([this, sequence = packet.sequence] { acknowledge(sequence); });
}

void BrokerModel::acknowledge(Sequence sequence) {
  arrived_.erase(sequence);
  promise(outbox_.done(sequence), "what is acknowledged was under way");
  tell_taken();
  flush();
}

void BrokerModel::tell_taken() {
  for (const auto update : outbox_.take_ended_updates()) {
    if (on_taken_) on_taken_(update);
  }
}

void BrokerModel::disconnect() {
  if (!std::exchange(connected_, false)) return;
  using mqtt::Evidence;
  const auto evidence = dice_.chance(0.5) ? Evidence::none : Evidence::strong;
  if (const auto culprit = outbox_.take_back_all(evidence)) {
    // However innocent: its device hears something in its place, see mqtt::Sender.
    auto& expected = expected_[outbox_.find(*culprit)->publication.thing];
    outbox_.done(*culprit);
    tell_taken();
    if (arrived_.erase(*culprit) == 0) std::erase(expected, *culprit);
  }
}

void BrokerModel::connect() {
  if (std::exchange(connected_, true)) return;
  ++connection_;
  last_event_ = clock_();
  outbox_.set_window(window_);
  flush();
}

std::size_t BrokerModel::missing_until(Sequence last) const {
  std::size_t missing = 0;
  for (const auto& [thing, expected] : expected_) {
    missing += static_cast<std::size_t>(
        std::ranges::count_if(expected, [last](Sequence one) { return one <= last; }));
  }
  return missing;
}

Duration BrokerModel::time_for(std::size_t publications) const {
  // One at a time while there are suspects: there and back. What polls publish meanwhile for other
  // things has its turn as well.
  return (publications + 1) * 4 * most_latency + 1s;
}

void BrokerModel::forget() {
  outbox_ = mqtt::Outbox({});
  outbox_.set_window(window_);
  expected_.clear();
  arrived_.clear();
  last_queued_ = mqtt::Outbox::nobody;
  ++connection_;
}

}  // namespace jobs_bridge::simulation

#include "tests/simulation/incoming_model.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

/// The longest that something takes in one direction.
constexpr Duration max_one_way = 20ms;
constexpr const char* canary_topic = "canary";

/// What the monitor allows itself: a standstill of so long may go unnoticed, and what is sent while
/// a canary is under way.
constexpr Duration unnoticed = 3s + 3 * max_one_way;
/// See BrokerConnection.
constexpr Duration subscribe_limit = 10s;
/// From when a canary that does not come back shows that its link was dead; see Canary.
constexpr Duration canary_overdue = 1s;

}  // namespace

IncomingModel::IncomingModel(Around around, Duration keep_alive, std::uint64_t seed)
    : around_(std::move(around)), keep_alive_(keep_alive), dice_(seed) {}

void IncomingModel::begin() {
  ++process_;
  monitor_ = std::make_unique<mqtt::LivenessMonitor>(
      canary_topic, "process-" + std::to_string(process_), [this] { wake_at(around_.clock()); });
}

void IncomingModel::end() {
  disconnected();
  monitor_.reset();
  wake_at_ = MonotonicTime::max();
}

void IncomingModel::connected() {
  last_event_ = around_.clock();
  connected_ = true;
  dead_ = subscribed_ = false;
  ++connection_;
  began_ = around_.clock();
  blind_ = !monitor_->connecting(began_);
  // The session outlives the connection.
  monitor_->connected(true);
  note_blindness();
  later([this] {
    stream_.push_back({.content = Granted{}, .sent = around_.clock()});
    around_.on_ready();
  });
}

void IncomingModel::disconnected() {
  if (!std::exchange(connected_, false)) return;
  if (std::exchange(dead_, false)) dead_until_ = around_.clock();
  std::erase_if(stream_, [](const Item& item) {
    return std::holds_alternative<Accepted>(item.content) ||
           std::holds_alternative<Granted>(item.content);
  });
  monitor_->ended(around_.clock(), around_.clock());
}

void IncomingModel::die() {
  if (!connected_ || std::exchange(dead_, true)) return;
  look_at_dead_link(around_.clock());
}

Duration IncomingModel::time_to_notice() const {
  return keep_alive_ + keep_alive_ / 2 + max_one_way;
}

void IncomingModel::look_at_dead_link(MonotonicTime since) {
  // While publications are under suspicion no canary is sent for half a keep-alive. Without an
  // answer to the subscriptions the connection's thread gives up.
  const auto due = subscribed_ ? std::max(since, began_ + keep_alive_ / 2) + time_to_notice()
                               : began_ + subscribe_limit;
  around_.agenda.at(due, [this, since, connection = connection_] {
    if (!dead_ || connection != connection_) return;
    if (const auto end = around_.stood_still_until(); end > since) return look_at_dead_link(end);
    promise(blind_ || !subscribed_, "a dead link is noticed within one and a half keep-alives");
    // The library finds out by its pings.
    around_.on_dead();
  });
}

void IncomingModel::later(std::function<void()> what) {
  // In order, as the bytes of a connection are. The first connection costs no time: scenarios begin
  // with a bridge that is ready.
  const auto latency = connection_ == 1 ? Duration() : dice_.between(Duration(), max_one_way);
  last_event_ = std::max(last_event_, around_.clock() + latency);
  around_.agenda.at(last_event_, [this, connection = connection_, what = std::move(what)] {
    if (connected_ && !dead_ && connection == connection_) what();
  });
}

std::optional<AskedNumber> IncomingModel::next() {
  while (!dead_ && !stream_.empty()) {
    const auto item = std::move(stream_.front());
    stream_.pop_front();
    const auto now = around_.clock();
    if (const auto* number = std::get_if<AskedNumber>(&item.content)) {
      read_sent_ = item.sent;
      return *number;
    }
    if (const auto* canary = std::get_if<Canary>(&item.content)) {
      Message message{.topic = canary_topic, .payload = canary->payload};
      promise(monitor_->arrived(now, {}, message), "a canary is no request");
    } else if (std::holds_alternative<Accepted>(item.content)) {
      monitor_->accepted(now);
    } else {
      subscribed_ = true;
      monitor_->subscribed(now, {.keep_alive = keep_alive_});
    }
    note_blindness();
    wake_at(monitor_->due());
  }
  return std::nullopt;
}

void IncomingModel::arrived(Message& message) {
  const auto now = around_.clock();
  promise(!monitor_->arrived(now, {}, message), "a request is no canary");
  note_blindness();
  const auto waited = now - read_sent_;
  if (blind_ || read_sent_ <= excused_until_ || message.kept_for == Duration::max()) return;
  auto allowed = unnoticed;
  if (read_sent_ <= dead_until_) allowed += keep_alive_ / 2 + canary_overdue;
  promise(message.kept_for + allowed >= waited,
          "how long a request may have waited is not underestimated", [&] {
            return std::to_string(waited / 1ms) + " ms, taken for " +
                   std::to_string(message.kept_for / 1ms) + " ms";
          });
}

/// As the connection's thread does.
void IncomingModel::tend() {
  if (!connected_) return;
  const auto now = around_.clock();
  if (const auto end = around_.stood_still_until(); end > now) return wake_at(end);
  const bool hold = around_.has_suspects() && now < began_ + keep_alive_ / 2;
  auto step = monitor_->step(now, {}, hold);
  note_blindness();
  if (step.dead) {
    promise(dead_ || excused_until_ + time_to_notice() >= now, "a link that lives is not given up");
    return around_.on_dead();
  }
  if (step.canary) publish(std::move(step.canary->payload));
  wake_at(monitor_->due());
}

void IncomingModel::publish(std::string payload) {
  later([this, payload = std::move(payload)] {
    stream_.push_back({.content = Canary{payload}, .sent = around_.clock()});
    later([this] {
      stream_.push_back({.content = Accepted{}, .sent = around_.clock()});
      around_.on_ready();
    });
    around_.on_ready();
  });
}

void IncomingModel::wake_at(MonotonicTime due) {
  due = std::max(due, around_.clock());
  if (due == MonotonicTime::max() || due >= wake_at_) return;
  wake_at_ = due;
  around_.agenda.at(due, [this, due, process = process_] {
    if (process != process_ || due != wake_at_) return;
    wake_at_ = MonotonicTime::max();
    tend();
  });
}

void IncomingModel::note_blindness() {
  blind_ = blind_ || !monitor_->state().fault.empty();
}

}  // namespace jobs_bridge::simulation

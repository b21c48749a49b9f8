#include "tests/simulation/bridge.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

/// Rings of the timer that change nothing: so many a second, and for each thing that happens.
constexpr double idle_rings_per_second = 2;
constexpr double idle_rings_per_event = 3;
constexpr double max_spare_rings = 1000;

/// In larger worlds looking at every thing takes too long.
constexpr std::size_t max_things_to_count = 100;

Engine restored(Now now, const EngineSettings& settings, Ledger& ledger, JournalModel& journal) {
  Engine engine(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs"));
  for (const auto& [number, kept] : journal.entries()) {
    promise(engine.restore(now, kept.entry), "what was recorded is restored");
    ledger.restored(now.monotonic, kept.entry, kept.brought_back);
  }
  return engine;
}

}  // namespace

Bridge::Bridge(Now now, const EngineSettings& settings, std::size_t connections,
               const Around& around, Send send)
    : settings_(settings),
      connections_(connections),
      ledger_(around.ledger),
      journal_(around.journal),
      publisher_(around.publisher),
      digest_(around.digest),
      story_(around.story),
      send_(std::move(send)),
      pace_(settings),
      driver_(restored(now, settings, around.ledger, around.journal), connections) {
  restored_bytes_ = counts().update_bytes;
}

bool Bridge::receive(Now now, AskedNumber number, Message message, bool apart) {
  Driver::Orders orders;
  ledger_.received(now.monotonic, number, message);
  driver_.received(now, std::move(message), orders);
  publish(now, orders.effects);
  orders.effects.publications.clear();
  orders.effects.finished.clear();
  ledger_.taken(now.monotonic, number, orders.effects);
  auto entries = std::exchange(orders.effects.recorded, {});
  end_message(now, orders, apart);
  if (!entries.empty()) recording_ = std::move(entries.front());
  return is_recording();
}

void Bridge::record(Now now, bool apart) {
  Driver::Orders orders;
  const auto entry = *std::exchange(recording_, std::nullopt);
  if (const auto fault = journal_.record(now.monotonic, entry)) {
    driver_.not_recorded(now, *fault, orders);
    publish(now, orders.effects);
    orders.effects.publications.clear();
    orders.effects.finished.clear();
    ledger_.not_recorded(entry);
    if (story_ != nullptr) story_->tell(now.monotonic, "journal", "cannot keep it: " + *fault);
  } else {
    driver_.recorded(now, orders);
    ledger_.recorded(now.monotonic, entry);
  }
  end_message(now, orders, apart);
}

void Bridge::end_message(Now now, Driver::Orders& orders, bool apart) {
  if (apart) {
    driver_.defer_calls(now, orders);
    promise(orders.calls.empty(), "the MQTT library's thread makes no call");
  } else {
    driver_.begin_calls(now, orders);
  }
  carry_out(now, orders);
}

void Bridge::call_ended(Now now, const Begun& begun, bool carried_out, const HttpOutcome& outcome) {
  Driver::Orders orders;
  --under_way_;
  if (begun.asked) ledger_.call_ended(now.monotonic, *begun.asked, carried_out, outcome);
  const bool reachable = counts().endpoint_reachable;
  driver_.call_ended(now, begun.start.connection, outcome, orders);
  pace_.ended(now.monotonic, begun.call().id, outcome, reachable, counts().endpoint_reachable);
  carry_out(now, orders);
}

void Bridge::fire_timer(Now now) {
  Driver::Orders orders;
  const auto before = counts();
  const auto calls = calls_;
  driver_.timer_fired(now, orders);
  promise(orders.send == (unsent_ || !orders.effects.publications.empty()),
          "what was published is sent at the next turn");
  promise(due() > now.monotonic, "the timer does not spin");
  carry_out(now, orders);
  const auto after = counts();
  if (last_ring_ != MonotonicTime{}) {
    spare_rings_ +=
        idle_rings_per_second * std::chrono::duration<double>(now.monotonic - last_ring_).count();
  }
  last_ring_ = now.monotonic;
  const bool changed = orders.send || calls != calls_ || before.waiting != after.waiting ||
                       before.pausing != after.pausing || before.held != after.held;
  if (ledger_.things() <= max_things_to_count) {
    promise(after.waiting <= ledger_.awaited(now.monotonic),
            "who no longer waits is not counted as waiting",
            [&] { return std::to_string(after.waiting); });
  }
  if (!changed) --spare_rings_;
  spare_rings_ = std::min(spare_rings_, max_spare_rings);
  promise(spare_rings_ > 0, "the timer does not ring for nothing");
}

void Bridge::reply_ended(Now now, std::uint64_t update) {
  Driver::Orders orders;
  driver_.reply_ended(update, orders);
  digest_.add(now.monotonic, orders.effects);
  settle(now, orders.effects);
}

void Bridge::drain(Now now, Duration timeout) {
  Driver::Orders orders;
  driver_.drain(now, timeout, orders);
  carry_out(now, orders);
}

void Bridge::break_off(Now now, const Begun& begun) {
  Driver::Orders orders;
  --under_way_;
  driver_.call_ended(now, begun.start.connection,
                     HttpFailure{.kind = HttpFailure::Kind::stopped,
                                 .maybe_sent = true,
                                 .detail = "stopped while waiting for the answer"},
                     orders);
  promise(orders.calls.empty(), "a bridge that is drained makes no call");
  carry_out(now, orders);
}

void Bridge::carry_out(Now now, Driver::Orders& orders) {
  auto& effects = orders.effects;
  promise(effects.recorded.empty(), "only a message that is received is recorded");
  spare_rings_ += idle_rings_per_event;
  if (const auto& drained = driver_.drained(); drained && !std::exchange(drain_reported_, true)) {
    ledger_.happened(now.monotonic, Event::drained);
    ledger_.shutting_down();
    promise(settings_.holding.durable || drained->left_to_journal == 0,
            "nothing is left to a journal that is none");
    promise(drained->left_to_journal == counts().updates,
            "what is left to the journal are updates");
  }
  for (const auto& change : effects.endpoint_changes) {
    ledger_.happened(now.monotonic,
                     change.reachable ? Event::circuit_closes : Event::circuit_opens);
  }
  publish(now, effects);
  settle(now, effects);
  if (orders.send) unsent_ = false;
  if (story_ != nullptr) {
    for (const auto& change : effects.endpoint_changes) {
      story_->tell(now.monotonic, "bridge",
                   change.reachable ? "finds the endpoint reachable again"
                                    : "leaves the endpoint alone: " + change.cause);
    }
  }
  for (auto& start : orders.calls) begin(now, std::move(start));
  promise(!unsent_ || due() <= now.monotonic, "what is published is sent at once");
  check_bounds();
  if (orders.send) publisher_.flush();
}

void Bridge::settle(Now now, const Effects& effects) {
  journal_.settle(now.monotonic, effects.settled);
  if (story_ == nullptr) return;
  for (const auto number : effects.settled) {
    story_->tell(now.monotonic, "bridge",
                 "settles entry " + std::to_string(number) + " of the journal");
  }
}

void Bridge::publish(Now now, const Effects& effects) {
  for (const auto& transition : effects.illegal_transitions) {
    promise(false, "only what can happen in its state happens to a request", [&] {
      return std::string(to_string(transition.event)) + " while " +
             std::string(to_string(transition.state));
    });
  }
  digest_.add(now.monotonic, effects);
  ledger_.published(now.monotonic, effects);
  for (const auto& publication : effects.publications) {
    if (story_ != nullptr) {
      story_->tell(now.monotonic, "bridge",
                   "publishes " + publication.topic + " " + publication.payload);
    }
    if (publication.update != 0) journal_.answered(publication.update);
    publisher_.queue(publication);
    ++published_;
  }
  unsent_ = unsent_ || !effects.publications.empty();
}

void Bridge::begin(Now now, Driver::Start start) {
  promise(start.connection < connections_ && under_way_ < connections_,
          "calls in flight are bounded by the connections");
  const auto& call = start.call;
  const auto quota = call.request.method == "GET" ? QuotaKind::reads : QuotaKind::writes;
  pace_.began(now.monotonic, call.id, quota, counts().endpoint_reachable);
  ++under_way_;
  ++calls_;
  digest_.add(now.monotonic, call.request);
  Begun begun{.start = std::move(start), .asked = {}, .quota = quota};
  if (!begun.call().poll) begun.asked = ledger_.call_began(now.monotonic, begun.call());
  send_(begun);
}

void Bridge::check_bounds() const {
  const auto counts = engine().counts();
  promise(counts.waiting <= settings_.queue + connections_, "the queue has a bound",
          [&] { return std::to_string(counts.waiting); });
  promise(counts.update_bytes <= std::max(settings_.holding.max_bytes, restored_bytes_),
          "the store of updates has a bound", [&] { return std::to_string(counts.update_bytes); });
  promise(counts.in_flight <= under_way_, "the engine knows its calls",
          [&] { return std::to_string(counts.in_flight); });
  promise(driver_.free_connections() + under_way_ == connections_,
          "a connection is free or has a call");
}

void Bridge::check_nothing_missed(Now then) const {
  promise(driver_.free_connections() == 0 || drained() || !engine().has_call(then) ||
              due() <= then.monotonic,
          "no call waits while a connection is free",
          [&] { return std::to_string(driver_.free_connections()) + " free"; });
}

}  // namespace jobs_bridge::simulation

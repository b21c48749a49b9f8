#include "adapters/daemon/dispatcher.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace jobs_bridge {

Dispatcher::Dispatcher(Engine engine, std::size_t connections, fibers::EventLoop& loop,
                       Endpoint& endpoint, Publisher& publisher, Stores stores, Observers observers,
                       Log& log, Clock clock)
    : publisher_(publisher),
      endpoint_(endpoint),
      stores_(stores),
      observers_(std::move(observers)),
      log_(log),
      report_(log),
      clock_(std::move(clock)),
      engine_(std::move(engine)),
      flush_(loop, publisher),
      workers_(connections, loop, endpoint,
               [this](Exchange& exchange) { return carry_out_one(exchange); }),
      deadlines_([this] { watch_deadlines(); }) {}

Dispatcher::~Dispatcher() {
  drain(Duration::zero());
}

void Dispatcher::receive(Message message) noexcept {
  try {
    Effects effects;
    bool call_waits = false;
    Now now;
    {
      const std::lock_guard lock(mutex_);
      now = clock_();
      engine_.received(now, std::move(message), effects);
      record_locked(now, effects);
      call_waits = engine_.has_call(now);
      apply_locked(effects);
      recall_timer_locked(now);
    }
    if (call_waits) workers_.wake();
    for (auto* observer : observers_) observer->received(now);
    finish(now, effects);
  } catch (const std::exception& error) {
    log_.write(Severity::error, "a message could not be handled", {{"cause", error.what()}});
  }
}

bool Dispatcher::carry_out_one(Exchange& exchange) {
  Effects effects;
  std::optional<Call> call;
  bool another_waits = false;
  Now now;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    now = clock_();
    call = engine_.next_call(now, effects);
    another_waits = engine_.has_call(now);
    apply_locked(effects);
    recall_timer_locked(now);
  }
  if (another_waits) workers_.wake();
  finish(now, effects);
  if (!call) return false;

  const auto began = now.monotonic;
  const auto outcome = exchange.perform(call->request, call->deadline);

  effects.clear();
  {
    const std::lock_guard lock(mutex_);
    now = clock_();
    engine_.answered(now, call->id, outcome, effects);
    apply_locked(effects);
    recall_timer_locked(now);
    if (draining_ && engine_.is_idle()) idle_.notify_all();
  }
  for (auto* observer : observers_) {
    observer->call_finished(now, call->operation, outcome, now.monotonic - began);
  }
  finish(now, effects);
  return true;
}

void Dispatcher::record_locked(Now now, Effects& effects) {
  // Under the lock, before anything else is decided, and before the message is acknowledged, which
  // happens when the callback returns.
  for (const auto& entry : std::exchange(effects.recorded, {})) {
    const auto fault = stores_.journal == nullptr
                           ? std::optional<std::string>("there is no journal")
                           : stores_.journal->record(entry);
    if (fault) engine_.unrecorded(now, entry.number, *fault, effects);
  }
}

void Dispatcher::apply_locked(Effects& effects) {
  for (auto& publication : effects.publications) publisher_.queue(std::move(publication));
  if (stores_.journal != nullptr && !effects.settled.empty()) {
    stores_.journal->settle(effects.settled);
  }
  if (stores_.watched != nullptr && !(effects.watched.empty() && effects.forgotten.empty())) {
    stores_.watched->save(std::move(effects.watched), std::move(effects.forgotten));
  }
}

void Dispatcher::recall_timer_locked(Now now) {
  const auto next = engine_.next_tick(now.monotonic);
  if (next >= looks_by_) return;
  looks_by_ = next;
  timer_.notify_one();
}

void Dispatcher::finish(Now now, Effects& effects) {
  if (!effects.publications.empty()) flush_.flush();
  for (auto* observer : observers_) observer->decided(now, effects);
  for (const auto& notified : effects.notified) report_.add(notified);
}

void Dispatcher::change_limits(const EngineSettings& settings) {
  bool call_waits = false;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_();
    engine_.change_limits(now, settings);
    call_waits = engine_.has_call(now);
    recall_timer_locked(now);
  }
  if (call_waits) workers_.wake();
}

Dispatcher::Snapshot Dispatcher::look() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_().monotonic;
  const auto pace = [&](QuotaKind kind) {
    const auto& quota = engine_.quota(kind);
    return Snapshot::Pace{.per_second = quota.rate(now), .slowed = quota.is_slowed(now)};
  };
  return {.counts = engine_.counts(),
          .oldest_held = engine_.oldest_held(now),
          .reads = pace(QuotaKind::reads),
          .writes = pace(QuotaKind::writes),
          .notifier = engine_.notifier_counts(),
          .overdue = std::max(Duration::zero(), Duration(now - looks_by_)),
          .stopping = draining_};
}

void Dispatcher::watch_deadlines() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    Effects effects;
    const auto now = clock_();
    engine_.tick(now, effects);
    const bool call_waits = engine_.has_call(now);
    // A request of the usual deadline that arrives meanwhile cannot be due before this, so nobody
    // needs to wake us for it: see Engine::next_tick().
    looks_by_ = engine_.next_tick(now.monotonic);
    apply_locked(effects);
    const auto counts = engine_.notifier_counts();
    lock.unlock();
    if (call_waits) workers_.wake();
    finish(now, effects);
    report_.tick(now.monotonic, counts);
    lock.lock();
    while (!stopping_ && clock_().monotonic < looks_by_) {
      const auto until = looks_by_;  // it may come nearer meanwhile
      timer_.wait_until(lock, until);
    }
  }
}

Dispatcher::Drained Dispatcher::drain(Duration patience) {
  Effects effects;
  Drained drained;
  Now now;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return {};
    draining_ = true;
    engine_.refuse_new_requests();
    idle_.wait_until(lock, clock_().monotonic + patience, [&] { return engine_.is_idle(); });
    stopping_ = true;
    now = clock_();
    drained.left_to_journal = engine_.abandon(now, effects);
    drained.abandoned = effects.finished.size();
    apply_locked(effects);
    timer_.notify_all();
  }
  finish(now, effects);
  endpoint_.stop();
  workers_.stop();
  flush_.stop();
  if (deadlines_.joinable()) deadlines_.join();
  return drained;
}

}  // namespace jobs_bridge

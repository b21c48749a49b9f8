#include "adapters/daemon/dispatcher.h"

#include <exception>
#include <optional>
#include <utility>

#include "adapters/daemon/request_log.h"

namespace jobs_bridge {

Dispatcher::Dispatcher(Engine engine, std::size_t connections, Endpoint& endpoint,
                       Publisher& publisher, WatchStore* watch_store, Log& log, Clock clock)
    : publisher_(publisher),
      endpoint_(endpoint),
      watch_store_(watch_store),
      log_(log),
      report_(log),
      clock_(std::move(clock)),
      engine_(std::move(engine)),
      workers_(connections, endpoint,
               [this](Exchange& exchange) { return carry_out_one(exchange); }),
      deadlines_([this] { watch_deadlines(); }) {}

Dispatcher::~Dispatcher() {
  drain(Duration::zero());
}

void Dispatcher::receive(Message message) noexcept {
  try {
    Effects effects;
    bool call_waits = false;
    {
      const std::lock_guard lock(mutex_);
      engine_.received(clock_(), std::move(message), effects);
      call_waits = engine_.ready() > 0;
      apply_locked(effects);
      recall_timer_locked();
    }
    if (call_waits) workers_.wake();
    finish(effects);
  } catch (const std::exception& error) {
    log_.write(Severity::error, "a message could not be handled", {{"cause", error.what()}});
  }
}

bool Dispatcher::carry_out_one(Exchange& exchange) {
  Effects effects;
  std::optional<Call> call;
  bool poll_waits = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    const auto now = clock_();
    call = engine_.next_call(now, effects);
    poll_waits = engine_.announce_poll(now);
    apply_locked(effects);
    recall_timer_locked();
  }
  if (poll_waits) workers_.wake();
  finish(effects);
  if (!call) return false;

  const auto outcome = exchange.perform(call->request, call->deadline);

  effects.clear();
  {
    const std::lock_guard lock(mutex_);
    engine_.answered(clock_(), call->id, outcome, effects);
    apply_locked(effects);
    recall_timer_locked();
    if (draining_ && engine_.waiting() + engine_.in_flight() == 0) idle_.notify_all();
  }
  finish(effects);
  return true;
}

void Dispatcher::apply_locked(Effects& effects) {
  for (auto& publication : effects.publications) publisher_.queue(std::move(publication));
  if (watch_store_ != nullptr && !(effects.watched.empty() && effects.forgotten.empty())) {
    watch_store_->save(std::move(effects.watched), std::move(effects.forgotten));
  }
}

void Dispatcher::recall_timer_locked() {
  if (engine_.next_tick(clock_().monotonic) < sleeps_until_) timer_.notify_one();
}

void Dispatcher::finish(Effects& effects) {
  if (!effects.publications.empty()) publisher_.flush();
  for (const auto& finished : effects.finished) log_finished(log_, finished);
  for (const auto& notified : effects.notified) report_.add(notified);
}

void Dispatcher::watch_deadlines() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // A request of the usual deadline that arrives meanwhile cannot be due before this, so nobody
    // needs to wake us for it: see Engine::next_tick().
    sleeps_until_ = engine_.next_tick(clock_().monotonic);
    timer_.wait_until(lock, sleeps_until_);
    sleeps_until_ = MonotonicTime::min();
    if (stopping_) return;
    Effects effects;
    const auto now = clock_();
    engine_.tick(now, effects);
    const bool poll_waits = engine_.announce_poll(now);
    apply_locked(effects);
    const auto counts = engine_.notifier_counts();
    lock.unlock();
    if (poll_waits) workers_.wake();
    finish(effects);
    report_.tick(now.monotonic, counts);
    lock.lock();
  }
}

Dispatcher::Drained Dispatcher::drain(Duration patience) {
  Effects effects;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return {};
    draining_ = true;
    engine_.refuse_new_requests();
    idle_.wait_until(lock, clock_().monotonic + patience,
                     [&] { return engine_.waiting() + engine_.in_flight() == 0; });
    stopping_ = true;
    engine_.abandon(clock_(), effects);
    apply_locked(effects);
    timer_.notify_all();
  }
  const Drained drained{.abandoned = effects.finished.size()};
  finish(effects);
  endpoint_.stop();
  workers_.stop();
  if (deadlines_.joinable()) deadlines_.join();
  return drained;
}

}  // namespace jobs_bridge

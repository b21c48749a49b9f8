#include "adapters/daemon/dispatcher.h"

#include <exception>
#include <optional>
#include <utility>

#include "adapters/daemon/request_log.h"

namespace jobs_bridge {

Dispatcher::Dispatcher(Engine engine, std::size_t connections, Endpoint& endpoint,
                       Publisher& publisher, Log& log, Clock clock)
    : publisher_(publisher),
      endpoint_(endpoint),
      log_(log),
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
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    call = engine_.next_call(clock_(), effects);
    apply_locked(effects);
  }
  finish(effects);
  if (!call) return false;

  const auto outcome = exchange.perform(call->request, call->deadline);

  effects.clear();
  {
    const std::lock_guard lock(mutex_);
    engine_.answered(clock_(), call->id, outcome, effects);
    apply_locked(effects);
    if (draining_ && engine_.waiting() + engine_.in_flight() == 0) idle_.notify_all();
  }
  finish(effects);
  return true;
}

void Dispatcher::apply_locked(Effects& effects) {
  for (auto& publication : effects.publications) publisher_.queue(std::move(publication));
}

void Dispatcher::finish(Effects& effects) {
  if (effects.finished.empty()) return;
  publisher_.flush();
  for (const auto& finished : effects.finished) log_finished(log_, finished);
}

void Dispatcher::watch_deadlines() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // A request that arrives meanwhile cannot be due before this, so nobody needs to wake us for
    // it: see Engine::next_tick().
    timer_.wait_until(lock, engine_.next_tick(clock_().monotonic));
    if (stopping_) return;
    Effects effects;
    engine_.tick(clock_(), effects);
    if (effects.finished.empty()) continue;
    apply_locked(effects);
    lock.unlock();
    finish(effects);
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

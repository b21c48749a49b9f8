#include "adapters/daemon/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace jobs_bridge {
namespace {

/// Nothing else is known to make the core throw.
constexpr std::string_view check_memory =
    "check the machine's memory; if there was enough, report it";

/// How long something has been due; `due` may be the minimum or maximum of the type.
Duration overdue(MonotonicTime due, MonotonicTime now) {
  if (due >= now || due == MonotonicTime::min()) return Duration::zero();
  return now - due;
}

/// Two readings of how long the machine has been suspended differ by less.
constexpr Duration suspension_jitter = std::chrono::milliseconds(100);

/// Converts a moment of the driver's time to the event loop's clock.
MonotonicTime on_loop(MonotonicTime moment, Now now) {
  const bool is_one = moment != MonotonicTime::max() && moment != MonotonicTime::min();
  return is_one ? moment - now.suspended : moment;
}

}  // namespace

Now Dispatcher::drivers_time(Now clocks) {
  clocks.monotonic += clocks.suspended;
  return clocks;
}

Dispatcher::Dispatcher(Engine engine, std::size_t connections, fibers::EventLoop& loop,
                       Endpoint& endpoint, Publisher& publisher, Stores stores, Observers observers,
                       Log& log, Clock clock, std::optional<PrimaryRole> role)
    : loop_(loop),
      publisher_(publisher),
      endpoint_(endpoint),
      stores_(stores),
      observers_(std::move(observers)),
      log_(log),
      clock_(std::move(clock)),
      set_primary_(role ? std::move(role->set) : nullptr),
      driver_(std::move(engine), connections, role ? std::optional(role->lease) : std::nullopt),
      connections_(connections) {
  const std::lock_guard lock(mutex_);  // the fiber is stored before it first runs
  pulse_ = loop.start([this] { run_pulse(); });
}

Dispatcher::~Dispatcher() {
  drain(Duration::zero());
}

template <typename Event>
Now Dispatcher::on_message(const Event& event) {
  Driver::Orders orders;
  Now now;
  bool send_here = false;
  {
    const std::lock_guard lock(mutex_);
    now = clock_();
    const auto at = drivers_time(now);
    event(at, orders);
    if (loop_.has_caller()) {
      driver_.begin_calls(at, orders);
    } else {
      driver_.defer_calls(at, orders);
    }
    apply_locked(orders.effects);
    send_here = ended_;
  }
  carry_out(now, orders);
  if (send_here) publisher_.flush();
  return now;
}

void Dispatcher::receive(Message message) noexcept {
  try {
    const std::lock_guard receiving(receiving_);
    std::vector<JournalEntry> entries;
    const auto received_at = on_message([&](Now now, Driver::Orders& orders) {
      driver_.received(now, std::move(message), orders);
      entries.swap(orders.effects.recorded);
    });
    for (auto* observer : observers_) observer->received(received_at);
    // Without the lock, so that a disk that does not respond delays only the next message, and with
    // libmosquitto, whose messages come on the event loop, what is on that.
    for (const auto& entry : entries) {
      const auto fault = stores_.journal == nullptr
                             ? std::optional<std::string>("there is no journal")
                             : stores_.journal->record(entry);
      on_message([&](Now now, Driver::Orders& orders) {
        fault ? driver_.not_recorded(now, *fault, orders) : driver_.recorded(now, orders);
      });
    }
  } catch (const std::exception& error) {
    log_.write(Severity::error, "a message could not be handled",
               {{"cause", error.what()}, {"hint", check_memory}});
  }
}

void Dispatcher::replies_ended(const std::vector<std::uint64_t>& updates) noexcept {
  try {
    Driver::Orders orders;
    const std::lock_guard lock(mutex_);
    for (const auto update : updates) driver_.reply_ended(update, orders);
    apply_locked(orders.effects);
  } catch (const std::exception& error) {
    log_.write(Severity::error, "an update could not be settled",
               {{"cause", error.what()}, {"hint", check_memory}});
  }
}

void Dispatcher::lease_event(const std::function<void(Lease&, MonotonicTime)>& event) noexcept {
  try {
    Driver::Orders orders;
    Now now;
    {
      const std::lock_guard lock(mutex_);
      now = clock_();
      const auto at = drivers_time(now);
      driver_.lease_event(
          at, [&](Lease& lease) { event(lease, at.monotonic); }, orders);
      apply_locked(orders.effects);
    }
    carry_out(now, orders);
  } catch (const std::exception& error) {
    log_.write(Severity::error, "an event of the lease could not be handled",
               {{"cause", error.what()}, {"hint", check_memory}});
  }
}

void Dispatcher::report_lease(Lease::State state) {
  switch (state) {
    case Lease::State::standby:
      return log_.write(Severity::info, "standing by: another instance serves, or may still serve");
    case Lease::State::connecting:
      return;
    case Lease::State::waiting:
      return log_.write(Severity::info,
                        "no calls until the calls of another instance have certainly ended",
                        {{"hint", "this takes as long as broker.lease"}});
    case Lease::State::active:
      return log_.write(Severity::info, "calls are made from now on: no other instance makes any");
    case Lease::State::unproven:
      return log_.write(Severity::warning,
                        "no calls: no canary message has come back for half of broker.lease",
                        {{"hint", "check the broker; another instance may have taken over"}});
  }
}

void Dispatcher::run_pulse() {
  while (true) {
    Driver::Orders orders;
    Now now;
    {
      const std::lock_guard lock(mutex_);
      now = clock_();
      driver_.timer_fired(drivers_time(now), orders);
      apply_locked(orders.effects);
      ending_ = driver_.drained().has_value();
      if (ending_) drained_.notify_all();
    }
    const auto due = *std::exchange(orders.wake_at, std::nullopt);
    carry_out(now, orders);
    if (orders.send) publisher_.flush();
    if (ending_ && end_pulse()) return;
    pulse_suspended_ = now.suspended;
    fibers::EventLoop::sleep(on_loop(due, now));  // not if it was woken since
  }
}

bool Dispatcher::end_pulse() {
  for (auto& connection : connections_) {
    if (connection.idle) fibers::EventLoop::wake(connection.fiber);
  }
  if (running_ > 0) return false;  // the last one wakes the pulse
  const std::lock_guard lock(mutex_);
  if (driver_.due() != MonotonicTime::max()) return false;  // something is to be sent
  ended_ = true;
  drained_.notify_all();
  return true;
}

void Dispatcher::run_connection(std::size_t number) {
  auto& self = connections_[number];
  {
    const auto exchange = endpoint_.open();
    while (self.call || !ending_) {
      if (!self.call) {
        self.idle = true;
        fibers::EventLoop::sleep(MonotonicTime::max());
        self.idle = false;
        continue;
      }
      const auto call = *std::exchange(self.call, std::nullopt);
      const auto outcome = exchange->perform(call.request, call.deadline);
      Driver::Orders orders;
      Now now;
      auto health = Health::unknown;
      {
        const std::lock_guard lock(mutex_);
        now = clock_();
        health = driver_.call_ended(drivers_time(now), number, outcome, orders);
        apply_locked(orders.effects);
      }
      for (auto* observer : observers_) {
        observer->call_finished(now, call.operation, outcome, health, now.monotonic - self.ordered);
      }
      carry_out(now, orders);
    }
  }
  if (--running_ == 0) fibers::EventLoop::wake(pulse_);
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

void Dispatcher::carry_out(Now now, Driver::Orders& orders) {
  for (auto& start : orders.calls) start_call(now, std::move(start));
  if (orders.be_primary) set_primary_(*orders.be_primary);
  if (orders.lease) report_lease(*orders.lease);
  const bool overslept = now.suspended - suspension_jitter > pulse_suspended_.load();
  if (orders.wake_at || overslept) fibers::EventLoop::wake(pulse_);
  for (auto* observer : observers_) observer->decided(now, orders.effects);
}

void Dispatcher::start_call(Now now, Driver::Start start) {
  auto& connection = connections_[start.connection];
  connection.call = std::move(start.call);
  connection.call->deadline = on_loop(connection.call->deadline, now);
  connection.ordered = now.monotonic;
  if (connection.fiber) {
    if (connection.idle) fibers::EventLoop::wake(connection.fiber);
    return;
  }
  try {
    connection.fiber = loop_.start([this, number = start.connection] { run_connection(number); });
    ++running_;
  } catch (const std::bad_alloc&) {
    connection.call.reset();
    Driver::Orders orders;
    {
      const std::lock_guard lock(mutex_);
      now = clock_();
      driver_.cannot_make_call(drivers_time(now), start.connection,
                               "out of memory for another connection", orders);
      apply_locked(orders.effects);
    }
    carry_out(now, orders);
  }
}

void Dispatcher::change_limits(const EngineSettings& settings) {
  Driver::Orders orders;
  Now now;
  {
    const std::lock_guard lock(mutex_);
    now = clock_();
    driver_.limits_changed(drivers_time(now), settings, orders);
    apply_locked(orders.effects);
  }
  carry_out(now, orders);
}

Dispatcher::Snapshot Dispatcher::snapshot() {
  const std::lock_guard lock(mutex_);
  const auto now = drivers_time(clock_()).monotonic;
  const auto& engine = driver_.engine();
  const auto pace = [&](QuotaKind kind) {
    const auto& quota = engine.quota(kind);
    const auto until = quota.paused_until();
    return Snapshot::Pace{
        .per_second = quota.rate(now),
        .slowed = quota.is_slowed(now),
        .paused_for = until ? std::optional(std::max(Duration::zero(), Duration(*until - now)))
                            : std::nullopt};
  };
  return {.counts = engine.counts(),
          .oldest_held = engine.oldest_held(now),
          .reads = pace(QuotaKind::reads),
          .writes = pace(QuotaKind::writes),
          .denies_all = engine.permissions().denies_all(now),
          .notifier = engine.notifier_counts(),
          .lease = driver_.lease() ? std::optional(driver_.lease()->state(now)) : std::nullopt,
          .overdue = overdue(driver_.due(), now),
          .stopping = driver_.draining()};
}

Dispatcher::Drained Dispatcher::drain(Duration timeout) {
  Driver::Orders orders;
  Now now;
  {
    const std::lock_guard lock(mutex_);
    if (driver_.draining()) return {};
    now = clock_();
    driver_.drain(drivers_time(now), timeout, orders);
    apply_locked(orders.effects);
  }
  carry_out(now, orders);
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [&] { return driver_.drained().has_value(); });
  const auto drained = *driver_.drained();
  lock.unlock();
  endpoint_.stop();
  lock.lock();
  drained_.wait(lock, [&] { return ended_; });
  return drained;
}

}  // namespace jobs_bridge

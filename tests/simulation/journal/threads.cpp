#include "tests/simulation/journal/threads.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::simulation {

using namespace std::chrono_literals;

namespace {

/// Of a thread in a second. One that goes round and round makes ten times as many, one that is
/// busy a tenth.
constexpr int most_steps = 50000;

}  // namespace

void TimeSpent::add(MonotonicTime from, MonotonicTime to) {
  from = std::max(from, end_);
  if (to <= from) return;
  total_ += to - from;
  end_ = to;
}

Duration TimeSpent::until(MonotonicTime now) const {
  // What lies ahead is one stretch: it was added at some moment before.
  return end_ > now ? total_ - (end_ - now) : total_;
}

class Threads::Thread {
 public:
  const char* name = "";
  Process process = 0;
  std::unique_ptr<fibers::StackSwitch> stack;
  bool entered = false;
  /// When it goes on; MonotonicTime::max() if it must be woken.
  MonotonicTime at{};
  bool runnable = true;  ///< it waits for a processor only
  bool ends = false;
  int mutexes = 0;
  MonotonicTime counted_since{};
  int steps = 0;  ///< since then
};

thread_local Threads* Threads::current_ = nullptr;

Threads::Threads(std::uint64_t seed) : dice_(seed) {}

Threads::~Threads() {
  while (!threads_.empty()) end(threads_.front()->process);
}

void Threads::start(const char* name, Process process, std::function<void()> body) {
  auto thread = std::make_unique<Thread>();
  thread->name = name;
  thread->process = process;
  thread->at = now_ + dice_.between(0us, 50us);
  thread->stack = std::make_unique<fibers::StackSwitch>([what = std::move(body)] {
    try {
      what();
    } catch (const ProcessEnds&) {
    }
  });
  threads_.push_back(std::move(thread));
}

Threads::Thread* Threads::next(MonotonicTime end) {
  auto first = MonotonicTime::max();
  ready_.clear();
  for (const auto& thread : threads_) {
    if (thread->at <= now_) ready_.push_back(thread.get());
    first = std::min(first, thread->at);
  }
  if (!ready_.empty()) return ready_[dice_.below(ready_.size())];
  if (first > end) {
    now_ = std::max(now_, end);
    return nullptr;
  }
  now_ = first;
  return next(end);
}

void Threads::count_step(Thread& thread) {
  ++steps_;
  if (now_ > thread.counted_since + 1s) {
    thread.counted_since = now_;
    thread.steps = 0;
  }
  if (++thread.steps > most_steps) broken("threads do not go round and round");
}

void Threads::run_until(MonotonicTime end) {
  run_until(end, [] { return false; });
}

void Threads::run_until(MonotonicTime end, const std::function<bool()>& done) {
  while (!broken_ && now_ < end && !done()) {
    auto* const thread = next(end);
    if (thread == nullptr) return;
    count_step(*thread);
    thread->entered = true;
    thread->runnable = true;
    thread->at = MonotonicTime::max();
    running_ = thread;
    thread->stack->enter();
    running_ = nullptr;
    if (!thread->stack->finished()) continue;
    std::erase_if(threads_, [&](const auto& each) { return each.get() == thread; });
  }
}

void Threads::end(Process process) {
  for (const auto& thread : threads_) {
    if (thread->process != process) continue;
    thread->ends = true;
    if (!thread->entered) continue;
    running_ = thread.get();
    thread->stack->enter();
    running_ = nullptr;
  }
  std::erase_if(threads_, [&](const auto& each) { return each->process == process; });
}

bool Threads::is_over(Process process) const {
  return std::ranges::none_of(threads_, [&](const auto& each) { return each->process == process; });
}

MonotonicTime Threads::read_clock() {
  now_ += 30ns;
  return now_;
}

void Threads::step() {
  if (ends()) throw ProcessEnds();
  auto& thread = *running_;
  auto delay = dice_.between(50ns, 2us);
  if (dice_.chance(chances_.starved)) {
    delay = dice_.between(1ms, chances_.starved_for);
    starved_.add(now_, now_ + delay);
  }
  thread.at = now_ + delay;
  thread.stack->leave();
  if (ends()) throw ProcessEnds();
}

void Threads::sleep_until(MonotonicTime when) {
  park(when);
}

void Threads::sleep_in_destructor(MonotonicTime when) noexcept {
  if (ends()) return;
  running_->at = when;
  running_->runnable = false;
  running_->stack->leave();
}

void Threads::park(MonotonicTime until) {
  if (ends()) throw ProcessEnds();
  running_->at = until;
  running_->runnable = false;
  running_->stack->leave();
  if (ends()) throw ProcessEnds();
}

void Threads::wake(Thread* thread) {
  thread->at = std::min(thread->at, now_ + dice_.between(1us, 30us));
  thread->runnable = true;
}

bool Threads::is_runnable(const Thread* thread) {
  return thread != nullptr && thread->runnable;
}

bool Threads::holds_mutex() const {
  return running_->mutexes > 0;
}

void Threads::count_mutex(int change) {
  running_->mutexes += change;
}

bool Threads::ends() const {
  return running_->ends;
}

std::string_view Threads::name() const {
  return running_ != nullptr ? running_->name : "world";
}

void Threads::broken(const std::string& what) {
  if (!broken_) broken_ = what;
}

void SimulatedMutex::lock() {
  auto& threads = Threads::current();
  threads.step();
  while (owner_ != nullptr) {
    waiting_.push_back(threads.self());
    threads.park(MonotonicTime::max());
  }
  owner_ = threads.self();
  threads.count_mutex(1);
}

void SimulatedMutex::unlock() {
  auto& threads = Threads::current();
  // A thread whose process ends does not get it back from where it waited.
  if (owner_ != threads.self()) return;
  owner_ = nullptr;
  threads.count_mutex(-1);
  if (threads.ends()) return;
  for (auto* const each : std::exchange(waiting_, {})) threads.wake(each);
}

void SimulatedCondition::wait_until(Lock& lock, MonotonicTime end) {
  auto& threads = Threads::current();
  auto* const self = threads.self();
  waiting_.push_back(self);
  lock.mutex()->unlock();
  const bool spurious = threads.spurious();
  threads.park(spurious ? std::min(end, threads.now() + threads.dice().about(3ms)) : end);
  std::erase(waiting_, self);
  lock.mutex()->lock();
}

void SimulatedCondition::notify_one() {
  auto& threads = Threads::current();
  threads.step();
  if (waiting_.empty()) return;
  const auto which =
      waiting_.begin() + static_cast<std::ptrdiff_t>(threads.dice().below(waiting_.size()));
  auto* const thread = *which;
  waiting_.erase(which);
  threads.wake(thread);
}

void SimulatedCondition::notify_all() {
  auto& threads = Threads::current();
  threads.step();
  for (auto* const each : std::exchange(waiting_, {})) threads.wake(each);
}

}  // namespace jobs_bridge::simulation

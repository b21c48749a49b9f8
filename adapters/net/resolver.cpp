#include "adapters/net/resolver.h"

#include <pthread.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "adapters/fibers/condition_variable.h"
#include "adapters/net/address.h"

namespace jobs_bridge::net {
namespace {

using Addresses = Result<std::vector<std::string>, std::string>;

Addresses find(const Lookup& lookup, const std::string& host) noexcept {
  try {
    Addresses found = lookup(host);
    if (found && found->empty()) return Failure{std::string("the name has no address")};
    return found;
  } catch (const std::exception& error) {
    return Failure{std::string(error.what())};
  } catch (...) {
    return Failure{std::string("unknown failure")};
  }
}

}  // namespace

struct Resolver::State {
  std::mutex mutex;
  fibers::ConditionVariable changed;
  bool under_way = false;
  bool stopped = false;
  /// Counts the lookups that ended, so that a waiter knows the one that he waits for.
  std::uint64_t ended = 0;
  std::optional<Addresses> last;
  MonotonicTime serves_until;
};

Resolver::Resolver(std::string host, Lookup lookup, Duration serves_for)
    : host_(std::move(host)),
      literal_(is_address(host_)),
      lookup_(std::move(lookup)),
      serves_for_(serves_for),
      state_(std::make_shared<State>()) {}

Resolver::~Resolver() {
  stop();
}

void Resolver::stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
}

void Resolver::start_lookup() {
  state_->under_way = true;
  try {
    std::thread([state = state_, host = host_, lookup = lookup_, serves_for = serves_for_] {
      pthread_setname_np(pthread_self(), "host-lookup");
      Addresses found = find(lookup, host);
      const std::lock_guard lock(state->mutex);
      state->last = std::move(found);
      state->serves_until = std::chrono::steady_clock::now() + serves_for;
      state->under_way = false;
      ++state->ended;
      state->changed.notify_all();
    }).detach();
  } catch (...) {
    state_->under_way = false;
    throw;
  }
}

Result<std::vector<std::string>, Resolver::Fault> Resolver::addresses(MonotonicTime deadline) {
  const auto fault = [](std::string cause) { return Failure{Fault{.cause = std::move(cause)}}; };
  if (literal_) {
    auto itself = find(look_up, host_);
    if (!itself) return fault(itself.error());
    return std::move(itself).value();
  }
  std::unique_lock lock(state_->mutex);
  if (!state_->stopped && state_->last && state_->last->has_value() &&
      std::chrono::steady_clock::now() < state_->serves_until) {
    return state_->last->value();
  }
  const std::uint64_t ended_before = state_->ended;
  try {
    if (!state_->stopped && !state_->under_way) start_lookup();
  } catch (const std::exception& error) {
    return fault(std::string("cannot start a thread to resolve the name: ") + error.what());
  }
  const bool in_time = state_->changed.wait_until(
      lock, deadline, [&] { return state_->stopped || state_->ended != ended_before; });
  if (state_->stopped) return Failure{Fault{.stopped = true, .cause = "stopped"}};
  if (!in_time) return fault("no answer in time");
  if (!*state_->last) return fault(state_->last->error());
  return state_->last->value();
}

}  // namespace jobs_bridge::net

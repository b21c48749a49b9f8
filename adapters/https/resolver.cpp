#include "adapters/https/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "adapters/fibers/condition_variable.h"
#include "adapters/https/https_endpoint.h"
#include "adapters/https/tcp_connection.h"
#include "adapters/net/address.h"

namespace jobs_bridge::https {

Result<std::vector<std::string>, std::string> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found)) {
    return Failure{error == EAI_SYSTEM ? system_error_text(errno)
                                       : std::string(gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, decltype([](addrinfo* info) { freeaddrinfo(info); })> owner(
      found);
  std::vector<std::string> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0 &&
        std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

namespace {

using Kind = HttpFailure::Kind;
using Addresses = Result<std::vector<std::string>, std::string>;

constexpr auto kAddressesServeFor = std::chrono::seconds(5);

Addresses look_up(const Lookup& lookup, const std::string& host) noexcept {
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

Resolver::Resolver(std::string host, Lookup lookup)
    : host_(std::move(host)),
      literal_(net::is_address(host_)),
      lookup_(std::move(lookup)),
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
    std::thread([state = state_, host = host_, lookup = lookup_] {
      pthread_setname_np(pthread_self(), "host-lookup");
      Addresses found = look_up(lookup, host);
      const std::lock_guard lock(state->mutex);
      state->last = std::move(found);
      state->serves_until = std::chrono::steady_clock::now() + kAddressesServeFor;
      state->under_way = false;
      ++state->ended;
      state->changed.notify_all();
    }).detach();
  } catch (...) {
    state_->under_way = false;
    throw;
  }
}

Result<std::vector<std::string>, IoFailure> Resolver::addresses(MonotonicTime deadline) {
  if (literal_) return std::vector<std::string>{host_};
  std::unique_lock lock(state_->mutex);
  if (!state_->stopped && state_->last && state_->last->has_value() &&
      std::chrono::steady_clock::now() < state_->serves_until) {
    return state_->last->value();
  }
  const std::uint64_t ended_before = state_->ended;
  try {
    if (!state_->stopped && !state_->under_way) start_lookup();
  } catch (const std::exception& error) {
    return Failure{IoFailure{
        Kind::resolve, std::string("cannot start a thread to resolve the name: ") + error.what()}};
  }
  const bool in_time = state_->changed.wait_until(
      lock, deadline, [&] { return state_->stopped || state_->ended != ended_before; });
  if (state_->stopped) return Failure{IoFailure{Kind::stopped, "stopped while resolving the name"}};
  if (!in_time) {
    return Failure{IoFailure{Kind::resolve, "resolving the name " + host_ + ": no answer in time"}};
  }
  if (!*state_->last) {
    return Failure{
        IoFailure{Kind::resolve, "resolving the name " + host_ + ": " + state_->last->error()}};
  }
  return state_->last->value();
}

}  // namespace jobs_bridge::https

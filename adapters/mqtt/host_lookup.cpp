#include "adapters/mqtt/host_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

/// How quickly a stop is noticed.
constexpr std::chrono::milliseconds glance{50};

std::string literal(const addrinfo& found) {
  char text[NI_MAXHOST] = {};
  const int error =
      getnameinfo(found.ai_addr, found.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text : "";
}

/// `flags`: AI_NUMERICHOST to query no name server.
HostLookup::Outcome look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found)) {
    return {{}, BrokerFault{BrokerFault::Kind::unresolved, gai_strerror(error)}};
  }
  HostLookup::Outcome outcome;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (auto address = literal(*entry); !address.empty()) {
      outcome.addresses.push_back(std::move(address));
    }
  }
  freeaddrinfo(found);
  std::stable_partition(outcome.addresses.begin(), outcome.addresses.end(),
                        [](const auto& address) { return address.find(':') == std::string::npos; });
  if (outcome.addresses.empty()) {
    outcome.fault = BrokerFault{BrokerFault::Kind::unresolved, "the name has no address"};
  }
  return outcome;
}

}  // namespace

struct HostLookup::Lookup {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Outcome> outcome;
};

HostLookup::HostLookup(std::string host) : host_(std::move(host)) {}

HostLookup::Outcome HostLookup::find(std::chrono::milliseconds patience,
                                     const std::function<bool()>& stopping) {
  if (auto itself = look_up(host_, AI_NUMERICHOST); !itself.fault) return itself;
  if (!lookup_) {
    lookup_ = std::make_shared<Lookup>();
    std::thread([lookup = lookup_, host = host_] {
      pthread_setname_np(pthread_self(), "broker-lookup");
      auto outcome = look_up(host, 0);
      const std::lock_guard lock(lookup->mutex);
      lookup->outcome = std::move(outcome);
      lookup->done.notify_all();
    }).detach();
  }
  const auto limit = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(lookup_->mutex);
  const auto is_done = [&] { return lookup_->outcome.has_value(); };
  while (!lookup_->done.wait_for(lock, glance, is_done)) {
    if (stopping()) return {{}, BrokerFault{BrokerFault::Kind::interrupted, {}}};
    if (std::chrono::steady_clock::now() > limit) {
      return {{}, BrokerFault{BrokerFault::Kind::unresolved, "no answer from the name servers"}};
    }
  }
  auto outcome = *std::move(lookup_->outcome);
  lock.unlock();
  lookup_.reset();
  return outcome;
}

}  // namespace jobs_bridge::mqtt

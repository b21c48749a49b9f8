#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/profile_source.h"
#include "adapters/aws/sts.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/origin.h"

namespace jobs_bridge::aws {

using namespace std::chrono_literals;

inline MonotonicTime soon(Duration timeout = 10s) {
  return std::chrono::steady_clock::now() + timeout;
}

inline Credentials keys(const std::string& id, std::optional<Duration> life = {}) {
  Credentials credentials;
  credentials.access_key_id = id;
  credentials.secret_access_key = "secret of " + id;
  credentials.session_token = "token-of-" + id;
  if (life) credentials.expires = std::chrono::steady_clock::now() + *life;
  return credentials;
}

inline std::int64_t clock_of_2020() {
  return 1577836800;
}

/// The credentials; a fault fails the test.
inline Credentials found(const Result<Credentials, SourceFault>& outcome) {
  if (outcome) return *outcome;
  ADD_FAILURE() << outcome.error().cause;
  return {};
}

/// The fault; credentials fail the test.
inline SourceFault fault_of(const Result<Credentials, SourceFault>& outcome) {
  if (!outcome) return outcome.error();
  ADD_FAILURE() << "credentials";
  return {};
}

/// Variables of a map.
inline Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end() || found->second.empty()) return std::nullopt;
    return found->second;
  };
}

/// A server that answers what a test has laid down, and keeps what it was asked. Any thread.
class ScriptedServer {
 public:
  struct Asked {
    Origin origin;
    HttpRequest request;
  };
  /// The next answer; with none left every request fails.
  void will_answer(HttpOutcome outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back(std::move(outcome));
  }
  void will_answer(int status, std::string body, std::string date = {}) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    response.date = std::move(date);
    will_answer(HttpOutcome(std::move(response)));
  }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  OpenOrigin opener() {
    return [this](const Origin& origin) -> Result<std::unique_ptr<Endpoint>, std::string> {
      return std::unique_ptr<Endpoint>(std::make_unique<Server>(*this, origin));
    };
  }
  std::unique_ptr<Endpoint> endpoint() { return std::make_unique<Server>(*this, Origin{}); }

 private:
  class Server final : public Endpoint, public Exchange {
   public:
    Server(ScriptedServer& script, Origin origin) : script_(script), origin_(std::move(origin)) {}
    std::unique_ptr<Exchange> open() override { return std::make_unique<Server>(script_, origin_); }
    void stop() override {}
    HttpOutcome perform(const HttpRequest& request, MonotonicTime) override {
      return script_.answer(origin_, request);
    }

   private:
    ScriptedServer& script_;
    const Origin origin_;
  };

  HttpOutcome answer(const Origin& origin, const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back({origin, request});
    if (outcomes_.empty()) {
      return HttpFailure{HttpFailure::Kind::connect, false, origin.host + ": refused"};
    }
    auto outcome = std::move(outcomes_.front());
    outcomes_.pop_front();
    return outcome;
  }

  mutable std::mutex mutex_;
  std::deque<HttpOutcome> outcomes_;
  std::vector<Asked> asked_;
};

inline std::unique_ptr<Sts> sts_at(ScriptedServer& server) {
  Sts::Settings settings;
  settings.service.host = "sts.eu-central-1.amazonaws.com";
  settings.region = "eu-central-1";
  return std::make_unique<Sts>(std::move(settings), server.opener(), clock_of_2020);
}

/// For sources that need not ask AWS STS.
inline std::unique_ptr<Sts> nobody_to_ask() {
  static ScriptedServer nobody;
  return sts_at(nobody);
}

inline ProfileSource profile_source(const std::string& profile, const std::string& file,
                                    const Environment& environment) {
  return {profile, file, environment, nobody_to_ask()};
}

inline std::string header_of(const HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "none";
}

}  // namespace jobs_bridge::aws

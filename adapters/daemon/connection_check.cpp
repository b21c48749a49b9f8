#include "adapters/daemon/connection_check.h"

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "adapters/admin/access.h"
#include "adapters/admin/server.h"
#include "adapters/admin/status_text.h"
#include "adapters/config/url.h"
#include "adapters/daemon/endpoint_access.h"
#include "adapters/daemon/file_check.h"
#include "adapters/daemon/milliseconds.h"
#include "adapters/daemon/settings.h"
#include "adapters/daemon/status_client.h"
#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_connection.h"
#include "adapters/net/address.h"
#include "bridge/jobs/call.h"
#include "bridge/jobs/names.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Level = Finding::Level;

constexpr Duration check_timeout = 10s;
constexpr Duration check_interval = 20ms;

/// The findings say it all.
class Silence final : public Log {
 public:
  [[nodiscard]] bool enabled(Severity) const override { return false; }
  using Log::write;
  void write(Severity, std::string_view, std::initializer_list<Field>) override {}
};

/// With the same kind as in log, status and readiness.
std::string described(const mqtt::BrokerFault& fault) {
  return text_of(fault) + " [" + std::string(to_string(fault.kind)) + "]";
}

Finding judge(const mqtt::BrokerConnection::State& state, const mqtt::AclHints& hints,
              const std::string& where) {
  Finding finding{.name = "broker", .level = Level::fault, .text = where + ": ", .hint = {}};
  if (!state.connected) {
    const auto fault = state.fault.value_or(
        mqtt::no_answer_within(std::chrono::duration_cast<std::chrono::seconds>(check_timeout)));
    finding.text += described(fault);
    finding.hint = hint_of(fault.kind);
  } else if (!state.subscribed) {
    finding.text += "connected, but ";
    const auto fault =
        state.refusal.value_or(mqtt::BrokerFault{.kind = mqtt::BrokerFault::Kind::no_suback});
    finding.text += described(fault);
    if (state.refused.size() > 1) {
      finding.text += ", and " + std::to_string(state.refused.size() - 1) + " more";
    }
    finding.hint = hint_of(fault.kind);
  } else if (state.flowing) {
    finding.level = Level::ok;
    finding.text += "a canary message came back in " + in_milliseconds(state.round_trip);
  } else if (!state.canary) {
    finding.level = Level::ok;
    finding.text += "connected";
    if (!state.canary_fault.empty()) {
      finding.text += "; cannot tell whether messages flow: " + state.canary_fault;
      finding.level = Level::warning;
      finding.hint = hints.canary;
    }
  } else {
    finding.text += "connected, but the canary message does not come back";
    finding.hint = hints.canary;
  }
  return finding;
}

bool is_conclusive(const mqtt::BrokerConnection::State& state) {
  if (!state.connected) return state.fault.has_value();
  if (!state.subscribed) return !state.refused.empty();
  if (state.canary && !state.flowing) return false;
  using Verdict = mqtt::TopicTest::Verdict;
  return state.topics.requests != Verdict::untested && state.topics.replies != Verdict::untested;
}

std::optional<Finding> judge(const mqtt::TopicTest::State& topics, const mqtt::AclHints& hints) {
  using Verdict = mqtt::TopicTest::Verdict;
  const auto said = [](Verdict verdict, const std::string& cause, const char* good, const char* bad,
                       const char* open) -> std::string {
    if (verdict == Verdict::good) return good;
    return std::string(verdict == Verdict::bad ? bad : open) + (cause.empty() ? "" : ": " + cause);
  };
  if (topics.requests == Verdict::off) return std::nullopt;
  Finding finding{.name = "topics", .level = Level::ok, .text = {}, .hint = {}};
  if (topics.requests == Verdict::bad || topics.replies == Verdict::bad) {
    finding.level = Level::fault;
  } else if (topics.requests != Verdict::good || topics.replies != Verdict::good) {
    finding.level = Level::warning;
  }
  finding.text = said(topics.requests, topics.requests_cause, "Jobs requests come in",
                      "Jobs requests do not come in", "cannot tell whether Jobs requests come in") +
                 "; " +
                 said(topics.replies, topics.replies_cause, "replies go out",
                      "replies do not go out", "cannot tell whether replies go out");
  if (topics.requests != Verdict::good) finding.hint = hints.requests;
  if (topics.replies != Verdict::good) {
    if (!finding.hint.empty()) finding.hint += "; and ";
    finding.hint += hints.replies;
  }
  return finding;
}

/// A broker acknowledges even what it drops, and cannot report how much it queues.
Finding queue() {
  return {"queue", Level::ok,
          "how many messages the broker queues while the bridge is away cannot be measured; "
          "mosquitto queues 1,000 by default, and drops those beyond that although it acknowledges "
          "them",
          "in mosquitto set max_queued_messages to 10000, and max_queued_bytes as an upper limit"};
}

/// At the first of its addresses.
void check_broker(const config::Configuration& configuration, Log& log,
                  std::vector<Finding>& findings) {
  const auto where = config::address_of(configuration.broker.urls.front());
  auto settings = broker_settings(configuration);
  if (!settings) {
    findings.push_back({"broker", Level::fault, settings.error(), "broker.password_file"});
    return;
  }
  // A client of the running bridge's own name would take its place and its session.
  settings->client_id += "-check";
  settings->session_expiry = {};
  const auto& group = configuration.broker.share_group;
  // In the group we would receive requests of devices, which would then stay unanswered.
  auto filters = topics_of(configuration).filters();
  if (!group.empty()) {
    // Also shared, but in a group of our own.
    filters = settings->test_topics.requests;
    for (auto& filter : filters) filter.insert(0, "$share/" + group + "-check/");
    settings->optional_filters.clear();
  }
  settings->test_topics.shared = false;
  settings->test_topics.own_group.clear();
  const bool has_test = !settings->test_topics.requests.empty();
  fibers::EventLoop loop;
  mqtt::BrokerConnection broker(
      *std::move(settings), filters, [](Message) {}, loop, log);
  broker.start();
  const auto limit = steady_clock::now() + check_timeout;
  while (!is_conclusive(broker.state()) && steady_clock::now() < limit) {
    std::this_thread::sleep_for(check_interval);
  }
  const auto state = broker.state();
  broker.stop();
  findings.push_back(judge(state, broker.hints(), where));
  if (!state.subscribed) {
    if (has_test) {
      findings.push_back(
          {"topics", Level::warning, "not tried, since the bridge cannot subscribe", {}});
    }
    return;
  }
  for (const auto& shortcoming : state.shortcomings) {
    findings.push_back(
        {"broker", Level::warning, described(shortcoming), std::string(hint_of(shortcoming.kind))});
  }
  if (auto topics = judge(state.topics, broker.hints())) findings.push_back(*std::move(topics));
}

Finding check_credentials(aws::CredentialKeeper& keeper) {
  const auto credentials = keeper.current(steady_clock::now() + check_timeout);
  const auto state = keeper.state();
  if (!credentials) {
    return {"credentials", Level::fault, state.source + ": " + credentials.error(),
            "the cause says what each source lacks: set one of them up (CREDENTIALS.md), or name "
            "another one in credentials.source"};
  }
  std::string text = state.source + ": available";
  if (state.expires) {
    const auto left =
        std::chrono::duration_cast<std::chrono::minutes>(*state.expires - steady_clock::now());
    text += ", valid for " + std::to_string(left.count()) + " minutes";
  }
  return {"credentials", Level::ok, std::move(text), {}};
}

/// What the answer to a harmless question says about the endpoint.
Finding judge(const Request& question, const HttpOutcome& answer, const std::string& where) {
  if (const auto* failure = std::get_if<HttpFailure>(&answer)) {
    auto finding = Finding{"endpoint", Level::fault, failure->detail,
                           std::string(hint_of(read_outcome(question, answer).fault_kind))};
    if (failure->kind == HttpFailure::Kind::credentials) {
      // What the sources said is above.
      finding.text = where + ": not tried, since there are no credentials";
      finding.hint = {};
    }
    return finding;
  }
  const auto& response = std::get<HttpResponse>(answer);
  const auto outcome = read_outcome(question, answer);
  const auto* rejection = std::get_if<Rejection>(&outcome.answer);
  const auto status = where + ": HTTP " + std::to_string(response.status);
  if (rejection == nullptr) return {"endpoint", Level::ok, status, {}};
  const auto why =
      status + ", " + (rejection->detail.empty() ? rejection->message : rejection->detail);
  if (outcome.access_denied) {
    return {"endpoint", Level::fault, why,
            "allow " + policy_action(question.operation) +
                " and the other iotjobsdata: actions on the devices' things in the policy of the "
                "role or the certificate; where it names things one by one, and thing " +
                question.thing.text() +
                ", for which this call was, is not among them, this is no "
                "fault"};
  }
  if (rejection->code == ErrorCode::resource_not_found ||
      rejection->code == ErrorCode::request_throttled) {
    return {"endpoint", Level::ok, why, {}};
  }
  const auto kind = outcome.fault_kind;
  return {"endpoint", Level::fault, why,
          std::string(hint_of(kind == EndpointFault::none ? EndpointFault::not_the_api : kind))};
}

Finding check_endpoint(EndpointAccess& access, const config::Configuration& configuration) {
  const auto& things = configuration.notify.things;
  const Request question{
      .operation = Operation::get_pending,
      .thing = *ThingName::parse(things.empty() ? "jobs-bridge-check" : things.front())};
  const auto exchange = access.endpoint().open();
  const auto outcome = exchange->perform(build_call(question), steady_clock::now() + check_timeout);
  return judge(question, outcome, config::address_of(configuration.endpoint.url));
}

std::optional<Finding> check_clock(EndpointAccess& access) {
  if (access.clock() == nullptr || !access.clock()->is_off()) return std::nullopt;
  const auto skew = access.clock()->skew();
  return Finding{"clock", Level::fault,
                 "this machine's clock is " + std::to_string(skew < 0 ? -skew : skew) + " s " +
                     (skew < 0 ? "ahead of" : "behind") + " the endpoint's",
                 "set it, for example by NTP: the bridge corrects its signatures, but not the "
                 "times in its log"};
}

void check_endpoint_side(const config::Configuration& configuration, Log& log,
                         std::vector<Finding>& findings) {
  const auto access = EndpointAccess::open(configuration, log);
  if (!access) {
    findings.push_back({"endpoint", Level::fault, access.error(),
                        "correct the file or the setting that it names"});
    return;
  }
  if (auto* keeper = (*access)->credentials()) findings.push_back(check_credentials(*keeper));
  findings.push_back(check_endpoint(**access, configuration));
  if (auto clock = check_clock(**access)) findings.push_back(*std::move(clock));
  (*access)->endpoint().stop();
}

/// The bridge that answers at the address of this configuration's admin listener, if one does. Only
/// a bridge has such a status.
std::optional<admin::StatusText> find_running(const config::Configuration::Admin& admin,
                                              const std::string& token) {
  const auto answer =
      fetch_status("http://" + net::host_and_port(admin.listen->host, admin.listen->port), token);
  if (!answer) return std::nullopt;
  auto status = admin::status_text(*answer);
  if (!status) return std::nullopt;
  return *std::move(status);
}

Finding check_admin(const config::Configuration::Admin& admin, bool& bridge_runs, Log& log) {
  auto settings = admin_settings(admin);
  if (!settings)
    return {"admin", Level::fault, settings.error(), "name another file in admin.token_file"};
  if (!settings->token.empty() && !admin::is_token(settings->token)) {
    return {"admin", Level::fault, admin.token_file + ": " + std::string(admin::no_token),
            std::string(admin::token_hint)};
  }
  const auto token = settings->token;
  const admin::Metrics metrics;
  const auto server = admin::Server::start(
      *std::move(settings), [] { return admin::Status(); }, metrics, log);
  if (server) return {"admin", Level::ok, (*server)->url() + " is free", {}};
  const auto running = find_running(admin, token);
  bridge_runs = running.has_value();
  if (bridge_runs) {
    const auto where = net::host_and_port(admin.listen->host, admin.listen->port) +
                       " is in use by a running bridge, which is ";
    if (running->ready) return {"admin", Level::ok, where + "ready", {}};
    return {"admin", Level::fault, where + "not ready: " + running->reason, running->hint};
  }
  return {"admin", Level::fault, server.error(), "set another admin.listen"};
}

/// `bridge_runs`: one answers at this configuration's admin address; nothing: it has none.
Finding check_store(const StoreFile& file, std::optional<bool> bridge_runs,
                    const std::string& check) {
  if (file.why_refused(file.path) || !is_in_use(file)) return check_file(file, check);
  if (bridge_runs.value_or(true)) {
    return {file.name, Level::ok, file.path + ": is in use by a running bridge", {}};
  }
  return {file.name, Level::fault,
          file.path + ": is in use by another bridge, not by one with this configuration",
          "give each instance a file of its own in " + file.key};
}

}  // namespace

std::vector<Finding> check_connections(const config::Configuration& configuration,
                                       const std::string& check) {
  // A closed connection is a result to report and must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  Silence log;
  std::vector<Finding> findings;
  for (const auto& url : configuration.broker.urls) {
    auto alone = configuration;
    alone.broker.urls = {url};
    check_broker(alone, log, findings);
  }
  if (configuration.broker.session_expiry > std::chrono::seconds(0)) findings.push_back(queue());
  check_endpoint_side(configuration, log, findings);
  std::optional<Finding> admin;
  std::optional<bool> bridge_runs;
  if (configuration.admin.listen) {
    admin = check_admin(configuration.admin, bridge_runs.emplace(false), log);
  }
  for (const auto& file : stores_of(configuration)) {
    findings.push_back(check_store(file, bridge_runs, check));
  }
  if (admin) findings.push_back(*std::move(admin));
  return findings;
}

}  // namespace jobs_bridge

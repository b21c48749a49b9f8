#include "adapters/mqtt/connection_report.h"

#include <utility>

#include "adapters/net/address.h"

namespace jobs_bridge::mqtt {
namespace {

/// A fault that stays is reported again after this time.
constexpr std::chrono::minutes fault_interval{5};
/// So many connections in a row that ended sooner than this are no accident.
constexpr std::chrono::seconds too_brief{5};
constexpr int flapping_after = 3;

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

ConnectionReport::ConnectionReport(const BrokerSettings& settings, const AclHints& hints, Log& log)
    : settings_(settings), hints_(hints), log_(log) {}

std::string ConnectionReport::broker() const {
  return net::host_and_port(settings_.host, settings_.port);
}

void ConnectionReport::write(Severity severity, std::string_view event, const BrokerFault& fault) {
  log_.write(severity, event,
             {{"broker", broker()},
              {"kind", to_string(fault.kind)},
              {"cause", text_of(fault)},
              {"hint", hint_of(fault.kind)}});
}

void ConnectionReport::cannot_connect(MonotonicTime now, const BrokerFault& fault) {
  brief_count_ = 0;  // what another client with our id does not cause
  const auto reported = reported_faults_.find(broker());
  const bool news = reported == reported_faults_.end() || reported->second.fault != fault ||
                    now - reported->second.at >= fault_interval;
  if (news) reported_faults_.insert_or_assign(broker(), Reported{fault, now});
  write(news ? Severity::warning : Severity::debug, "cannot connect to the broker", fault);
}

void ConnectionReport::connected(const Connection& connection, std::size_t attempts) {
  reported_faults_.clear();
  if (!connection.unneeded_missing_features().empty()) {
    log_.write(Severity::info, "the broker lacks features that the bridge does not need",
               {{"missing", connection.unneeded_missing_features()}});
  }
  log_.write(Severity::info, "connected to the broker",
             {{"broker", broker()},
              {"attempts", std::to_string(attempts)},
              {"session", connection.session_present() ? "resumed" : "new"},
              {"receive_maximum", settings_.protocol == BrokerSettings::Protocol::v5
                                      ? std::to_string(connection.receive_maximum())
                                      : std::string()}});
}

void ConnectionReport::reads_bypass_us() {
  if (std::exchange(reported_bypass_, true)) return;
  log_.write(Severity::error,
             "the MQTT library bypasses the bridge: the size of packets is not limited, and the "
             "cause of lost connections unknown",
             {{"broker", broker()},
              {"hint",
               "link the program dynamically with the MQTT library and OpenSSL, so that they call "
               "its own recv, read and SSL_read: see CMakeLists.txt"}});
}

void ConnectionReport::replies_moved(const std::string& client_id) {
  log_.write(Severity::info,
             "the broker acknowledges slowly: replies now go over a connection of their own",
             {{"broker", broker()}, {"client_id", client_id}});
}

void ConnectionReport::replies_not_moved(const std::string& client_id, const BrokerFault& fault) {
  log_.write(Severity::warning,
             "the broker acknowledges slowly, and the second connection for replies failed",
             {{"broker", broker()},
              {"client_id", client_id},
              {"kind", to_string(fault.kind)},
              {"cause", text_of(fault)},
              {"hint", "allow the bridge's user to connect with this client id too"}});
}

void ConnectionReport::shorter_keep_alive(std::chrono::seconds keep_alive) {
  log_.write(Severity::info, "the broker requires a shorter keep-alive: reconnecting",
             {{"seconds", std::to_string(keep_alive.count())}});
}

void ConnectionReport::refused(const std::vector<BrokerFault>& refused) {
  const bool news = refused != reported_refused_;
  for (const auto& fault : refused) {
    log_.write(
        news ? Severity::error : Severity::debug, "the broker refuses a subscription",
        {{"filter", fault.detail}, {"kind", to_string(fault.kind)}, {"hint", hint_of(fault.kind)}});
  }
  reported_refused_ = refused;
}

void ConnectionReport::optional_filters_refused(const std::vector<BrokerFault>& refused) {
  if (refused == reported_optional_refused_) return;
  reported_optional_refused_ = refused;
  for (const auto& fault : refused) {
    log_.write(
        Severity::info,
        "the broker refuses an optional subscription: requests on these topics get no rejection",
        {{"filter", fault.detail}});
  }
}

void ConnectionReport::shortcomings(const std::vector<BrokerFault>& faults) {
  if (faults == reported_shortcomings_) return;
  reported_shortcomings_ = faults;
  for (const auto& fault : faults) {
    write(Severity::warning, "the broker's limits may cause requests or replies to be lost", fault);
  }
}

void ConnectionReport::subscribed() {
  log_.write(Severity::info, "subscribed to the request topics", {{"broker", broker()}});
}

BrokerFault ConnectionReport::lost(BrokerFault fault, Duration lasted) {
  const bool without_reason = fault.kind == BrokerFault::Kind::broken;
  brief_count_ = without_reason && lasted < too_brief ? brief_count_ + 1 : 0;
  if (brief_count_ >= flapping_after) fault = {BrokerFault::Kind::flapping, settings_.client_id};
  write(Severity::warning, "the connection to the broker is lost", fault);
  return fault;
}

void ConnectionReport::disconnected() {
  log_.write(Severity::info, "disconnected from the broker", {{"broker", broker()}});
}

void ConnectionReport::session_discarded() {
  log_.write(
      Severity::error,
      "the session at the broker was discarded, with the requests kept in it: one packet in it is "
      "too large",
      {{"broker", broker()},
       {"hint",
        "have the broker reject such packets from its clients (in mosquitto: max_packet_size " +
            std::to_string(settings_.max_packet_size) + ")"}});
}

void ConnectionReport::flows(Duration round_trip, std::optional<Duration> silent_for) {
  if (!std::exchange(reported_canary_fault_, {}).empty()) {
    log_.write(Severity::info, "canary messages come back again",
               {{"topic", settings_.canary_topic}, {"round_trip_ms", milliseconds(round_trip)}});
  } else if (silent_for) {
    log_.write(
        Severity::info, "messages flow again",
        {{"round_trip_ms", milliseconds(round_trip)}, {"gone_ms", milliseconds(*silent_for)}});
  } else {
    log_.write(Severity::debug, "messages flow", {{"round_trip_ms", milliseconds(round_trip)}});
  }
}

void ConnectionReport::canary_fault(const std::string& fault) {
  // That there is no fault any more is reported by the first canary that comes back.
  if (fault.empty() || fault == reported_canary_fault_) return;
  reported_canary_fault_ = fault;
  log_.write(Severity::warning,
             "canary messages do not come back: the bridge cannot tell whether messages flow",
             {{"topic", settings_.canary_topic}, {"cause", fault}, {"hint", hints_.canary}});
}

TopicTest::Verdict ConnectionReport::topics(const char* event, TopicTest::Verdict verdict,
                                            const std::string& cause, const std::string& hint,
                                            TopicTest::Verdict& reported) {
  using Verdict = TopicTest::Verdict;
  if (verdict == reported || verdict == Verdict::untested) return Verdict::off;
  const auto before = std::exchange(reported, verdict);
  if (verdict == Verdict::bad || verdict == Verdict::undecided) {
    const auto severity = verdict == Verdict::bad ? Severity::error : Severity::warning;
    log_.write(severity, event, {{"cause", cause}, {"hint", hint}});
    return Verdict::off;
  }
  return before;
}

void ConnectionReport::topics(const TopicTest::State& state) {
  using Verdict = TopicTest::Verdict;
  const auto requests = topics(
      state.requests == Verdict::bad ? "Jobs requests do not reach the bridge"
                                     : "the bridge cannot tell whether Jobs requests reach it",
      state.requests, state.requests_cause, hints_.requests, reported_requests_);
  if (requests == Verdict::bad) {
    log_.write(Severity::info, "Jobs requests reach the bridge again");
  } else if (requests == Verdict::undecided) {
    log_.write(Severity::info, "Jobs requests do reach the bridge");
  }
  const auto replies =
      topics(state.replies == Verdict::bad ? "the broker refuses the bridge's replies"
                                           : "the bridge cannot tell whether its replies go out",
             state.replies, state.replies_cause, hints_.replies, reported_replies_);
  if (replies == Verdict::bad) {
    log_.write(Severity::info, "the bridge's replies go out again");
  } else if (replies == Verdict::undecided) {
    log_.write(Severity::info, "the bridge's replies do go out");
  }
}

}  // namespace jobs_bridge::mqtt

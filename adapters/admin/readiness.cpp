#include "adapters/admin/readiness.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "bridge/jobs/endpoint_fault.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;

/// AWS refuses signatures that are older or newer than five minutes.
constexpr std::int64_t max_skew = 300;
/// Renewal begins earlier; credentials that expire this soon could not be renewed.
constexpr std::int64_t soon = 300;
constexpr double nearly_full = 0.8;
/// A refused reply is a warning for this long: its cause may have been removed since.
constexpr Duration refusal_is_news = 15min;

std::string in_words(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  const auto of = [](std::int64_t count, std::string_view unit) {
    return std::to_string(count) + " " + std::string(unit) + (count == 1 ? "" : "s");
  };
  if (seconds < 120) return of(seconds, "second");
  if (seconds < 7200) return of(seconds / 60, "minute");
  if (seconds < 172800) return of(seconds / 3600, "hour");
  return of(seconds / 86400, "day");
}

std::string because(std::string text, const std::string& cause) {
  if (!cause.empty()) text += ": " + cause;
  return text;
}

/// With a capital letter, as our messages have it.
std::string sentence_start(std::string text) {
  if (!text.empty()) text[0] = to_upper(text[0]);
  return text;
}

/// And a full stop.
std::string sentence(std::string text) {
  return sentence_start(std::move(text)) + ".";
}

std::string list(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string count(std::uint64_t number, std::string_view one, std::string_view more) {
  return std::to_string(number) + " " + std::string(number == 1 ? one : more);
}

/// What the self-test on the Jobs topics says; while a connection serves.
void assess_topics(const Status::Broker& broker, Verdict& verdict) {
  using Passage = Status::Broker::Passage::Verdict;
  const auto& requests = broker.requests;
  const auto& replies = broker.replies;
  if (requests.verdict == Passage::untested || replies.verdict == Passage::untested) {
    verdict.reasons.push_back({"topics_untested",
                               "The self-test on the Jobs topics has not finished",
                               "Wait a moment; if this persists, see the broker's log."});
  }
  if (requests.verdict == Passage::bad) {
    verdict.reasons.push_back({"requests_blocked",
                               because("Jobs requests do not reach the bridge", requests.cause),
                               sentence(requests.hint)});
  } else if (requests.verdict == Passage::undecided) {
    verdict.warnings.push_back({"requests_unseen",
                                because("The bridge cannot tell whether Jobs requests reach it "
                                        "until some of each kind have arrived",
                                        requests.cause),
                                sentence(requests.hint)});
  }
  if (replies.verdict == Passage::bad) {
    verdict.reasons.push_back({"replies_blocked",
                               because("The broker refuses the bridge's replies", replies.cause),
                               sentence(replies.hint)});
  } else if (replies.verdict == Passage::undecided) {
    verdict.warnings.push_back(
        {"replies_unseen",
         because("The bridge cannot tell whether its replies go out", replies.cause),
         sentence(replies.hint)});
  }
}

void assess_broker(const Status::Broker& broker, Verdict& verdict) {
  if (!broker.connected) {
    verdict.reasons.push_back(
        {"broker_disconnected", because("No connection to the broker", broker.fault.text),
         broker.fault.hint.empty() ? "Wait a moment: the bridge is connecting."
                                   : sentence(broker.fault.hint) + " The bridge keeps trying.",
         broker.fault.kind});
  } else if (!broker.subscribed) {
    const auto& refused = broker.refused_filters;
    verdict.reasons.push_back(
        refused.empty()
            ? Reason{"broker_not_subscribed", "The broker has not answered the subscriptions yet",
                     "Wait a moment; if this persists, see the broker's log."}
            : Reason{
                  "broker_refuses_subscription",
                  "The broker refuses the subscription to " + list(refused),
                  sentence(broker.filter_refusal.hint) + " The bridge asks again every 30 seconds.",
                  broker.filter_refusal.kind});
  } else if (broker.canary && !broker.flowing) {
    verdict.reasons.push_back({"broker_silent",
                               "Connected to the broker, but no canary message has come back",
                               "Wait a moment. If this persists, " + broker.canary_hint +
                                   "; see the broker's log, and restart the broker if it hangs."});
  } else {
    assess_topics(broker, verdict);
    if (!broker.canary_fault.empty()) {
      verdict.warnings.push_back(
          {"canary_blind",
           because("The bridge cannot tell whether messages flow", broker.canary_fault),
           sentence(broker.canary_hint)});
    }
  }
  if (broker.connected) {
    for (const auto& shortcoming : broker.shortcomings) {
      verdict.warnings.push_back({"broker_shortcoming", sentence_start(shortcoming.text),
                                  sentence(shortcoming.hint), shortcoming.kind});
    }
  }
  // Once the self-test passes again there is nothing left to do about an ACL.
  const bool allowed_since = broker.replies.verdict == Status::Broker::Passage::Verdict::good;
  if (const auto& refused = broker.last_refused_reply;
      refused && refused->ago < refusal_is_news &&
      !(allowed_since && refused->kind == "not_authorized")) {
    verdict.warnings.push_back(
        {"replies_refused",
         because("Since the start " + count(broker.unpublishable, "reply", "replies") +
                     " could not be published; the last one was for " + refused->topic + ", " +
                     in_words(refused->ago) + " ago",
                 refused->cause),
         sentence(refused->hint)});
  }
  if (broker.overflowed > 0) {
    verdict.warnings.push_back(
        {"replies_dropped",
         "Since the start " + count(broker.overflowed, "reply was dropped", "replies were dropped"),
         "The broker accepts replies too slowly, or was unavailable for a long time: check its "
         "load and its log."});
  }
}

/// Policies may allow some operations and not others; where nothing is allowed, no device is
/// served.
void assess_access(const Status::Endpoint& endpoint, Verdict& verdict) {
  if (endpoint.denied.empty()) return;
  std::vector<std::string> operations;
  std::vector<std::string> actions;
  for (const auto& denied : endpoint.denied) {
    operations.push_back(denied.operation);
    actions.push_back(denied.action);
  }
  auto& list_of = endpoint.denies_all ? verdict.reasons : verdict.warnings;
  list_of.push_back({"access_denied",
                     because("The endpoint denies the gateway access (" + list(operations) + ")",
                             endpoint.denied.front().cause),
                     sentence(hint_to_allow(list(actions))) +
                         " The next call that is allowed shows that it has taken effect.",
                     std::string(to_string(EndpointFault::access))});
}

void assess_endpoint(const Status& status, Verdict& verdict) {
  const auto& endpoint = status.endpoint;
  const auto held = status.requests.held;
  if (!endpoint.reachable) {
    std::string message = "No call to the endpoint has succeeded";
    if (endpoint.down_for) message += " for " + in_words(*endpoint.down_for);
    message = because(std::move(message), endpoint.cause);
    const auto hint =
        endpoint.hint.empty() ? "Check the network and endpoint.url." : sentence(endpoint.hint);
    verdict.reasons.push_back(
        {"endpoint_down", std::move(message),
         hint + (held > 0
                     ? " " + count(held, "update is held and will", "updates are held and will") +
                           " be delivered when calls succeed again."
                     : " Updates are held until calls succeed again; other requests are rejected. "
                       "The next request of a device, or poll for notifications, tries the "
                       "endpoint again."),
         endpoint.kind});
    return;
  }
  assess_access(endpoint, verdict);
  const auto assess_quota = [&](const Status::Quota& quota, const std::string& kind) {
    if (quota.paused_for) {
      verdict.warnings.push_back({kind + "_paused",
                                  "The endpoint throttles " + kind +
                                      " and asked for a pause: no calls for up to " +
                                      in_words(*quota.paused_for),
                                  "Wait: a call every few seconds tries whether it is over. "
                                  "Another client may be using the account's quota, or limits." +
                                      kind + "_per_second may exceed it."});
      return;
    }
    if (!quota.slowed) return;
    std::string message = "The endpoint throttles " + kind + ": calls are slowed down";
    if (quota.allowed > 0) {
      message += " to " + std::to_string(std::lround(quota.allowed)) + " a second";
    }
    verdict.warnings.push_back({kind + "_throttled", std::move(message),
                                "Another client may be using the account's quota, or limits." +
                                    kind + "_per_second may exceed it."});
  };
  assess_quota(status.reads, "reads");
  assess_quota(status.writes, "writes");
  if (held > 0) {
    verdict.warnings.push_back({"updates_held",
                                count(held, "update has waited", "updates have waited") +
                                    " for the endpoint longer than the device waits",
                                "Nothing to do: they are delivered as the quota allows."});
  }
}

/// Where they should come from, as part of a sentence.
std::string source_of(const Status::Credentials& credentials) {
  return "where they come from (" + credentials.source + ")";
}

void assess_credentials(const Status& status, Verdict& verdict) {
  const auto& credentials = status.credentials;
  if (!credentials.used()) return;
  if (!credentials.valid) {
    const bool expired = credentials.renewals > 0;
    verdict.reasons.push_back(
        {expired ? "credentials_expired" : "credentials_missing",
         because(expired ? "The credentials have expired" : "There are no credentials to sign with",
                 credentials.fault),
         "Check " + source_of(credentials) + ": see [credentials] in the configuration."});
  } else if (credentials.expires && *credentials.expires - status.now < soon) {
    const auto left =
        std::chrono::seconds(std::max<std::int64_t>(0, *credentials.expires - status.now));
    verdict.warnings.push_back(
        {"credentials_expire",
         because("The credentials expire in " + in_words(left), credentials.fault),
         "Check " + source_of(credentials) + ", which should have provided new ones."});
  } else if (!credentials.fault.empty()) {
    verdict.warnings.push_back(
        {"credentials_not_renewed",
         because("The last renewal of the credentials failed", credentials.fault),
         "The credentials in use are still valid; check " + source_of(credentials) + "."});
  }
  if (std::abs(credentials.clock_skew) > max_skew) {
    const auto off = in_words(std::chrono::seconds(std::abs(credentials.clock_skew)));
    verdict.warnings.push_back({"clock_off",
                                "This machine's clock is " + off +
                                    (credentials.clock_skew > 0 ? " behind" : " ahead of") +
                                    " the endpoint's",
                                "Set the clock, and keep it synchronized by NTP. Meanwhile the "
                                "bridge signs with the endpoint's time."});
  }
}

void assess_updates(const Status::Requests& requests, Verdict& verdict) {
  if (requests.lost > 0) {
    verdict.warnings.push_back(
        {"updates_lost",
         "Since the start " + count(requests.lost, "update was given up", "updates were given up"),
         "The log names each of them as \"update lost\": correct those job executions by hand."});
  }
  if (requests.rejected_late > 0) {
    verdict.warnings.push_back(
        {"updates_rejected_late",
         "Since the start the endpoint rejected " +
             count(requests.rejected_late, "update after its device had stopped waiting",
                   "updates after their devices had stopped waiting"),
         "The log names each of them as \"update rejected late\": check "
         "that those job executions are in the right state."});
  }
}

void assess_journal(const Status::Journal& journal, Verdict& verdict) {
  if (journal.enabled && journal.failing && journal.disk_stalled) {
    verdict.reasons.push_back(
        {"disk_stalled",
         "The journal's disk has not completed a write for " + in_words(*journal.disk_stalled),
         "Check the disk that journal.path is on, and the kernel's log for I/O errors. Updates are "
         "rejected until it responds; other requests are not affected by this."});
    return;
  }
  if (journal.enabled && journal.failing) {
    verdict.reasons.push_back(
        {"journal_failing", "The journal " + journal.path + " " + journal.cause,
         sentence(journal.hint) +
             (journal.takes_what_fits ? " Until then updates that do not fit are rejected; "
                                      : " Until then updates are rejected; ") +
             "other requests are not affected by this."});
    return;
  }
  if (journal.enabled && journal.not_recorded_ago && *journal.not_recorded_ago < refusal_is_news) {
    verdict.warnings.push_back(
        {"updates_refused",
         because("Since the start " + count(journal.not_recorded, "update", "updates") +
                     " could not be recorded; the last one was rejected " +
                     in_words(*journal.not_recorded_ago) + " ago",
                 "the journal " + journal.not_recorded_cause),
         "It can be written again." + (journal.hint.empty()
                                           ? std::string()
                                           : " If it happens again: " + journal.hint + ".")});
  }
  if (journal.max_bytes > 0 &&
      static_cast<double>(journal.bytes) > nearly_full * static_cast<double>(journal.max_bytes)) {
    verdict.warnings.push_back({"journal_filling",
                                "Held updates take more than four fifths of journal.max_size",
                                "Once it is full, updates are rejected. Restore the connection to "
                                "the endpoint, or raise journal.max_size."});
  }
}

/// Where another instance may serve in place of this one.
void assess_role(const Status& status, Verdict& verdict) {
  if (status.role == "standby") {
    verdict.reasons.push_back(
        {"standby", "Standing by: another instance serves these things, or may still serve them",
         "Nothing to do: this instance takes over when it hears nothing more of the other."});
  } else if (status.role == "waiting") {
    verdict.reasons.push_back({"lease_waiting",
                               "No calls until the calls of another instance have certainly ended",
                               "Wait: this takes as long as broker.lease."});
  } else if (status.role == "unproven" && status.broker.connected) {
    verdict.reasons.push_back({"lease_unproven",
                               "No calls: no canary message has come back for half of broker.lease",
                               "Wait a moment; if this persists, another instance may have taken "
                               "over, or the broker may not be delivering messages."});
  }
}

}  // namespace

Verdict readiness(const Status& status) {
  Verdict verdict;
  if (status.stopping) {
    verdict.reasons.push_back({"stopping", "The bridge is stopping", "Nothing to do."});
  }
  assess_role(status, verdict);
  if (status.role != "standby") assess_broker(status.broker, verdict);
  assess_credentials(status, verdict);
  assess_endpoint(status, verdict);
  assess_journal(status.journal, verdict);
  assess_updates(status.requests, verdict);
  return verdict;
}

}  // namespace jobs_bridge::admin

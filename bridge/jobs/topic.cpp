#include "bridge/jobs/topic.h"

#include <algorithm>

#include "bridge/text/ascii.h"

namespace jobs_bridge {
namespace {

constexpr std::string_view placeholder = "{thing}";

std::vector<std::string_view> levels_of(std::string_view topic) {
  std::vector<std::string_view> levels;
  while (true) {
    const auto slash = topic.find('/');
    levels.push_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

/// The prefix of the thing's level in a bridge's self-test. No thing's name contains a '~', and no
/// broker gives it a special meaning (as RabbitMQ, NATS and ActiveMQ do to a '.').
constexpr std::string_view self_test_prefix = "~self-test~";

bool is_reply(std::string_view level) {
  return level == "accepted" || level == "rejected";
}

/// Only as the last level: a job may be named like a notification.
bool is_notification(std::string_view below) {
  if (below.find('/') != below.npos) return false;
  return below == "notify" || below == "notify-next" || below.starts_with("notify-namespace-") ||
         below.starts_with("notify-next-namespace-");
}

struct Asked {
  Operation operation;
  std::string_view job;  ///< unchecked; empty where the topic names none
};

/// What a topic with these levels below the base asks for, if anything: exactly what our filters
/// match.
std::optional<Asked> asked_by(std::string_view below) {
  const auto slash = below.find('/');
  for (const auto operation : every_operation) {
    const auto facts = facts_of(operation);
    if (facts.job == NamedJob::none) {
      if (below == facts.verb) return Asked{operation, {}};
    } else if (slash != below.npos && below.substr(slash + 1) == facts.verb) {
      return Asked{operation, below.substr(0, slash)};
    }
  }
  return std::nullopt;
}

/// Whether namespace_filters() match it.
bool comes_as_of_namespace(std::string_view below) {
  if (std::ranges::count(below, '/') != 2) return false;
  const auto verb = below.substr(below.rfind('/') + 1);
  return std::ranges::any_of(every_operation, [&](Operation operation) {
    const auto facts = facts_of(operation);
    return facts.job != NamedJob::none && facts.verb == verb;
  });
}

/// Why a topic with these levels below the base asks for nothing.
std::string why_not_asked(std::string_view below) {
  const auto levels = levels_of(below);
  const bool of_namespace = levels.size() == 3 && levels[1].starts_with("namespace-");
  return of_namespace ? "namespaces of jobs, as AWS IoT Greengrass uses them, are not served"
                      : "no operation of the Jobs API has this topic";
}

/// What may follow the base in a Response Topic. A broker closes the connection of a client that
/// publishes to a topic it rejects (mosquitto: more than 200 levels, characters that are not text),
/// yet passes on such a Response Topic; so these bounds are narrower than any broker's.
bool publishable(std::string_view below) {
  constexpr std::size_t longest = 256;
  constexpr std::ptrdiff_t max_slashes = 15;
  return !below.empty() && below.size() <= longest &&
         std::ranges::count(below, '/') <= max_slashes &&
         std::ranges::all_of(below, [](char c) { return is_printable(c) && c != '+' && c != '#'; });
}

}  // namespace

Result<TopicGrammar, std::string> TopicGrammar::from_base(std::string_view base) {
  if (base.find_first_of(std::string_view("+#\0", 3)) != base.npos) {
    return Failure{std::string("contains a wildcard or a NUL")};
  }
  const auto levels = levels_of(base);
  if (std::ranges::count(levels, std::string_view()) > 0) {
    return Failure{std::string("has an empty level (a leading, trailing or double '/')")};
  }
  if (std::ranges::count(levels, placeholder) != 1) {
    return Failure{std::string("must contain the level {thing} exactly once")};
  }
  if (levels.front() == "$share") {
    return Failure{std::string("begins with $share: set broker.share_group instead")};
  }
  const auto whole_level = std::string("/") + std::string(base) + "/";
  const auto at = whole_level.find(std::string("/") + std::string(placeholder) + "/");
  auto before = whole_level.substr(1, at);
  auto after = whole_level.substr(at + 1 + placeholder.size());
  if (before.find(placeholder) != before.npos || after.find(placeholder) != after.npos) {
    return Failure{std::string("must contain {thing} as one whole level")};
  }
  return TopicGrammar(std::move(before), std::move(after));
}

std::string TopicGrammar::filter_start(std::string_view share_group) const {
  std::string start;
  if (!share_group.empty()) start = "$share/" + std::string(share_group) + "/";
  return start += before_ + "+" + after_;
}

std::vector<std::string> TopicGrammar::filters(std::string_view share_group) const {
  const auto start = filter_start(share_group);
  std::vector<std::string> filters;
  for (const auto operation : every_operation) {
    const auto facts = facts_of(operation);
    auto& filter = filters.emplace_back(start);
    if (facts.job != NamedJob::none) filter += "+/";
    filter += facts.verb;
  }
  return filters;
}

std::vector<std::string> TopicGrammar::namespace_filters(std::string_view share_group) const {
  const auto start = filter_start(share_group);
  std::vector<std::string> filters;
  for (const auto operation : every_operation) {
    const auto facts = facts_of(operation);
    if (facts.job != NamedJob::none) filters.push_back(start + "+/+/" + std::string(facts.verb));
  }
  return filters;
}

std::optional<TopicGrammar::Split> TopicGrammar::split(std::string_view topic) const {
  if (!topic.starts_with(before_)) return std::nullopt;
  topic.remove_prefix(before_.size());
  const auto slash = topic.find('/');
  if (slash == topic.npos) return std::nullopt;
  const auto rest = topic.substr(slash);
  if (!rest.starts_with(after_)) return std::nullopt;
  return Split{.thing = topic.substr(0, slash), .below = rest.substr(after_.size())};
}

bool TopicGrammar::brings_in(std::string_view topic) const {
  const auto parts = split(topic);
  return parts && (asked_by(parts->below) || comes_as_of_namespace(parts->below));
}

TopicGrammar::Parsed TopicGrammar::parse(std::string_view topic) const {
  const auto parts = split(topic);
  if (!parts) return NotARequest{};
  const auto below = parts->below;
  if (is_reply(below.substr(below.rfind('/') + 1)) || is_notification(below)) return NotARequest{};

  // From this bridge or another one at the same broker: no device waits for an answer.
  if (parts->thing.starts_with(self_test_prefix)) return NotARequest{};

  auto thing = ThingName::parse(parts->thing);
  if (!thing) return InvalidTopic{"thing name is not " + std::string(ThingName::rule)};

  const auto asked = asked_by(below);
  if (!asked) return InvalidTopic{why_not_asked(below)};
  const auto named_job = facts_of(asked->operation).job;
  if (named_job == NamedJob::none) {
    return TopicRequest{*std::move(thing), asked->operation, std::nullopt};
  }
  auto job = JobName::parse(asked->job);
  if (!job) return InvalidTopic{"job id is not " + std::string(JobName::rule)};
  if (named_job == NamedJob::by_id && job->is_next()) {
    return InvalidTopic{"$next has no " + std::string(to_string(asked->operation)) +
                        ": name the job by its id"};
  }
  return TopicRequest{*std::move(thing), asked->operation, std::move(job)};
}

TopicGrammar::SelfTest TopicGrammar::self_test(std::string_view bridge) const {
  std::string level(self_test_prefix);
  for (const char c : bridge) {
    const bool plain = is_letter_or_digit(c) || c == ':' || c == '_' || c == '-';
    level += plain ? c : '_';
  }
  const auto base = before_ + level + after_;
  SelfTest test;
  test.reserved = before_ + std::string(self_test_prefix);
  for (const auto operation : every_operation) {
    const auto facts = facts_of(operation);
    const auto below = (facts.job == NamedJob::none ? "" : "self-test/") + std::string(facts.verb);
    const auto& request = test.requests.emplace_back(base + below);
    for (const auto* suffix : {"/accepted", "/rejected"}) test.replies.push_back(request + suffix);
  }
  for (const auto* filter : {"+/accepted", "+/rejected", "+/+/accepted", "+/+/rejected"}) {
    test.reply_filters.push_back(base + filter);
  }
  return test;
}

std::string_view TopicGrammar::thing_level(std::string_view topic) const {
  const auto parts = split(topic);
  return parts ? parts->thing : std::string_view();
}

std::string TopicGrammar::topic_of(const ThingName& thing, std::string_view below) const {
  std::string topic = before_;
  ((topic += thing.text()) += after_) += below;
  return topic;
}

bool TopicGrammar::allows_response(const ThingName& thing, std::string_view topic) const {
  const auto parts = split(topic);
  if (!parts || parts->thing != thing.text() || !publishable(parts->below)) return false;
  const bool would_come_back =
      asked_by(parts->below).has_value() || comes_as_of_namespace(parts->below);
  return !would_come_back;
}

}  // namespace jobs_bridge

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/jobs/names.h"
#include "bridge/jobs/operation.h"
#include "bridge/result.h"

namespace jobs_bridge {

/// What a request topic asks for: `.../things/T/jobs/J/get` is a describe of job J of thing T.
struct TopicRequest {
  ThingName thing;
  Operation operation;
  /// Present where the operation's topic names one, see OperationFacts.
  std::optional<JobName> job;
};

/// A topic that looks like a request but maps to no operation.
struct InvalidTopic {
  std::string message;
};

/// A topic that expects no answer: a reply, a notification, or a topic outside the base.
struct NotARequest {};

/// The topics below one base such as `$aws/things/{thing}/jobs`, exactly as AWS IoT reserves them
/// (AWS IoT developer guide, jobs-mqtt-api). Immutable; any thread may use it.
class TopicGrammar {
 public:
  /// `base` holds the level `{thing}` exactly once. The error says what is wrong with it.
  static Result<TopicGrammar, std::string> from_base(std::string_view base);

  /// The topic filters that match every request and none of our own replies; with a share group
  /// each becomes `$share/<group>/<filter>`.
  [[nodiscard]] std::vector<std::string> filters(std::string_view share_group = {}) const;

  /// The filters that match requests of AWS IoT Greengrass in a jobs namespace
  /// (`.../J/namespace-aws-gg-deployment/get`): these are not served, but get a rejection.
  [[nodiscard]] std::vector<std::string> namespace_filters(std::string_view share_group = {}) const;

  /// Whether any of these filters matches `topic`.
  [[nodiscard]] bool brings_in(std::string_view topic) const;

  using Parsed = std::variant<TopicRequest, InvalidTopic, NotARequest>;
  /// Requests are distinguished by the number of levels below the base, so that a job may be named
  /// `get` or `start-next` without ambiguity.
  [[nodiscard]] Parsed parse(std::string_view topic) const;

  /// The level of a topic where the base has `{thing}`, unchecked; empty outside the base.
  [[nodiscard]] std::string_view thing_level(std::string_view topic) const;

  /// Topics in the form of requests and replies that belong to no thing: a bridge publishes to them
  /// to check whether the broker passes such messages on.
  struct SelfTest {
    std::vector<std::string> requests;       ///< one for each filter of filters()
    std::vector<std::string> replies;        ///< to those
    std::vector<std::string> reply_filters;  ///< which match the replies and none of the requests
    std::string reserved;  ///< the prefix of such topics of this and every other bridge
  };
  /// `bridge`: distinguishes this bridge from others at the same broker, such as its client id.
  [[nodiscard]] SelfTest self_test(std::string_view bridge) const;

  /// The topic of that thing whose levels below the base are `below`.
  [[nodiscard]] std::string topic_of(const ThingName& thing, std::string_view below) const;

  /// Whether a reply to `thing` may go to this MQTT 5 Response Topic: inside the thing's own base,
  /// fit to be published to (what follows the base is printable ASCII without wildcards, at most
  /// 256 bytes and 16 levels), and not itself a request topic.
  [[nodiscard]] bool allows_response(const ThingName& thing, std::string_view topic) const;

 private:
  TopicGrammar(std::string before, std::string after)
      : before_(std::move(before)), after_(std::move(after)) {}

  struct Split {
    std::string_view thing;
    std::string_view below;  ///< what follows the base and its '/'
  };
  [[nodiscard]] std::optional<Split> split(std::string_view topic) const;
  /// The beginning of every filter, up to the level behind the base.
  [[nodiscard]] std::string filter_start(std::string_view share_group) const;

  std::string before_;  ///< up to the level {thing}: "$aws/things/"
  std::string after_;   ///< behind it, with the '/' that ends the base: "/jobs/"
};

}  // namespace jobs_bridge

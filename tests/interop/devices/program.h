#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace jobs_bridge::testing_support {

/// What a real device's program does with AWS IoT Jobs, as a table that can be played against a
/// broker. Topics stand below `$aws/things/THING/jobs/`.
///
/// In topics and payloads `{thing}` is the thing's name, `{token}` a client token that was not used
/// before, and `{/pointer}` what that JSON pointer finds in the message that the program reacts to;
/// `{/pointer+1}` is the next whole number.

struct Subscribe {
  std::string filter;
  int qos = 1;
};

struct Publish {
  std::string topic;
  std::string payload;  ///< byte for byte as the program writes it
  int qos = 1;
};

/// Waits for a message on this topic. Where the request had a token, the reply must have it too:
/// the program takes no notice of others.
struct Await {
  std::string topic;
  /// After this the program takes its request for lost.
  std::chrono::seconds limit{10};
};

/// The device starts anew: another connection, and all that it does at its start.
struct Restart {};

using Step = std::variant<Subscribe, Publish, Await, Restart>;

/// What the program does when a message comes that it has not been waiting for.
struct Reaction {
  std::string topic;  ///< or a filter
  /// The JSON pointer that it looks for; a message without it is of no interest.
  std::string wants;
  /// Not empty: and that has this value.
  std::string value = {};
  /// Not empty: and this is not there.
  std::string wants_not = {};
  /// What it then reads without looking whether it is there.
  std::vector<std::string> reads = {};
  std::vector<Step> does = {};
};

struct DeviceProgram {
  enum class Asks {
    with_subscriptions,
    without_subscriptions,
    /// Without subscriptions, and what it asks for may as well come by notify-next.
    without_need_of_replies
  };

  std::string name;  ///< of letters and digits
  bool mqtt_5 = false;
  bool clean_session = true;
  std::string client_id = "{thing}";
  /// Whether it subscribes to the replies that it needs, or relies on getting what it asked for.
  Asks asks = Asks::with_subscriptions;
  /// Of a whole PUBLISH packet; a larger one ends it. 0: no limit that matters.
  std::size_t largest_packet = 0;
  /// It ends once it hears that no job is left.
  bool ends_when_idle = false;
  /// Which notification tells it that no job is left: notify-next without an execution, or notify
  /// without jobs.
  std::string hears_idle_on = "notify-next";

  std::vector<Step> starts = {};
  std::vector<Reaction> reacts = {};
  /// Replies on these make it give up.
  std::vector<std::string> gives_up_on = {};

  std::string document = "{}";  ///< of a job that it can carry out
  /// The statuses that it reports of each job, in this order.
  std::vector<std::string> reports = {"SUCCEEDED"};
};

}  // namespace jobs_bridge::testing_support

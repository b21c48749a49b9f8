#include "adapters/mqtt/acl_hints.h"

#include <string_view>
#include <vector>

namespace jobs_bridge::mqtt {
namespace {

using Lines = std::vector<std::string>;

std::string quoted(const BrokerSettings& settings, const Lines& lines) {
  std::string text = "(in mosquitto's acl_file: ";
  if (!settings.username.empty()) text += "\"user " + settings.username + "\", ";
  for (std::size_t index = 0; index < lines.size(); ++index) {
    text += (index == 0 ? "\"topic " : ", \"topic ") + lines[index] + "\"";
  }
  return text + ")";
}

void add(Lines& lines, std::string_view access, const std::vector<std::string>& topics) {
  for (const auto& topic : topics) lines.push_back(std::string(access) + " " + topic);
}

}  // namespace

AclHints acl_hints(const BrokerSettings& settings) {
  const auto& test = settings.test_topics;
  AclHints hints;
  if (!settings.canary_topic.empty()) {
    hints.canary = "allow the bridge's user to publish and subscribe to its canary topic " +
                   quoted(settings, {"readwrite " + settings.canary_topic}) +
                   ", or set broker.canary_topic to another topic, or to \"\" to do without";
  }
  if (test.requests.empty()) return hints;
  Lines lines;
  add(lines, "read", test.request_filters);
  add(lines, "write", {test.everything});
  hints.requests =
      "allow the bridge's user to read request topics, and to write them for its self-test " +
      quoted(settings, lines) +
      "; if the broker drops messages on topics that begin with $, or does not deliver them to "
      "shared subscriptions, set topics.base to one without $, or use another broker";
  lines.clear();
  add(lines, "write", {test.everything});
  if (settings.protocol == BrokerSettings::Protocol::v3_1_1) {
    add(lines, "read", test.reply_filters);
    hints.replies =
        "allow the bridge's user to write replies, and to read those of its self-test, "
        "since over MQTT 3.1.1 the broker does not say what it drops " +
        quoted(settings, lines);
  } else {
    hints.replies = "allow the bridge's user to write replies " + quoted(settings, lines);
  }
  return hints;
}

}  // namespace jobs_bridge::mqtt

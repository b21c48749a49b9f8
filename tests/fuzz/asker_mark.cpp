// What the mosquitto plugin makes of messages. Input: a byte of flags (bits 0 and 1: QoS; bit 2:
// the device's request has Correlation Data), the topic up to a newline, the client id up to a
// newline, and the Correlation Data: the device's with its request, or a bridge's with its reply.

#include "adapters/mosquitto_plugin/asker_mark.h"

#include <string>
#include <variant>

#include "adapters/mosquitto_plugin/decision.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::mosquitto_plugin;
using fuzz::promise;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto options = read_options({{"bridge", "bridge"}}).value();
  fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  const int qos = static_cast<int>((flags & 3U) % 3U);
  const std::string topic(input.line());
  const std::string client_id(input.line());
  const std::string bytes(input.rest());

  if (const auto mark = decode(bytes)) {
    promise(encode(*mark) == bytes, "there is one way to write a mark");
    promise(mark->client_id.find('\0') == mark->client_id.npos && !mark->client_id.empty(),
            "a mark names a client");
  }

  Published published{.client_id = client_id, .mqtt_5 = true, .topic = topic, .qos = qos};
  if ((flags & 4U) != 0) published.correlation_data = bytes;
  const auto decision = decide(options, published);
  promise(concerns_us(options, topic) || std::holds_alternative<LeaveAlone>(decision),
          "what does not concern us is left alone");
  if (const auto* reply = std::get_if<DeliverReply>(&decision)) {
    promise(client_id == "bridge" || client_id == "bridge-replies", "replies are a bridge's");
    promise(decode(bytes)->client_id == reply->client_id, "a reply goes to whom its mark names");
    promise(reply->qos <= qos, "the QoS is not raised");
  }
  const auto* request = std::get_if<MarkRequest>(&decision);
  if (request == nullptr) return 0;
  promise(options.grammar.brings_in(topic), "only requests are marked");
  if (!request->correlation_data) {
    promise(client_id.size() + bytes.size() + 7 > max_correlation_data,
            "a mark is missing only where it does not fit");
    return 0;
  }
  promise(request->correlation_data->size() <= max_correlation_data, "MQTT can carry a mark");
  const auto reply = decide(options, {.client_id = "bridge",
                                      .mqtt_5 = true,
                                      .topic = topic + "/accepted",
                                      .qos = 1,
                                      .correlation_data = *request->correlation_data});
  const bool has_name = !client_id.empty() && client_id.find('\0') == client_id.npos;
  const auto* delivered = std::get_if<DeliverReply>(&reply);
  const bool inside = !options.grammar.thing_level(topic).empty();
  promise((delivered != nullptr) == (has_name && inside), "a reply finds its asker");
  if (delivered != nullptr) {
    promise(delivered->client_id == client_id, "and nobody else");
    promise(delivered->correlation_data.has_value() == published.correlation_data.has_value() &&
                (!delivered->correlation_data || *delivered->correlation_data == bytes),
            "with the Correlation Data that it sent");
  }
  return 0;
}

// A message as the broker hands it over, from the payload to the call and the first reply. Input:
// the topic's levels below the thing's base, a newline, the content type, a newline, the payload.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "bridge/flow/intake.h"
#include "bridge/flow/respond.h"
#include "bridge/jobs/call.h"
#include "bridge/jobs/cbor.h"
#include "bridge/jobs/content_type.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/judge.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using fuzz::promise;
using nlohmann::json;

constexpr std::size_t max_payload = 4096;
const std::string base = "$aws/things/pump-1/jobs/";

json read(std::string_view text) {
  auto value = fuzz::judged(text);
  promise(value.has_value(), "what the bridge takes or writes is JSON to others");
  return *std::move(value);
}

/// The reply's text, from whatever form the device asked for.
std::string text_of(const Publication& publication) {
  if (publication.content_type != "application/cbor") return publication.payload;
  const auto text = json_from_cbor(publication.payload);
  promise(text.has_value(), "a reply in CBOR can be read");
  promise(!json::from_cbor(publication.payload, true, false).is_discarded(),
          "a reply in CBOR is CBOR to others");
  return *text;
}

void check_call(const Request& request) {
  const auto call = build_call(request);
  promise(call.target.starts_with("/things/pump-1/jobs"), "a call stays with its thing");
  for (const char c : call.target) {
    promise(c > ' ' && c <= '~', "a call's target is printable ASCII");
  }
  if (call.body.empty()) return;
  const auto body = read(call.body);
  promise(body.is_object() && !body.contains("clientToken"),
          "a call's body is an object without the client's token");
  if (request.operation == Operation::update) {
    promise(body.value("status", "") == request.status, "the call says the status");
  }
}

void check_reply(const ReplyAddress& address, const Answer& answer, std::string_view suffix) {
  Effects effects;
  respond({.monotonic = address.received, .unix_seconds = 1'700'000'000}, address, answer, "",
          effects);
  promise(effects.publications.size() == 1, "a request has one reply");
  const auto& reply = effects.publications.front();
  promise(reply.topic == address.topic + std::string(suffix), "the reply goes to its topic");
  const auto payload = read(text_of(reply));
  promise(payload.value("timestamp", 0) == 1'700'000'000, "the reply has the timestamp");
  promise(payload.contains("clientToken") == !address.client_token.empty(),
          "the token is there if the request had one");
}

/// What the others understand of a payload that the bridge takes.
void check_token(const std::string& token, const json& payload) {
  if (!payload.is_object()) return;
  const auto member = payload.find("clientToken");
  const bool has_token = member != payload.end() && member->is_string();
  promise(token.empty() || has_token, "a token is not invented");
  if (has_token && !token.empty()) promise(read(token) == *member, "the token is the device's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  static const Intake intake(*TopicGrammar::from_base("$aws/things/{thing}/jobs"), Partition{},
                             max_payload);
  Message message;
  message.topic = base + std::string(input.line());
  message.content_type = input.line();
  message.payload = input.rest();
  const auto result = intake.read({}, message);
  if (const auto* refused = std::get_if<Intake::Refused>(&result)) {
    promise(!refused->rejection.message.empty(), "a refusal has a reason");
    check_reply(refused->address, refused->rejection, "/rejected");
    return 0;
  }
  const auto* taken = std::get_if<Intake::Taken>(&result);
  if (taken == nullptr) return 0;
  promise(message.payload.size() <= max_payload, "a payload keeps its limit");
  auto text = message.payload.empty() ? "{}" : message.payload;
  if (is_cbor(message.content_type) && !message.payload.empty()) {
    text = *json_from_cbor(message.payload);
  }
  const auto payload = read(text);
  promise(payload.is_object(), "a payload that is taken is an object");
  check_token(taken->address.client_token, payload);
  if (taken->request.operation == Operation::update) {
    promise(payload.contains("status") && payload["status"] == *taken->request.status,
            "the status is the device's");
  }
  check_call(taken->request);
  check_reply(taken->address, Accepted{}, "/accepted");
  return 0;
}

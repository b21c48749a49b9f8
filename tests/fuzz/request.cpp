// A message as the broker hands it over, from the payload to the call and the first reply. Input:
// the topic's levels below the thing's base, a newline, the content type, a newline, the payload.

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "bridge/flow/intake.h"
#include "bridge/flow/publish_reply.h"
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
}

/// What the Jobs API wants of a member.
enum class Type { number, flag, text, details };

/// What others read a value as in that type, if it can be.
json converted(Type type, const json& value) {
  const auto text = value.is_string() ? value.get<std::string>() : value.dump();
  switch (type) {
    case Type::number: {
      const auto number =
          value.is_string() || value.is_number() ? json::parse(text, nullptr, false) : json();
      return number.is_number_integer() ? number : value;
    }
    case Type::flag:
      if (text == "true" || text == "false") return text == "true";
      return value;
    case Type::text:
      return value.is_boolean() ? json(text) : value;
    case Type::details: {
      if (!value.is_object()) return value;
      auto details = json::object();
      for (const auto& [name, detail] : value.items()) {
        if (!detail.is_null()) details[name] = converted(Type::text, detail);
      }
      return details;
    }
  }
  return value;
}

/// Whether two JSON values say the same; how a number is written as text is not compared.
bool same(const json& sent, const json& wanted) {
  if (wanted.is_number() && sent.is_string()) return true;
  if (wanted.is_string() && sent.is_number()) return true;
  if (!wanted.is_object() || !sent.is_object()) return sent == wanted;
  for (const auto& [name, value] : wanted.items()) {
    if (!sent.contains(name) || !same(sent[name], value)) return false;
  }
  return sent.size() == wanted.size();
}

/// Every member that a body's operation has goes to the endpoint, in the type of the API if it can.
void check_members(const Request& request, const json& payload) {
  if (request.operation == Operation::get_pending || request.operation == Operation::describe) {
    return;
  }
  const auto body = read(build_call(request).body);
  constexpr std::array<std::pair<const char*, Type>, 7> members = {
      {{"statusDetails", Type::details},
       {"stepTimeoutInMinutes", Type::number},
       {"status", Type::text},
       {"expectedVersion", Type::number},
       {"executionNumber", Type::number},
       {"includeJobExecutionState", Type::flag},
       {"includeJobDocument", Type::flag}}};
  const std::size_t count = request.operation == Operation::update ? members.size() : 2;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [name, type] = members.at(i);
    const bool given = payload.contains(name) && !payload[name].is_null();
    promise(body.contains(name) == given, "a member goes to the endpoint if it was given");
    if (given) {
      promise(same(body[name], converted(type, payload[name])),
              "a member goes to the endpoint as the API has it");
    }
  }
  promise(body.size() <= count, "a call has no member that its device did not give");
}

void check_reply(const ReplyAddress& address, const Answer& answer, std::string_view suffix) {
  Effects effects;
  publish_reply({.monotonic = address.received, .unix_seconds = 1'700'000'000}, address, answer, "",
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
  const bool has_token = member != payload.end() && !member->is_null();
  promise(token.empty() != has_token, "a request that is taken has the token that it came with");
  if (!has_token) return;
  promise(read(token).is_string(), "a token is a string");
  if (member->is_string()) promise(read(token) == *member, "the token is the device's");
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
  if (const auto* refused = std::get_if<Intake::Rejected>(&result)) {
    promise(!refused->rejection.message.empty(), "a refusal has a reason");
    check_reply(refused->address, refused->rejection, "/rejected");
    return 0;
  }
  const auto* taken = std::get_if<Intake::Valid>(&result);
  if (taken == nullptr) return 0;
  promise(message.payload.size() <= max_payload, "a payload keeps its limit");
  auto text = message.payload.empty() ? "{}" : message.payload;
  if (is_cbor(message.content_type) && !message.payload.empty()) {
    text = *json_from_cbor(message.payload);
  }
  const auto payload = read(text);
  promise(payload.is_object(), "a payload that is taken is an object");
  check_token(taken->address.client_token, payload);
  check_call(taken->request);
  check_members(taken->request, payload);
  check_reply(taken->address, Accepted{}, "/accepted");
  return 0;
}

#include "bridge/jobs/error_body.h"

#include <initializer_list>
#include <utility>

#include "bridge/text/ascii.h"

namespace jobs_bridge {
namespace {

using Members = std::vector<json_text::Member>;

std::string text_of(const Members& members, std::string_view name) {
  const auto* member = json_text::find(members, name);
  if (member == nullptr || !json_text::is_string(member->value)) return {};
  return json_text::decode_string(member->value).value_or("");
}

std::string first_text(const Members& members, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (auto text = text_of(members, name); !text.empty()) return text;
  }
  return {};
}

/// `aws.iot#ThrottlingException:http://...` -> `ThrottlingException`.
std::string bare_name(std::string name) {
  if (const auto colon = name.find(':'); colon != std::string::npos) name.resize(colon);
  if (const auto hash = name.rfind('#'); hash != std::string::npos) name.erase(0, hash + 1);
  return name;
}

/// The endpoint's message without secrets: when AWS refuses a signature it quotes the request,
/// including the header with the session token of the gateway's credentials.
std::string message_in(const Members& members) {
  constexpr std::string_view token = "x-amz-security-token";
  auto message = first_text(members, {"message", "Message"});
  if (const auto found = lower_case(message).find(token); found != std::string::npos) {
    message.resize(found);
    message += "(the rest is left out: it holds a secret)";
  }
  return message;
}

ErrorBody enveloped(const Members& members) {
  ErrorBody error{.shape = ErrorBody::Shape::envelope, .name = {}, .message = {}};
  if (const auto* inside = json_text::find(members, "error")) {
    if (const auto inner = json_text::members_of(inside->value)) {
      error.name = text_of(*inner, "code");
      error.message = message_in(*inner);
    }
  }
  return error;
}

}  // namespace

ErrorBody::Shape shape_of(const Members& members) {
  const auto* success = json_text::find(members, "success");
  if (success == nullptr) return ErrorBody::Shape::plain;
  if (success->value == "true") return ErrorBody::Shape::success;
  return success->value == "false" ? ErrorBody::Shape::envelope : ErrorBody::Shape::plain;
}

ErrorBody read_error(std::string_view error_type, const Members& members) {
  const auto shape = shape_of(members);
  if (shape == ErrorBody::Shape::envelope) return enveloped(members);
  return {.shape = shape,
          .name = bare_name(error_type.empty() ? first_text(members, {"code", "Code", "__type"})
                                               : std::string(error_type)),
          .message = message_in(members)};
}

ErrorBody read_error(std::string_view error_type, std::string_view body) {
  const auto members = json_text::members_of(body);
  if (members) return read_error(error_type, *members);
  return {
      .shape = ErrorBody::Shape::page, .name = bare_name(std::string(error_type)), .message = {}};
}

}  // namespace jobs_bridge

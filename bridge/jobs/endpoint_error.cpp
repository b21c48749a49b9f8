#include "bridge/jobs/endpoint_error.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge {
namespace {

/// Enough for a sentence, and a bound on what an endpoint can make us send to a device.
constexpr std::size_t longest_message = 1024;

constexpr std::string_view no_reason = "the endpoint gave no reason";

struct Meaning {
  std::string_view name;
  ErrorCode code;
};

/// Errors that say something about the device's request. All others are InternalError.
constexpr std::array aws_meanings = {
    Meaning{"InvalidRequestException", ErrorCode::invalid_request},
    Meaning{"ValidationException", ErrorCode::invalid_request},
    Meaning{"SerializationException", ErrorCode::invalid_request},
    Meaning{"ResourceNotFoundException", ErrorCode::resource_not_found},
    Meaning{"InvalidStateTransitionException", ErrorCode::invalid_state_transition},
    Meaning{"ConflictException", ErrorCode::invalid_state_transition},
    Meaning{"VersionConflictException", ErrorCode::version_mismatch},
    Meaning{"TerminalStateException", ErrorCode::terminal_state_reached},
};

std::string text_of(const std::vector<json_text::Member>& members, std::string_view name) {
  const auto* member = json_text::find(members, name);
  if (member == nullptr || !json_text::is_string(member->value)) return {};
  return json_text::decode_string(member->value).value_or("");
}

std::string first_text(const std::vector<json_text::Member>& members,
                       std::initializer_list<std::string_view> names) {
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

std::string error_name(const HttpResponse& response,
                       const std::vector<json_text::Member>& members) {
  return bare_name(response.error_type.empty() ? first_text(members, {"code", "Code", "__type"})
                                               : response.error_type);
}

/// What AWS's front door says of signatures and certificates, with and without the ending that some
/// of its services give to errors (AWS general reference, "Common errors").
bool is_about_credentials(std::string_view name) {
  constexpr std::array<std::string_view, 12> names = {
      "CertificateValidation",      "ExpiredToken",          "IncompleteSignature",
      "InvalidAccessKeyId",         "InvalidClientTokenId",  "InvalidSignature",
      "MissingAuthenticationToken", "NotAuthenticated",      "RequestExpired",
      "RequestTimeTooSkewed",       "SignatureDoesNotMatch", "UnrecognizedClient"};
  constexpr std::string_view ending = "Exception";
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
  return std::ranges::find(names, name) != names.end();
}

bool is_throttling(int status, std::string_view name) {
  return status == 429 || name.starts_with("Throttling") || name.starts_with("TooManyRequests");
}

std::string or_else(std::string message, std::string_view otherwise) {
  if (message.empty()) return std::string(otherwise);
  if (message.size() <= longest_message) return message;
  auto end = longest_message;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
  message.resize(end);
  return message;
}

std::string status_and_name(const HttpResponse& response, std::string_view name) {
  auto text = "HTTP " + std::to_string(response.status);
  if (!name.empty()) (text += ' ') += name.substr(0, 128);
  return text;
}

bool refuses_gateway(const HttpResponse& response) {
  return response.status == 401 || response.status == 403;
}

/// For the device: that the endpoint failed and how. What the endpoint says about it may name the
/// gateway's account or role and is for the operator only.
Rejection internal_error(const HttpResponse& response, std::string_view name, std::string message) {
  const bool refused = refuses_gateway(response) || name == "CertificateValidationException";
  return {.code = ErrorCode::internal_error,
          .message = (refused ? "the endpoint refuses the gateway: " : "the endpoint failed: ") +
                     status_and_name(response, name),
          .detail = or_else(std::move(message), no_reason)};
}

Rejection throttled(const HttpResponse& response, std::string message) {
  constexpr std::string_view otherwise = "the endpoint throttles: ask again later";
  if (refuses_gateway(response)) {
    return {ErrorCode::request_throttled, std::string(otherwise), std::move(message)};
  }
  return {ErrorCode::request_throttled, or_else(std::move(message), otherwise)};
}

/// What the endpoint says, but for what nobody may read: when AWS refuses a signature it repeats
/// the request, and in it the session token of the gateway's credentials, which is a header.
std::string message_in(const std::vector<json_text::Member>& members) {
  constexpr std::string_view token = "x-amz-security-token";
  auto message = first_text(members, {"message", "Message"});
  const auto found = std::search(
      message.begin(), message.end(), token.begin(), token.end(),
      [](char letter, char wanted) { return letter == wanted || letter - 'A' + 'a' == wanted; });
  if (found != message.end()) {
    message.erase(found, message.end());
    message += "(the rest is left out: it holds a secret)";
  }
  return message;
}

/// Without case, separators and the ending that AWS gives to errors, so that TERMINAL_STATE and
/// TerminalStateException read alike.
std::string folded(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '_' || c == '-') continue;
    text += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  constexpr std::string_view ending = "EXCEPTION";
  if (text.ends_with(ending)) text.resize(text.size() - ending.size());
  return text;
}

std::optional<ErrorCode> enveloped_meaning(std::string_view given) {
  const auto code = folded(given);
  if (code == "VALIDATIONERROR") return ErrorCode::invalid_request;
  if (code.find("NOTFOUND") != std::string::npos) return ErrorCode::resource_not_found;
  if (code.find("THROTTL") != std::string::npos || code.starts_with("RATE")) {
    return ErrorCode::request_throttled;
  }
  for (const auto& [name, meaning] : aws_meanings) {
    if (code == folded(name) || code == folded(to_string(meaning))) return meaning;
  }
  return std::nullopt;
}

}  // namespace

Rejection read_aws_error(const HttpResponse& response,
                         const std::vector<json_text::Member>& members) {
  const auto name = error_name(response, members);
  auto message = message_in(members);
  if (is_throttling(response.status, name)) return throttled(response, std::move(message));
  if (response.status >= 400 && response.status < 500 && !refuses_gateway(response)) {
    for (const auto& [known, code] : aws_meanings) {
      if (name != known) continue;
      // HTTP has one exception for a wrong state and for a wrong version; the wording of the
      // latter was captured from the live service.
      const bool version =
          code == ErrorCode::invalid_state_transition && message.starts_with("Expected version");
      return {version ? ErrorCode::version_mismatch : code, or_else(std::move(message), no_reason)};
    }
    if (response.status == 409) {
      return {ErrorCode::invalid_state_transition, or_else(std::move(message), no_reason)};
    }
    if (response.status == 410) {
      return {ErrorCode::terminal_state_reached, or_else(std::move(message), no_reason)};
    }
  }
  return internal_error(response, name, std::move(message));
}

bool refuses_credentials(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  if (response == nullptr || response->status < 400 || response->status >= 500) return false;
  if (!response->error_type.empty()) return is_about_credentials(bare_name(response->error_type));
  const auto members = json_text::members_of(response->body);
  return members && is_about_credentials(error_name(*response, *members));
}

bool denies_access(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  return response != nullptr && refuses_gateway(*response) &&
         bare_name(response->error_type).starts_with("AccessDenied");
}

Rejection read_enveloped_error(const HttpResponse& response,
                               const std::vector<json_text::Member>& members) {
  std::string code;
  std::string message;
  if (const auto* error = json_text::find(members, "error")) {
    if (const auto inner = json_text::members_of(error->value)) {
      code = text_of(*inner, "code");
      message = message_in(*inner);
    }
  }
  const auto meaning = enveloped_meaning(code);
  if (response.status == 429 || meaning == ErrorCode::request_throttled) {
    return throttled(response, std::move(message));
  }
  if (refuses_gateway(response)) return internal_error(response, code, std::move(message));
  if (meaning) return {*meaning, or_else(std::move(message), no_reason)};
  return {.code = ErrorCode::internal_error,
          .message = or_else(std::move(message), "the endpoint failed without a reason"),
          .detail = status_and_name(response, code)};
}

Rejection no_answer(const HttpFailure& failure) {
  using Kind = HttpFailure::Kind;
  std::string message;
  switch (failure.kind) {
    case Kind::resolve:
    case Kind::connect:
    case Kind::tls:
      message = "the endpoint cannot be reached";
      break;
    case Kind::timeout:
      message = "the endpoint did not answer in time";
      break;
    case Kind::broken:
    case Kind::too_large:
      message = "the endpoint did not give a proper answer";
      break;
    case Kind::credentials:
      message = "the gateway has no credentials for the endpoint";
      break;
    case Kind::stopped:
      message = "the gateway is shutting down: ask again";
      break;
  }
  return {ErrorCode::internal_error, std::move(message), failure.detail};
}

}  // namespace jobs_bridge

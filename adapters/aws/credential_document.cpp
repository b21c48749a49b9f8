#include "adapters/aws/credential_document.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "adapters/aws/usable.h"
#include "bridge/jobs/http_date.h"
#include "bridge/text/ascii.h"
#include "bridge/text/utf8.h"

namespace jobs_bridge::aws {
namespace {

using Json = nlohmann::json;

struct Names {
  const char* id;
  const char* secret;
  const char* token;
  const char* expiration;
};

constexpr Names names_of(DocumentForm form) {
  return form == DocumentForm::iot
             ? Names{"accessKeyId", "secretAccessKey", "sessionToken", "expiration"}
             : Names{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string refusal(const HttpResponse& response, const Json& document, std::string_view secret) {
  auto text = "HTTP " + std::to_string(response.status);
  if (!document.is_object()) return text;
  for (const char* name : {"message", "Message", "code", "Code"}) {
    if (const auto said = text_in(document, name); !said.empty()) {
      return text + ": " + safe_to_log(said, secret);
    }
  }
  return text;
}

/// `Z`, `+hh:mm` or `-hhmm`, in seconds; nothing for any other text.
std::optional<std::int64_t> read_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const std::int64_t sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  std::string digits(text);
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  if (digits.size() != 4 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const auto hours = std::int64_t{digits[0] - '0'} * 10 + (digits[1] - '0');
  const auto minutes = std::int64_t{digits[2] - '0'} * 10 + (digits[3] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

std::string safe_to_log(std::string text, std::string_view secret) {
  // Before the text is shortened: a secret that is cut in two would not be found.
  constexpr std::string_view in_its_place = "(a secret)";
  for (auto at = secret.empty() ? text.npos : text.find(secret); at != text.npos;
       at = text.find(secret, at + in_its_place.size())) {
    text.replace(at, secret.size(), in_its_place);
  }
  constexpr std::size_t longest = 200;
  text.resize(shortened(text, longest).size());
  std::ranges::replace_if(text, is_control, ' ');
  return text;
}

std::optional<std::int64_t> read_timestamp(std::string_view text) {
  std::tm parts{};
  const std::string whole(text);
  const char* rest = strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    ++rest;
    while (is_digit(*rest)) ++rest;
  }
  const auto offset = read_offset(rest);
  if (!offset) return std::nullopt;
  return timegm(&parts) - *offset;
}

Result<Credentials, SourceFault> with_end(Credentials credentials, const std::string& expiration,
                                          const HttpResponse& response, const std::string& where,
                                          MonotonicTime now, std::int64_t unix_now) {
  const auto fault = [&](const std::string& what) {
    return Failure{SourceFault{.cause = where + ": " + what}};
  };
  credentials.expiration = read_timestamp(expiration);
  if (!credentials.expiration) return fault("the credentials' expiration is not a valid time");
  const auto date = read_http_date(response.date);
  const auto issued = date ? date->time_since_epoch().count() : unix_now;
  // No credentials are issued for longer, and the sum must not overflow.
  constexpr std::int64_t longest = 10L * 365 * 86400;
  // Date has no fraction of a second, so they may expire up to a second earlier.
  const auto left = std::clamp<std::int64_t>(*credentials.expiration - issued - 1, 0, longest);
  credentials.expires = now + std::chrono::seconds(left);
  if (left == 0) return fault("its credentials have already expired");
  return check_usable(std::move(credentials), where);
}

Result<Credentials, SourceFault> read_document(const HttpResponse& response, DocumentForm form,
                                               const std::string& where, MonotonicTime now,
                                               std::int64_t unix_now, std::string_view secret) {
  const auto fault = [&](const std::string& what) {
    return Failure{SourceFault{.cause = where + ": " + what}};
  };
  auto document = Json::parse(response.body, nullptr, false);
  if (response.status != 200) return fault(refusal(response, document, secret));
  if (!document.is_object()) return fault("the answer is not a JSON object");
  // An instance without a role answers with status 200 and an error code.
  if (const auto code = text_in(document, "Code"); !code.empty() && code != "Success") {
    return fault("it answers " + safe_to_log(code, secret));
  }
  if (form == DocumentForm::iot) document = document.value("credentials", Json::object());
  if (!document.is_object()) return fault("the answer's credentials are not an object");

  const auto names = names_of(form);
  Credentials credentials;
  credentials.access_key_id = text_in(document, names.id);
  credentials.secret_access_key = text_in(document, names.secret);
  credentials.session_token = text_in(document, names.token);
  if (document.contains(names.expiration)) {
    return with_end(std::move(credentials), text_in(document, names.expiration), response, where,
                    now, unix_now);
  }
  return check_usable(std::move(credentials), where);
}

}  // namespace jobs_bridge::aws

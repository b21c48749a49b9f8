#include "adapters/aws/sts_answer.h"

#include "adapters/aws/credential_document.h"

namespace jobs_bridge::aws {
namespace {

/// What stands between `<name>` and the next `</name>`.
std::optional<std::string_view> content_of(std::string_view xml, std::string_view name) {
  const auto begin_tag = std::string("<").append(name).append(">");
  const auto begin = xml.find(begin_tag);
  if (begin == std::string_view::npos) return std::nullopt;
  xml.remove_prefix(begin + begin_tag.size());
  const auto end = xml.find(std::string("</").append(name).append(">"));
  if (end == std::string_view::npos) return std::nullopt;
  return xml.substr(0, end);
}

/// A predefined XML reference; '\0' for any other.
char character_of(std::string_view reference) {
  if (reference == "&amp;") return '&';
  if (reference == "&lt;") return '<';
  if (reference == "&gt;") return '>';
  if (reference == "&quot;") return '"';
  if (reference == "&apos;") return '\'';
  return '\0';
}

std::optional<std::string> text_of(std::string_view content) {
  constexpr std::size_t max_reference = 6;
  std::string text;
  while (!content.empty()) {
    const auto at = content.find_first_of("<&");
    text.append(content.substr(0, at));
    if (at == std::string_view::npos) return text;
    content.remove_prefix(at);
    const auto end = content.substr(0, max_reference).find(';');
    const char meant =
        end == std::string_view::npos ? '\0' : character_of(content.substr(0, end + 1));
    if (meant == '\0') return std::nullopt;  // an element, too
    text += meant;
    content.remove_prefix(end + 1);
  }
  return text;
}

}  // namespace

std::optional<std::string> element_text(std::string_view xml, std::string_view name) {
  const auto content = content_of(xml, name);
  return content ? text_of(*content) : std::nullopt;
}

Result<Credentials, SourceFault> read_sts_answer(const HttpResponse& response,
                                                 const std::string& where, MonotonicTime now,
                                                 std::int64_t unix_now, std::string_view secret) {
  const auto fault = [&](const std::string& what) {
    return Failure{SourceFault{.cause = where + ": " + what}};
  };
  const std::string_view body = response.body;
  if (response.status != 200) {
    auto what = "HTTP " + std::to_string(response.status);
    for (const char* name : {"Code", "Message"}) {
      if (const auto said = element_text(body, name)) what += ": " + safe_to_log(*said, secret);
    }
    return fault(what);
  }
  const auto inside = content_of(body, "Credentials");
  if (!inside) return fault("the answer contains no credentials");
  Credentials credentials;
  credentials.access_key_id = element_text(*inside, "AccessKeyId").value_or("");
  credentials.secret_access_key = element_text(*inside, "SecretAccessKey").value_or("");
  credentials.session_token = element_text(*inside, "SessionToken").value_or("");
  const auto expiration = element_text(*inside, "Expiration").value_or("");
  return with_end(std::move(credentials), expiration, response, where, now, unix_now);
}

}  // namespace jobs_bridge::aws

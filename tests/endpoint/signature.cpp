#include "tests/endpoint/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace jobs_endpoint {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// What stands in an Authorization header.
struct Claim {
  std::string access_key_id = {};
  std::string date = {};
  std::string region = {};
  std::string service = {};
  std::string terminator = {};
  std::vector<std::string> headers = {};
  std::string signature = {};
};

ServiceError refused(std::string type, const std::string& message) {
  return {403, std::move(type), message};
}

std::vector<std::string> parts_of(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The value behind `name=` up to the next comma; empty: there is none.
std::string field_of(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(std::string(name) + "=");
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size() + 1);
  return std::string(text.substr(0, text.find_first_of(", ")));
}

Claim claim_of(std::string_view authorization) {
  if (authorization.empty()) {
    throw refused("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  Claim claim;
  const auto credential = parts_of(field_of(authorization, "Credential"), '/');
  claim.signature = field_of(authorization, "Signature");
  claim.headers = parts_of(field_of(authorization, "SignedHeaders"), ';');
  if (authorization.substr(0, algorithm.size()) != algorithm || credential.size() != 5 ||
      claim.signature.empty() || claim.headers.front().empty()) {
    throw refused("IncompleteSignatureException",
                  "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' "
                  "parameters and the algorithm AWS4-HMAC-SHA256");
  }
  claim.access_key_id = credential[0];
  claim.date = credential[1];
  claim.region = credential[2];
  claim.service = credential[3];
  claim.terminator = credential[4];
  return claim;
}

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < count; ++at) {
    text += digits[bytes[at] / 16];
    text += digits[bytes[at] % 16];
  }
  return text;
}

std::string sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return hexadecimal(digest, sizeof digest);
}

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string uri_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte / 16];
      encoded += digits[byte % 16];
    }
  }
  return encoded;
}

std::string uri_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      const std::string digits(text.substr(at + 1, 2));
      char* end = nullptr;
      const long value = std::strtol(digits.c_str(), &end, 16);
      if (*end == '\0') {
        decoded += static_cast<char>(value);
        at += 2;
        continue;
      }
    }
    decoded += text[at];
  }
  return decoded;
}

std::string canonical_path(std::string_view path) {
  std::string text;
  for (const auto& segment : parts_of(path.substr(std::min<std::size_t>(1, path.size())), '/')) {
    text += "/" + uri_encoded(segment);
  }
  return text;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const auto& part : parts_of(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    parameters.emplace_back(uri_encoded(uri_decoded(part.substr(0, equals))),
                            uri_encoded(uri_decoded(value)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += (text.empty() ? "" : "&") + name + "=" + value;
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string collapsed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ' ' && (result.empty() || result.back() == ' ')) continue;
    result += c;
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

/// All headers of that name, as they came.
std::string canonical_header(const Headers& headers, const std::string& name) {
  std::string values;
  bool found = false;
  for (const auto& [key, value] : headers) {
    if (lower(key) != name) continue;
    values += (found ? "," : "") + collapsed(value);
    found = true;
  }
  if (!found) {
    throw refused("InvalidSignatureException", "The signed header '" + name + "' is missing");
  }
  return name + ":" + values + "\n";
}

/// AWS demands a signature over these.
void require_signed(const HttpRequest& request, const Claim& claim) {
  const auto is_signed = [&](const std::string& name) {
    return std::find(claim.headers.begin(), claim.headers.end(), name) != claim.headers.end();
  };
  for (const auto& [name, value] : request.headers) {
    const std::string known = lower(name);
    const bool must = known == "host" || known.rfind("x-amz-", 0) == 0;
    if (must && !is_signed(known)) {
      throw refused("InvalidSignatureException", "The header '" + known + "' must be signed");
    }
  }
  if (!is_signed("host") || !is_signed("x-amz-date")) {
    throw refused("InvalidSignatureException", "'host' and 'x-amz-date' must be signed");
  }
}

Instant moment_of(const std::string& date) {
  std::tm parts = {};
  const char* end = strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &parts);
  if (end == nullptr || *end != '\0' || date.size() != 16) {
    throw refused("IncompleteSignatureException",
                  "Date must be in ISO-8601 'basic format'. Got '" + date + "'");
  }
  return Instant(std::chrono::seconds(timegm(&parts)));
}

void require_scope(const Claim& claim, const std::string& date, const SignatureScope& scope,
                   Instant now) {
  const auto off = moment_of(date) - now;
  if (off > scope.max_skew) {
    throw refused("InvalidSignatureException", "Signature not yet current: " + date);
  }
  if (-off > scope.max_skew) {
    throw refused("InvalidSignatureException", "Signature expired: " + date);
  }
  std::string fault;
  if (claim.date != date.substr(0, 8)) fault = "date '" + claim.date + "'";
  const bool of_other = !scope.other_service.empty() && claim.service == scope.other_service;
  if (claim.service != scope.service && !of_other) {
    fault = "service. Should be: '" + std::string(scope.service) + "'";
  }
  if (!scope.region.empty() && claim.region != scope.region) {
    fault = "region. Should be: '" + std::string(scope.region) + "'";
  }
  if (claim.terminator != "aws4_request") fault = "terminator";
  if (!fault.empty()) {
    throw refused("InvalidSignatureException", "Credential should be scoped to a valid " + fault);
  }
}

const SigningKey& key_of(const HttpRequest& request, const Claim& claim, const KeyRing& keys,
                         Instant now) {
  const SigningKey* key = keys.find(claim.access_key_id);
  if (key == nullptr || key->revoked ||
      find_header(request.headers, "X-Amz-Security-Token") != key->token) {
    throw refused("UnrecognizedClientException",
                  "The security token included in the request is invalid.");
  }
  if (key->expires && now >= *key->expires) {
    throw refused("ExpiredTokenException", "The security token included in the request is expired");
  }
  return *key;
}

std::string signature_of(const HttpRequest& request, const Claim& claim, const std::string& date,
                         const std::string& secret) {
  const std::string_view target = request.target;
  const std::size_t question = std::min(target.find('?'), target.size());
  std::string canonical =
      request.method + "\n" + canonical_path(target.substr(0, question)) + "\n" +
      canonical_query(target.substr(std::min(question + 1, target.size()))) + "\n";
  std::string names;
  for (const auto& name : claim.headers) {
    canonical += canonical_header(request.headers, name);
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + sha256(request.body);
  const std::string scope =
      claim.date + "/" + claim.region + "/" + claim.service + "/" + claim.terminator;
  const std::string to_sign =
      std::string(algorithm) + "\n" + date + "\n" + scope + "\n" + sha256(canonical);
  const std::string key = hmac(
      hmac(hmac(hmac("AWS4" + secret, claim.date), claim.region), claim.service), claim.terminator);
  const std::string signature = hmac(key, to_sign);
  return hexadecimal(reinterpret_cast<const unsigned char*>(signature.data()), signature.size());
}

}  // namespace

void require_signature(const HttpRequest& request, const KeyRing& keys, const SignatureScope& scope,
                       Instant now) {
  const Claim claim = claim_of(find_header(request.headers, "Authorization"));
  const std::string date(find_header(request.headers, "X-Amz-Date"));
  const SigningKey& key = key_of(request, claim, keys, now);
  require_scope(claim, date, scope, now);
  require_signed(request, claim);
  const std::string_view hash = find_header(request.headers, "X-Amz-Content-Sha256");
  const std::string expected = signature_of(request, claim, date, key.secret);
  const bool body_fits = hash.empty() || hash == sha256(request.body);
  if (!body_fits || expected.size() != claim.signature.size() ||
      CRYPTO_memcmp(expected.data(), claim.signature.data(), expected.size()) != 0) {
    throw refused("InvalidSignatureException",
                  "The request signature we calculated does not match the signature you provided. "
                  "Check your AWS Secret Access Key and signing method.");
  }
}

std::string claimed_key(const HttpRequest& request) {
  const std::string credential =
      field_of(find_header(request.headers, "Authorization"), "Credential");
  return credential.substr(0, credential.find('/'));
}

}  // namespace jobs_endpoint

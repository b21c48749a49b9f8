#include "tests/endpoint/credentials.h"

#include <array>
#include <ctime>
#include <random>
#include <utility>

namespace jobs_endpoint {
namespace {

std::string random_text(std::size_t size, std::string_view letters) {
  static std::random_device source;
  std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
  std::string text;
  while (text.size() < size) text += letters[pick(source)];
  return text;
}

constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// About what AWS's tokens have.
constexpr std::size_t token_size = 700;

}  // namespace

void KeyRing::add(SigningKey key) {
  auto id = key.access_key_id;
  keys_.insert_or_assign(std::move(id), std::move(key));
}

const SigningKey* KeyRing::find(std::string_view access_key_id) const {
  const auto found = keys_.find(access_key_id);
  return found == keys_.end() ? nullptr : &found->second;
}

const SigningKey& KeyRing::issue(Instant now, std::chrono::seconds lifetime) {
  SigningKey key;
  key.access_key_id = "ASIA" + random_text(16, base32);
  key.secret = random_text(40, base64);
  key.token = random_text(token_size, base64) + "==";
  // To the second, as the provider's timestamp has it.
  key.expires = std::chrono::floor<std::chrono::seconds>(now) + lifetime;
  const std::string id = key.access_key_id;
  add(std::move(key));
  return keys_.find(id)->second;
}

void KeyRing::revoke(std::string_view access_key_id) {
  for (auto& [id, key] : keys_) {
    if (access_key_id == "all" || id == access_key_id) key.revoked = true;
  }
}

std::optional<SigningKey> parse_key(std::string_view text) {
  const auto first = text.find(':');
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  SigningKey key;
  key.access_key_id = text.substr(0, first);
  text.remove_prefix(first + 1);
  const auto second = text.find(':');
  key.secret = text.substr(0, second);
  if (second != std::string_view::npos) key.token = text.substr(second + 1);
  if (key.secret.empty() || (second != std::string_view::npos && key.token.empty())) {
    return std::nullopt;
  }
  return key;
}

Json credentials_shape(const SigningKey& key) {
  const std::time_t expires = seconds_since_epoch(key.expires.value_or(Instant()));
  std::tm parts = {};
  gmtime_r(&expires, &parts);
  std::array<char, 64> text = {};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {{"credentials",
           {{"accessKeyId", key.access_key_id},
            {"secretAccessKey", key.secret},
            {"sessionToken", key.token},
            {"expiration", std::string(text.data(), size)}}}};
}

}  // namespace jobs_endpoint

#include "adapters/aws/signer.h"

#include <chrono>
#include <cstdio>
#include <utility>

namespace jobs_bridge::aws {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

}  // namespace

std::string signing_time(std::int64_t seconds_since_1970) {
  using namespace std::chrono;
  const sys_seconds moment{seconds(seconds_since_1970)};
  const auto day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss time(moment - day);
  // Room for any value of the types, although no clock shows it.
  char text[64];
  const int size = std::snprintf(
      text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

Signer::Signer(std::string region, std::string service)
    : region_(std::move(region)), service_(std::move(service)) {}

const Sha256& Signer::day_key(const Credentials& credentials, std::string_view day) {
  if (key_day_ == day && key_secret_ == credentials.secret_access_key) return key_;
  const auto date = digester_.hmac("AWS4" + credentials.secret_access_key, day);
  const auto region = digester_.hmac(as_key(date), region_);
  const auto service = digester_.hmac(as_key(region), service_);
  key_ = digester_.hmac(as_key(service), "aws4_request");
  key_secret_ = credentials.secret_access_key;
  key_day_ = day;
  return key_;
}

HttpRequest Signer::sign(HttpRequest request, const std::string& host,
                         const Credentials& credentials, std::int64_t time, PathForm form) {
  const auto moment = signing_time(time);
  const auto day = std::string_view(moment).substr(0, 8);
  request.headers.emplace_back("X-Amz-Date", moment);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  // The transport sends Host, so it is signed and not passed on.
  request.headers.emplace_back("Host", host);
  const auto canonical = canonical_request(request.method, request.target, request.headers,
                                           hex(digester_.sha256(request.body)), form);
  request.headers.pop_back();

  std::string scope;
  scope.append(day).append("/").append(region_).append("/").append(service_).append(
      "/aws4_request");
  std::string to_sign;
  to_sign.append(algorithm).append("\n").append(moment).append("\n").append(scope).append("\n");
  to_sign += hex(digester_.sha256(canonical.text));
  const auto signature = hex(digester_.hmac(as_key(day_key(credentials, day)), to_sign));

  std::string authorization;
  authorization.append(algorithm)
      .append(" Credential=")
      .append(credentials.access_key_id)
      .append("/")
      .append(scope)
      .append(", SignedHeaders=")
      .append(canonical.signed_headers)
      .append(", Signature=")
      .append(signature);
  request.headers.emplace_back("Authorization", std::move(authorization));
  return request;
}

}  // namespace jobs_bridge::aws

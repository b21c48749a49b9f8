// What hands out credentials. Input, a line of: `instance`, `iot` or `sts` (an answer: the status,
// Date and the body follow, a line each but the body), `container` (the value of ..._FULL_URI, then
// the token, then the body), `url` (a URL), `time` (a timestamp), or else the profile, before the
// files of profiles, which a line `--` separates.

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/aws/container_source.h"
#include "adapters/aws/credential_document.h"
#include "adapters/aws/profile_source.h"
#include "adapters/aws/service_url.h"
#include "adapters/aws/sts_answer.h"
#include "bridge/text/parse_number.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tests/support/temporary_directory.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::aws;
using fuzz::promise;

using Outcome = Result<Credentials, SourceFault>;

bool is_header_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

void check(const Outcome& outcome, MonotonicTime now) {
  if (!outcome) {
    promise(!outcome.error().cause.empty(), "that there are no credentials has a cause");
    promise(outcome.error().cause.find('\n') == std::string::npos, "a cause is one line");
    return;
  }
  promise(!outcome->access_key_id.empty() && !outcome->secret_access_key.empty(),
          "credentials have both keys");
  for (const auto* part :
       {&outcome->access_key_id, &outcome->secret_access_key, &outcome->session_token}) {
    promise(is_header_text(*part) && part->size() <= 16 * 1024, "credentials fit into a header");
  }
  promise(outcome->expires.has_value() == outcome->expiration.has_value(),
          "an end has both clocks' times");
  promise(!outcome->expired(now), "credentials are not over when they come");
}

/// Answers everything with one body.
struct Server final : Endpoint {
  struct Line final : Exchange {
    explicit Line(std::string body) : body_(std::move(body)) {}
    HttpOutcome perform(const HttpRequest& request, MonotonicTime) override {
      promise(is_header_text(request.target), "a target is printable ASCII");
      for (const auto& [name, value] : request.headers) {
        // As the real one does.
        if (!std::ranges::all_of(value, [](char c) { return c >= ' ' && c != '\x7f'; })) {
          return HttpFailure{HttpFailure::Kind::broken, false, "the header cannot be sent"};
        }
      }
      HttpResponse response;
      response.status = 200;
      response.body = body_;
      return response;
    }
    std::string body_;
  };
  explicit Server(std::string body) : body_(std::move(body)) {}
  std::unique_ptr<Exchange> open() override { return std::make_unique<Line>(body_); }
  void stop() override {}
  std::string body_;
};

void ask_container(fuzz::Input& input, MonotonicTime now) {
  const std::string uri(input.line());
  const std::string token(input.line());
  const std::string body(input.rest());
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_CONTAINER_CREDENTIALS_FULL_URI" && !uri.empty()) return uri;
    if (name == "AWS_CONTAINER_AUTHORIZATION_TOKEN" && !token.empty()) return token;
    return std::nullopt;
  };
  const auto open = [&](const Origin& origin) -> Result<std::unique_ptr<Endpoint>, std::string> {
    promise(!origin.host.empty() && origin.port != 0, "a server has a host and a port");
    return std::unique_ptr<Endpoint>(std::make_unique<Server>(body));
  };
  ContainerSource source(environment, open, [] { return std::int64_t{1'500'000'000}; });
  check(source.fetch(now + std::chrono::seconds(1)), now);
}

void read_profiles(std::string_view profile, fuzz::Input& input, MonotonicTime now) {
  static const testing_support::TemporaryDirectory directory;
  const auto credentials = directory.file("credentials");
  const auto config = directory.file("config");
  std::ofstream(credentials, std::ios::binary | std::ios::trunc) << input.until("\n--\n");
  std::ofstream(config, std::ios::binary | std::ios::trunc) << input.rest();
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_CONFIG_FILE") return config;
    return std::nullopt;
  };
  const OpenOrigin nobody = [](const Origin&) -> Result<std::unique_ptr<Endpoint>, std::string> {
    return Failure{std::string("nobody is asked")};
  };
  ProfileSource source(std::string(profile), credentials, environment,
                       std::make_unique<Sts>(Sts::Settings{}, nobody, [] { return 0; }));
  check(source.fetch(now), now);
}

void read_url(std::string_view text) {
  const auto url = read_service_url(text);
  if (!url) return;
  promise(!url->origin.host.empty() && url->origin.port != 0, "a URL has a host and a port");
  promise(is_target(url->target) && is_header_text(url->target), "a URL has a target");
  promise(text.starts_with(url->origin.tls ? "https://" : "http://"), "a URL's scheme counts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const MonotonicTime now{std::chrono::hours(1)};
  const auto kind = input.line();
  if (kind == "instance" || kind == "iot" || kind == "sts") {
    HttpResponse response;
    response.status = parse_number<int>(input.line()).value_or(200);
    response.date = input.line();
    response.body = input.rest();
    if (kind == "sts") return check(read_sts_answer(response, "STS", now, 1'500'000'000), now), 0;
    const auto form = kind == "iot" ? DocumentForm::iot : DocumentForm::instance;
    check(read_document(response, form, "the server", now, 1'500'000'000), now);
  } else if (kind == "container") {
    ask_container(input, now);
  } else if (kind == "url") {
    read_url(input.rest());
  } else if (kind == "time") {
    read_timestamp(input.rest());
  } else {
    read_profiles(kind, input, now);
  }
  return 0;
}

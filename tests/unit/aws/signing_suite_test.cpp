#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/aws/canonical_request.h"
#include "adapters/aws/digest.h"
#include "adapters/aws/signer.h"

namespace jobs_bridge::aws {
namespace {

namespace fs = std::filesystem;

/// The folder with the header cases of AWS's Signature Version 4 test suite; SIGNING_SUITE in the
/// environment says otherwise.
fs::path suite() {
  const char* const given = std::getenv("SIGNING_SUITE");
  return given != nullptr ? given : SIGNING_SUITE;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A request as the suite writes it: no space behind a header's colon, folded lines.
struct SuiteRequest {
  std::string host;
  HttpRequest request;
};

SuiteRequest parse(const std::string& text) {
  SuiteRequest parsed;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const auto end_of_method = line.find(' ');
  const auto end_of_target = line.rfind(' ');
  parsed.request.method = line.substr(0, end_of_method);
  parsed.request.target = line.substr(end_of_method + 1, end_of_target - end_of_method - 1);
  while (std::getline(lines, line) && !line.empty()) {
    if (line.front() == ' ') {
      parsed.request.headers.back().second += "\r\n" + line;
      continue;
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    const auto value = line.substr(colon + 1);
    if (name == "Host") {
      parsed.host = value;
    } else {
      parsed.request.headers.emplace_back(name, value);
    }
  }
  std::getline(lines, parsed.request.body, '\0');
  return parsed;
}

void run_case(const fs::path& folder) {
  SCOPED_TRACE(folder.filename());
  const auto context = nlohmann::json::parse(content_of(folder / "context.json"));
  auto [host, request] = parse(content_of(folder / "request.txt"));
  const auto& given = context.at("credentials");
  Credentials credentials;
  credentials.access_key_id = given.at("access_key_id");
  credentials.secret_access_key = given.at("secret_access_key");
  if (!context.value("omit_session_token", false))
    credentials.session_token = given.value("token", "");
  Digester digester;
  if (context.at("sign_body")) {
    request.headers.emplace_back("x-amz-content-sha256", hex(digester.sha256(request.body)));
  }
  const auto form = context.at("normalize") ? PathForm::normalized : PathForm::as_sent;
  ASSERT_EQ(context.at("timestamp"), "2015-08-30T12:36:00Z");
  constexpr std::int64_t time = 1440938160;

  auto signed_headers = request.headers;
  signed_headers.emplace_back("Host", host);
  signed_headers.emplace_back("X-Amz-Date", signing_time(time));
  if (!credentials.session_token.empty()) {
    signed_headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  EXPECT_EQ(canonical_request(request.method, request.target, signed_headers,
                              hex(digester.sha256(request.body)), form)
                .text,
            content_of(folder / "header-canonical-request.txt"));

  Signer signer(context.at("region"), context.at("service"));
  const auto result = signer.sign(request, host, credentials, time, form);
  EXPECT_THAT(result.headers.back().second,
              ::testing::EndsWith("Signature=" + content_of(folder / "header-signature.txt")));
}

TEST(SigningSuiteTest, EveryHeaderCaseComesOutAsAwsSigns) {
  if (!fs::is_directory(suite())) {
    GTEST_SKIP() << suite() << " is not there: AWS's test suite is no part of this project";
  }
  std::size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(suite())) {
    if (!entry.is_directory()) continue;
    run_case(entry.path());
    ++cases;
  }
  EXPECT_EQ(cases, 38U);
  RecordProperty("cases", static_cast<int>(cases));
}

}  // namespace
}  // namespace jobs_bridge::aws

#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Answers with the request itself, byte for byte.
void mirror(PeerConnection& connection) {
  for (;;) {
    const std::string request = connection.read_request();
    if (request.empty() || !connection.send(http_answer(request))) return;
  }
}

std::string sent(const HttpRequest& request) {
  RawPeer peer(mirror);
  Client client(plain(peer));
  return answer(client.perform(request)).body;
}

TEST(HttpsRequestTest, TargetGoesOutVerbatim) {
  const std::string target = "/things/a%3Ab/jobs/%24next?includeJobDocument=true&x=%2F~'()*";
  EXPECT_THAT(sent(get(target)), StartsWith("GET " + target + " HTTP/1.1\r\n"));
}

TEST(HttpsRequestTest, BodyAndLengthAndHeadersGoOut) {
  HttpRequest request = put(R"({"status":"SUCCEEDED"})");
  request.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  const std::string wire = sent(request);
  EXPECT_THAT(wire, StartsWith("PUT /things/T/jobs/$next HTTP/1.1\r\n"));
  EXPECT_THAT(wire, HasSubstr("\r\nX-Amz-Date: 20150830T123600Z\r\n"));
  EXPECT_THAT(wire, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(wire, HasSubstr("\r\nContent-Length: 22\r\n"));
  EXPECT_THAT(wire, EndsWith("\r\n\r\n{\"status\":\"SUCCEEDED\"}"));
}

TEST(HttpsRequestTest, HostNamesPeerWithPort) {
  RawPeer peer(mirror);
  Client client(plain(peer));
  EXPECT_THAT(answer(client.perform(get())).body,
              HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(peer.port()) + "\r\n"));
}

TEST(HttpsRequestTest, HostBracketsIpv6) {
  RawPeer peer({.address = "::1"}, mirror);
  Client client(plain(peer));
  EXPECT_THAT(answer(client.perform(get())).body,
              HasSubstr("\r\nHost: [::1]:" + std::to_string(peer.port()) + "\r\n"));
}

TEST(HttpsRequestTest, NoCompressionIsOfferedAndAgentIsNamed) {
  const std::string wire = sent(put());
  EXPECT_THAT(wire, Not(HasSubstr("Accept-Encoding")));
  EXPECT_THAT(wire, HasSubstr("\r\nUser-Agent: jobs-bridge/"));
}

TEST(HttpsRequestTest, EmptyPutSaysThatItIsEmpty) {
  EXPECT_THAT(sent(put("")), HasSubstr("\r\nContent-Length: 0\r\n"));
}

TEST(HttpsRequestTest, BodyWithZeroBytesArrivesWhole) {
  const std::string body("a\0b\r\n\0c", 7);
  EXPECT_THAT(sent(put(body)), EndsWith("\r\n\r\n" + body));
}

TEST(HttpsRequestTest, LargeBodyArrivesWhole) {
  RawPeer peer(echo);
  EndpointSettings settings = plain(peer);
  settings.max_answer_bytes = 4 << 20;
  settings.answer_timeout = 30s;
  Client client(std::move(settings));
  std::string body(2 << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(answer(client.perform(put(body), 40s)).body, body);
}

struct Refused {
  const char* name;
  HttpRequest request;
};

class RefusedRequestTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedRequestTest, NothingIsSent) {
  RawPeer peer(echo);
  Client client(plain(peer));
  const HttpFailure refusal = failure(client.perform(GetParam().request));
  EXPECT_EQ(refusal.kind, Kind::broken);
  EXPECT_FALSE(refusal.maybe_sent);
  EXPECT_THAT(refusal.detail, HasSubstr("not sent"));
  EXPECT_EQ(peer.connections(), 0U);
}

HttpRequest with_header(std::string name, std::string value) {
  HttpRequest request = put();
  request.headers.emplace_back(std::move(name), std::move(value));
  return request;
}

HttpRequest with_method(std::string method) {
  HttpRequest request = put();
  request.method = std::move(method);
  return request;
}

using namespace std::string_literals;

INSTANTIATE_TEST_SUITE_P(
    All, RefusedRequestTest,
    ::testing::Values(
        Refused{"TargetWithCarriageReturn", get("/a\rb")},
        Refused{"TargetWithLineFeed", get("/a\nGET /b")}, Refused{"TargetWithZero", get("/a\0b"s)},
        Refused{"TargetWithSpace", get("/a HTTP/1.1")}, Refused{"TargetWithTab", get("/a\tb")},
        Refused{"TargetBeyondAscii", get("/\xc3\xa4")}, Refused{"TargetThatIsEmpty", get("")},
        Refused{"TargetWithoutSlash", get("http://other/")},
        Refused{"HeaderValueWithLineBreak", with_header("X", "a\r\nY: b")},
        Refused{"HeaderValueWithLineFeed", with_header("X", "a\nb")},
        Refused{"HeaderValueWithZero", with_header("X", "a\0b"s)},
        Refused{"HeaderNameWithColon", with_header("X: y\r\nZ", "a")},
        Refused{"HeaderNameWithSpace", with_header("X ", "a")},
        Refused{"HeaderNameThatIsEmpty", with_header("", "a")},
        Refused{"SecondHost", with_header("host", "other")},
        Refused{"SecondContentLength", with_header("Content-length", "0")},
        Refused{"TransferEncoding", with_header("Transfer-Encoding", "chunked")},
        Refused{"MethodWithSpace", with_method("GET /x")},
        Refused{"MethodWithLineBreak", with_method("GET\r\n")},
        Refused{"MethodThatIsEmpty", with_method("")}),
    [](const auto& test) { return test.param.name; });

TEST(HttpsRequestTest, RefusalDetailHoldsNoHeaderValue) {
  RawPeer peer(echo);
  Client client(plain(peer));
  const HttpFailure refusal =
      failure(client.perform(with_header("Authorization", "secret-token\n")));
  EXPECT_THAT(refusal.detail, HasSubstr("Authorization"));
  EXPECT_THAT(refusal.detail, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace jobs_bridge::https

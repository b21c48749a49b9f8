#include "adapters/config/url.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::config {
namespace {

Result<Url, std::string> parse(std::string_view text) {
  return parse_url(text, {"http", "https"});
}

std::string fault_of(std::string_view text) {
  const auto parsed = parse(text);
  return parsed ? "none" : parsed.error();
}

TEST(UrlTest, PortIsTheSchemesOwnUnlessGiven) {
  EXPECT_EQ(parse("http://a")->port, 80);
  EXPECT_EQ(parse("https://a")->port, 443);
  EXPECT_EQ(parse("https://a:8443")->port, 8443);
  EXPECT_EQ(parse_url("mqtt://a", {"mqtt", "mqtts"})->port, 1883);
  EXPECT_EQ(parse_url("mqtts://a", {"mqtt", "mqtts"})->port, 8883);
}

TEST(UrlTest, SchemeAndHostBecomeLowerCase) {
  const auto url = parse("HTTPS://Data.Example.COM/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "data.example.com");
}

TEST(UrlTest, Ipv6AddressLosesItsBrackets) {
  const auto url = parse("http://[2001:DB8::1]:8080");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(parse("http://[::1]")->port, 80);
}

TEST(UrlTest, SchemeThatIsNotOfferedIsRefused) {
  for (const char* text :
       {"", "a", "a:80", "://a", "ftp://a", "mqtt://a", "http:/a", " http://a"}) {
    EXPECT_EQ(fault_of(text), "does not start with http:// or https://") << text;
  }
}

TEST(UrlTest, UserOrPasswordIsRefusedAndNotRepeated) {
  for (const char* text : {"http://me@a", "http://me:hunter2@a", "http://me:hunter2/@a",
                           "http://@a", "http://a@b@c"}) {
    EXPECT_EQ(fault_of(text), "contains a user name or a password") << text;
  }
}

TEST(UrlTest, PathQueryOrFragmentIsRefused) {
  for (const char* text : {"http://a/b", "http://a//", "http://a?b", "http://a#b", "http://a/?b"}) {
    EXPECT_EQ(fault_of(text), "has a path, a query or a fragment") << text;
  }
}

TEST(UrlTest, HostThatIsNoneIsRefused) {
  for (const char* text :
       {"http://-a", "http://a..b", "http://a..", "http://.", "http://192.0.2.1.", "http://.a",
        "http://a b", "http://a{region}", "http://192.0.2.300", "http://1.2.3", "http://a%20",
        "http://[a]", "http://[1.2.3.4]", "http://\xc3\xa4", "http://a\n"}) {
    EXPECT_EQ(fault_of(text), "has a host that is neither a DNS name nor an IP address") << text;
  }
  EXPECT_EQ(fault_of("http://"), "has no host");
  EXPECT_EQ(fault_of("http://:80"), "has no host");
  EXPECT_EQ(fault_of("http://[::1"), "has a '[' without a ']'");
  EXPECT_EQ(fault_of("http://::1"), "has more than one ':' (an IPv6 address must be in [])");
  EXPECT_EQ(fault_of("http://[::1]80"), "has unexpected text between ']' and the port");
  EXPECT_NE(fault_of(std::string_view("http://127.0.0.1\0.evil", 22)), "none");
  EXPECT_NE(fault_of(std::string_view("http://[::1\0x]", 14)), "none");
  EXPECT_NE(fault_of("http://" + std::string(64, 'a')), "none");
  EXPECT_EQ(fault_of("http://" + std::string(63, 'a')), "none");
  std::string name;  // of 253 bytes
  for (int i = 0; i < 126; ++i) name += "a.";
  EXPECT_EQ(fault_of("http://" + name + "a"), "none");
  EXPECT_EQ(fault_of("http://" + name + "a."), "none") << "the last dot does not count";
  EXPECT_NE(fault_of("http://" + name + "aa"), "none");
}

TEST(UrlTest, PortThatIsNoneIsRefused) {
  for (const char* text : {"http://a:", "http://a:0", "http://a:65536", "http://a:8o",
                           "http://a:-1", "http://a:+1", "http://a: 1", "http://a:99999999999"}) {
    EXPECT_EQ(fault_of(text), "has a port that is not between 1 and 65535") << text;
  }
  EXPECT_EQ(parse("http://a:65535")->port, 65535);
}

TEST(UrlTest, ProxyMayHaveAUserButNoPassword) {
  const auto url = parse_url("http://me@proxy:3128", {"http"}, true);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->username, "me");
  EXPECT_EQ(url->host, "proxy");
  EXPECT_EQ(url->port, 3128);
  const auto with_password = parse_url("http://me:hunter2@proxy:3128", {"http"}, true);
  ASSERT_FALSE(with_password);
  EXPECT_EQ(with_password.error().find("hunter2"), std::string::npos);
}

TEST(UrlTest, UserOfAProxyIsPercentDecoded) {
  const std::pair<const char*, const char*> users[] = {{"http://me%40corp@proxy:3128", "me@corp"},
                                                       {"http://CORP%5Cme@proxy", "CORP\\me"},
                                                       {"http://50%25@proxy", "50%"},
                                                       {"http://m%c3%A4@proxy", "m\xc3\xa4"},
                                                       {"http://a+b_c.d~e@proxy", "a+b_c.d~e"}};
  for (const auto& [text, user] : users) {
    const auto url = parse_url(text, {"http"}, true);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->username, user);
    EXPECT_EQ(url->host, "proxy");
  }
  for (const char* text :
       {"http://CORP\\me@proxy", "http://a@b@proxy", "http://50%@proxy", "http://50%4@proxy",
        "http://a%3Ahunter2@proxy", "http://a%0d%0a@proxy", "http://a%7f@proxy", "http://@proxy",
        "http://a%00@proxy", "http://a b@proxy"}) {
    const auto url = parse_url(text, {"http"}, true);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().find("hunter2"), std::string::npos);
  }
  EXPECT_NE(parse_url("http://me@corp@proxy", {"http"}, true).error().find("%40"),
            std::string::npos)
      << "the last '@' is the one before the host";
}

TEST(UrlTest, CompleteNameEndsInADot) {
  EXPECT_EQ(parse_url("https://a.example.com.:8443", {"https"}, false)->host, "a.example.com.");
}

TEST(ListenAddressTest, HostAndPortAreBothNeeded) {
  EXPECT_EQ(*parse_listen_address("127.0.0.1:9464"), (ListenAddress{"127.0.0.1", 9464}));
  EXPECT_EQ(*parse_listen_address("[::]:0"), (ListenAddress{"::", 0}));
  EXPECT_EQ(*parse_listen_address("localhost:1"), (ListenAddress{"localhost", 1}));
  for (const char* text : {"", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "http://127.0.0.1:1", "::1:9464", "*:9464"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(LoopbackTest, OnlyWhatNeverLeavesTheMachine) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"", "localhost.example.com", "128.0.0.1", "127.0.0.1.example.com",
                           "0.0.0.0", "::", "::2", "127.1", "2130706433"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace jobs_bridge::config

#include "adapters/aws/signing_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/recording_log.h"
#include "tests/unit/aws/fakes.h"

namespace jobs_bridge::aws {
namespace {

using testing::HasSubstr;
using testing_support::RecordingLog;

/// Yields its credentials in turn, then the last one repeatedly; without any, a fault.
class RotatingSource final : public CredentialSource {
 public:
  explicit RotatingSource(std::deque<Credentials> all) : all_(std::move(all)) {}
  [[nodiscard]] std::string name() const override { return "rotation"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime) override {
    if (all_.empty()) return Failure{SourceFault{.absent = false, .cause = "none left"}};
    const auto next = all_.front();
    if (all_.size() > 1) all_.pop_front();
    return next;
  }

 private:
  std::deque<Credentials> all_;
};

constexpr std::int64_t real_time = 1440938160;  // 2015-08-30T12:36:00Z
constexpr const char* real_date = "Sun, 30 Aug 2015 12:36:00 GMT";

class SigningEndpointTest : public testing::Test {
 protected:
  HttpOutcome perform(std::deque<Credentials> credentials) {
    keeper_.emplace(std::make_unique<RotatingSource>(std::move(credentials)), 1, log_);
    endpoint_ = server_.endpoint();
    signing_.emplace(*endpoint_, SigningEndpoint::Settings{"eu-central-1", "h:8443"}, *keeper_,
                     clock_);
    exchange_ = signing_->open();
    return again();
  }
  HttpOutcome again() {
    return exchange_->perform(
        {.method = "POST", .target = "/things/T/jobs/j", .body = "{}", .headers = {}}, soon());
  }
  void refuse(const std::string& type, const std::string& date = real_date, int status = 403) {
    HttpResponse response;
    response.status = status;
    response.error_type = type;
    response.date = date;
    server_.will_answer(HttpOutcome(response));
  }
  std::string key_of_call(std::size_t index) const {
    const auto text = header_of(server_.asked().at(index).request, "Authorization");
    const auto at = text.find("Credential=") + 11;
    return text.substr(at, text.find('/', at) - at);
  }
  static int status_of(const HttpOutcome& outcome) {
    return std::holds_alternative<HttpResponse>(outcome) ? std::get<HttpResponse>(outcome).status
                                                         : 0;
  }

  RecordingLog log_;
  ScriptedServer server_;
  std::atomic<std::int64_t> wall_{real_time};
  SigningClock clock_{[this] { return wall_.load(); }, log_};
  std::optional<CredentialKeeper> keeper_;
  std::unique_ptr<Endpoint> endpoint_;
  std::optional<SigningEndpoint> signing_;
  std::unique_ptr<Exchange> exchange_;
};

TEST_F(SigningEndpointTest, EveryRequestIsSigned) {
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 200);
  const auto asked = server_.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(header_of(asked[0].request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(header_of(asked[0].request, "X-Amz-Security-Token"), "token-of-A");
  EXPECT_EQ(key_of_call(0), "A");
}

TEST_F(SigningEndpointTest, ExpiredCredentialsAreRenewedAndTheRequestIsSentOnceMore) {
  refuse("ExpiredTokenException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h), keys("B", 1h)})), 200);
  EXPECT_EQ(server_.asked().size(), 2U);
  EXPECT_EQ(key_of_call(1), "B");
}

TEST_F(SigningEndpointTest, SecondRefusalIsTheAnswer) {
  refuse("UnrecognizedClientException");
  refuse("UnrecognizedClientException");
  EXPECT_EQ(status_of(perform({keys("A", 1h), keys("B", 1h)})), 403);
  EXPECT_EQ(server_.asked().size(), 2U);
}

TEST_F(SigningEndpointTest, CredentialsThatCannotBeOthersAreNotTriedAgain) {
  refuse("UnrecognizedClientException");
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 403);
  EXPECT_EQ(server_.asked().size(), 1U);
}

TEST_F(SigningEndpointTest, DeniedAccessIsTheAnswerAtOnceWithoutARenewal) {
  refuse("AccessDeniedException");
  EXPECT_EQ(status_of(perform({keys("A", 1h), keys("B", 1h)})), 403);
  EXPECT_EQ(server_.asked().size(), 1U);
}

TEST_F(SigningEndpointTest, RefusalWithoutACauseIsWorthARenewalToo) {
  refuse("", real_date, 401);
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h), keys("B", 1h)})), 200);
}

TEST_F(SigningEndpointTest, ClockThatIsOffIsLearntFromTheRefusalAndCorrected) {
  wall_ = 0;  // 1970, at boot
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 200);
  EXPECT_EQ(status_of(again()), 200);
  const auto asked = server_.asked();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(header_of(asked[0].request, "X-Amz-Date"), "19700101T000000Z");
  EXPECT_EQ(header_of(asked[1].request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(header_of(asked[2].request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(clock_.skew(), real_time);
  EXPECT_TRUE(clock_.is_off());
  EXPECT_GE(log_.count("this machine's clock differs from the endpoint's"), 1U);
}

TEST_F(SigningEndpointTest, ClockThatIsSetRightLaterIsFollowed) {
  wall_ = real_time - 86400;
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 200);
  wall_ = real_time;
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(again()), 200);
  EXPECT_EQ(header_of(server_.asked().back().request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_FALSE(clock_.is_off());
}

/// Less than a minute is no reason to sign with another time than this machine's.
TEST_F(SigningEndpointTest, ClockThatIsSetNearlyRightLaterIsSignedWithAsItIs) {
  wall_ = real_time - 86400;
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 200);
  wall_ = real_time + 30;
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(again()), 200);
  EXPECT_EQ(header_of(server_.asked().back().request, "X-Amz-Date"), "20150830T123630Z");
}

TEST_F(SigningEndpointTest, RefusalOfWhatWasSignedWithACorrectedTimeIsNotAboutTheTime) {
  wall_ = real_time - 86400;
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(perform({keys("A", 1h), keys("B", 1h)})), 200);
  refuse("InvalidSignatureException");
  server_.will_answer(200, "{}", real_date);
  EXPECT_EQ(status_of(again()), 200);
  EXPECT_EQ(key_of_call(2), "A");
  EXPECT_EQ(key_of_call(3), "B") << "they are renewed, although this machine's clock is off";
}

TEST_F(SigningEndpointTest, WrongDateOfAnEndpointThatTakesOurSignaturesMovesNoClock) {
  server_.will_answer(200, "{}", "Thu, 18 Jan 2018 08:18:06 GMT");
  server_.will_answer(200, "{}", "nonsense");
  EXPECT_EQ(status_of(perform({keys("A", 1h)})), 200);
  EXPECT_EQ(status_of(again()), 200);
  EXPECT_EQ(clock_.now(), real_time);
}

/// Hangs until it is stopped.
class SilentSource final : public CredentialSource {
 public:
  [[nodiscard]] std::string name() const override { return "silence"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_; });
    return Failure{SourceFault{.absent = false, .cause = "stopped"}};
  }
  void stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

TEST_F(SigningEndpointTest, StopEndsARequestThatWaitsForTheFirstCredentials) {
  keeper_.emplace(std::make_unique<SilentSource>(), 1, log_);
  endpoint_ = server_.endpoint();
  signing_.emplace(*endpoint_, SigningEndpoint::Settings{"eu-central-1", "h"}, *keeper_, clock_);
  exchange_ = signing_->open();
  std::thread asker([&] {
    const auto outcome = exchange_->perform(
        {.method = "GET", .target = "/things/T/jobs", .body = {}, .headers = {}}, soon(60s));
    const auto* failure = std::get_if<HttpFailure>(&outcome);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(failure->kind, HttpFailure::Kind::stopped);
  });
  const auto before = std::chrono::steady_clock::now();
  signing_->stop();
  asker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST_F(SigningEndpointTest, WithoutCredentialsNothingIsSent) {
  const auto outcome = perform({});
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->kind, HttpFailure::Kind::credentials);
  EXPECT_FALSE(failure->maybe_sent);
  EXPECT_THAT(failure->detail, HasSubstr("none left"));
  EXPECT_TRUE(server_.asked().empty());
}

}  // namespace
}  // namespace jobs_bridge::aws

#include "adapters/aws/credential_renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aws/fakes.h"

namespace jobs_bridge::aws {
namespace {

using testing::HasSubstr;
using Kind = CredentialRenewal::Report::Kind;
using Report = CredentialRenewal::Report;

/// On a clock of its own.
class CredentialRenewalTest : public testing::Test {
 protected:
  Credentials lasting(const std::string& id, Duration life) const {
    auto credentials = keys(id);
    credentials.expires = now_ + life;
    return credentials;
  }
  Report take(Credentials credentials, const std::string& source = "the source") {
    return renewal_.take(now_, std::move(credentials), source, false);
  }
  Report fail(const std::string& cause = "down") {
    return renewal_.take(now_, Failure{SourceFault{.absent = false, .cause = cause}}, "the source",
                         false);
  }
  Report fetch(Credentials credentials, const std::string& source = "the source") {
    renewal_.begin_fetch();
    return take(std::move(credentials), source);
  }
  Report fetch_in_vain(const std::string& cause = "down") {
    renewal_.begin_fetch();
    return fail(cause);
  }
  CredentialRenewal::Others refuse(const CredentialsPointer& refused) {
    return renewal_.other_than(now_, refused);
  }
  /// Those in use; none fails the test.
  CredentialsPointer in_use() const {
    auto found = renewal_.current(now_);
    if (!found) ADD_FAILURE() << renewal_.why_none("the source");
    return found ? found : std::make_shared<const Credentials>();
  }
  bool is_due() const { return renewal_.due() <= now_; }

  MonotonicTime now_{1000h};
  CredentialRenewal renewal_{Random(1)};
};

TEST_F(CredentialRenewalTest, AFetchIsDueAtOnceAndUntilItsOutcomeThereIsNoAnswer) {
  EXPECT_TRUE(is_due());
  renewal_.begin_fetch();
  EXPECT_FALSE(renewal_.has_answer());
  EXPECT_FALSE(renewal_.current(now_));
  EXPECT_THAT(renewal_.why_none("the file"), HasSubstr("no answer yet from the file"));
  take(lasting("A", 1h));
  EXPECT_TRUE(renewal_.has_answer());
  EXPECT_EQ(in_use()->access_key_id, "A");
}

TEST_F(CredentialRenewalTest, AFirstFailureIsAnAnswerToo) {
  fetch_in_vain("no such file");
  EXPECT_TRUE(renewal_.has_answer());
  EXPECT_FALSE(renewal_.current(now_));
  EXPECT_EQ(renewal_.why_none("the file"), "no credentials: no such file");
}

TEST_F(CredentialRenewalTest, TheNextFetchIsDueAheadOfTheEndAndNotBefore) {
  fetch(lasting("A", 1h));
  EXPECT_GT(renewal_.due(), now_ + 30min);
  EXPECT_LE(renewal_.due(), now_ + 45min);
  now_ = renewal_.due();
  fetch(lasting("B", 1h));
  EXPECT_GT(renewal_.due(), now_ + 30min);
  EXPECT_EQ(in_use()->access_key_id, "B");
}

TEST_F(CredentialRenewalTest, WithoutAnEndTheNextFetchIsDueOnlyIfTheyCanChange) {
  fetch(keys("A"));
  EXPECT_EQ(renewal_.due(), MonotonicTime::max());
  renewal_.begin_fetch();
  renewal_.take(now_, keys("A"), "the source", true);
  EXPECT_EQ(renewal_.due(), now_ + 10s);
}

TEST_F(CredentialRenewalTest, AfterAFailureTheOldOnesServeUntilTheyEndAndAreNotGivenAfterwards) {
  fetch(lasting("A", 1h));
  now_ += 50min;
  fetch_in_vain();
  EXPECT_EQ(in_use()->access_key_id, "A");
  EXPECT_GE(renewal_.due(), now_ + 1s) << "not without a pause";
  EXPECT_LE(renewal_.due(), now_ + 3s);
  now_ += 10min - 1ns;
  EXPECT_EQ(in_use()->access_key_id, "A");
  EXPECT_TRUE(renewal_.state(now_, {}).valid);
  now_ += 1ns;
  EXPECT_FALSE(renewal_.current(now_));
  EXPECT_FALSE(renewal_.state(now_, {}).valid);
  EXPECT_EQ(renewal_.why_none("the source"), "credentials have expired: down");
}

TEST_F(CredentialRenewalTest, OnesThatHaveEndedDuringAFetchAreSaidToBeAwaited) {
  fetch(lasting("A", 1s));
  now_ += 1s;
  renewal_.begin_fetch();
  EXPECT_EQ(renewal_.why_none("the source"),
            "credentials have expired: no answer yet from the source");
}

TEST_F(CredentialRenewalTest, RefusedOnesForceARenewalAndItsOutcomeIsAwaited) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  const auto others = refuse(refused);
  EXPECT_FALSE(others.credentials);
  EXPECT_TRUE(others.forced);
  EXPECT_TRUE(is_due());
  ASSERT_TRUE(others.awaited);
  renewal_.begin_fetch();
  EXPECT_FALSE(is_due());
  EXPECT_FALSE(renewal_.has_outcome(*others.awaited));
  take(lasting("B", 1h));
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
  ASSERT_TRUE(renewal_.others(now_, refused));
  EXPECT_EQ(renewal_.others(now_, refused)->access_key_id, "B");
}

TEST_F(CredentialRenewalTest, AForcedRenewalThatFailsIsAnOutcomeToo) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  const auto others = refuse(refused);
  ASSERT_TRUE(others.awaited);
  fetch_in_vain();
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
  EXPECT_FALSE(renewal_.others(now_, refused));
}

TEST_F(CredentialRenewalTest, WhoseRefusedOnesWereReplacedMeanwhileGetsTheNewOnesAtOnce) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  fetch(lasting("B", 1h));
  const auto others = refuse(refused);
  ASSERT_TRUE(others.credentials);
  EXPECT_EQ(others.credentials->access_key_id, "B");
  EXPECT_FALSE(others.forced);
  EXPECT_FALSE(is_due());
}

TEST_F(CredentialRenewalTest, TheSameKeysWithALaterEndAreNoOthersButCountFromNowOn) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  const auto others = refuse(refused);
  ASSERT_TRUE(others.awaited);
  fetch(lasting("A", 2h));
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
  EXPECT_FALSE(renewal_.others(now_, refused));
  EXPECT_FALSE(refuse(refused).credentials);
  EXPECT_EQ(in_use()->expires, now_ + 2h);
}

TEST_F(CredentialRenewalTest, OthersThatHaveEndedAreNotGiven) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  fetch(lasting("B", 1s));
  now_ += 1s;
  EXPECT_FALSE(renewal_.others(now_, refused));
  const auto others = refuse(refused);
  EXPECT_FALSE(others.credentials);
  EXPECT_TRUE(others.forced);
}

TEST_F(CredentialRenewalTest, CallersThatComeWhileAForcedRenewalIsDueOrUnderWayAwaitThatOne) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  const auto first = refuse(refused);
  now_ += 1ms;
  const auto second = refuse(refused);
  EXPECT_EQ(second.awaited, first.awaited);
  EXPECT_FALSE(second.forced);
  renewal_.begin_fetch();
  now_ += 9s;
  const auto third = refuse(refused);
  EXPECT_EQ(third.awaited, first.awaited);
  EXPECT_FALSE(third.forced);
  EXPECT_FALSE(is_due());
  take(lasting("B", 1h));
  EXPECT_TRUE(renewal_.has_outcome(*third.awaited));
}

TEST_F(CredentialRenewalTest, AFetchBegunBeforeTheRefusalIsNotTheOneThatIsAwaited) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  renewal_.begin_fetch();  // it may bring those that are refused
  const auto others = refuse(refused);
  EXPECT_TRUE(others.forced);
  ASSERT_TRUE(others.awaited);
  take(lasting("A", 1h));
  EXPECT_FALSE(renewal_.has_outcome(*others.awaited));
  EXPECT_TRUE(is_due());
  fetch(lasting("B", 1h));
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
  EXPECT_FALSE(is_due());
}

TEST_F(CredentialRenewalTest, ARenewalIsForcedEveryTenSecondsAtMostAndInBetweenNothingIsAwaited) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  EXPECT_TRUE(refuse(refused).forced);
  fetch(lasting("A", 1h));
  for (int i = 0; i < 9; ++i) {
    now_ += 1s;
    const auto others = refuse(refused);
    EXPECT_FALSE(others.forced);
    EXPECT_FALSE(others.awaited);
    EXPECT_FALSE(is_due());
  }
  now_ += 1s - 1ns;
  EXPECT_FALSE(refuse(refused).forced);
  now_ += 1ns;
  EXPECT_TRUE(refuse(refused).forced);
  EXPECT_TRUE(is_due());
}

TEST_F(CredentialRenewalTest, TheTenSecondsCountFromTheLastForcedRenewal) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  EXPECT_TRUE(refuse(refused).forced);
  fetch(lasting("A", 1h));
  now_ += 15s;
  EXPECT_TRUE(refuse(refused).forced);
  fetch(lasting("A", 1h));
  now_ += 9s;
  EXPECT_FALSE(refuse(refused).forced);
}

TEST_F(CredentialRenewalTest, WithoutAForcedOneTheFetchUnderWayIsAwaited) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  EXPECT_TRUE(refuse(refused).forced);
  fetch(lasting("A", 1h));
  now_ += 5s;
  renewal_.begin_fetch();
  const auto others = refuse(refused);
  EXPECT_FALSE(others.forced);
  ASSERT_TRUE(others.awaited);
  EXPECT_FALSE(renewal_.has_outcome(*others.awaited));
  take(lasting("B", 1h));
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
}

TEST_F(CredentialRenewalTest, ForThoseAboutToEndARenewalIsForcedEverySecond) {
  fetch(lasting("A", 20s));
  const auto refused = in_use();
  now_ += 15s;
  EXPECT_TRUE(refuse(refused).forced);
  fetch_in_vain();
  now_ += 1ns;  // from here on they have less than five seconds
  EXPECT_FALSE(refuse(refused).forced);
  now_ += 1s - 2ns;
  EXPECT_FALSE(refuse(refused).forced);
  now_ += 1ns;
  EXPECT_TRUE(refuse(refused).forced);
  fetch_in_vain();
  now_ += 10s;  // they have ended
  EXPECT_TRUE(refuse(refused).forced);
  fetch_in_vain();
  now_ += 1s;
  EXPECT_TRUE(refuse(refused).forced);
}

TEST_F(CredentialRenewalTest, ThoseWithFiveSecondsLeftAreNotAboutToEnd) {
  fetch(lasting("A", 20s));
  const auto refused = in_use();
  EXPECT_TRUE(refuse(refused).forced);
  fetch_in_vain();
  now_ += 9s;
  EXPECT_FALSE(refuse(refused).forced);
}

TEST_F(CredentialRenewalTest, AWantedRenewalIsDueAtOnceAndDoesNotCountAsForced) {
  fetch(lasting("A", 1h));
  renewal_.renew();
  EXPECT_EQ(renewal_.due(), MonotonicTime::min());
  EXPECT_EQ(in_use()->access_key_id, "A");
  fetch(lasting("A", 1h));
  EXPECT_FALSE(is_due());
  EXPECT_TRUE(refuse(in_use()).forced);
}

TEST_F(CredentialRenewalTest, AWantedRenewalIsAwaitedByThoseWhoMayNotForceOne) {
  fetch(lasting("A", 1h));
  const auto refused = in_use();
  EXPECT_TRUE(refuse(refused).forced);
  fetch(lasting("A", 1h));
  renewal_.renew();
  const auto others = refuse(refused);
  EXPECT_FALSE(others.forced);
  ASSERT_TRUE(others.awaited);
  EXPECT_FALSE(renewal_.has_outcome(*others.awaited));
  fetch(lasting("B", 1h));
  EXPECT_TRUE(renewal_.has_outcome(*others.awaited));
}

TEST_F(CredentialRenewalTest, StateTellsWhatCameLastAndHowOften) {
  auto with_date = lasting("A", 1h);
  with_date.expiration = 1800000000;
  const auto obtained = now_;
  fetch(with_date);
  now_ += 50min;
  fetch_in_vain("down");
  const auto state = renewal_.state(now_, "the source");
  EXPECT_EQ(state.source, "the source");
  EXPECT_EQ(state.access_key_id, "A");
  EXPECT_EQ(state.expiration, 1800000000);
  EXPECT_EQ(state.expires, obtained + 1h);
  EXPECT_EQ(state.obtained, obtained);
  EXPECT_EQ(state.fault, "down");
  EXPECT_EQ(state.renewals, 1U);
  EXPECT_EQ(state.failures, 1U);
  fetch(with_date);
  EXPECT_EQ(renewal_.state(now_, {}).fault, "");
  EXPECT_EQ(renewal_.state(now_, {}).obtained, now_);
}

TEST_F(CredentialRenewalTest, TheFirstOnesAndThoseAfterAFailureAreReportedAsAvailable) {
  EXPECT_EQ(fetch(lasting("A", 1h)).kind, Kind::available);
  EXPECT_EQ(fetch(lasting("B", 1h)).kind, Kind::renewed);
  EXPECT_EQ(fetch(lasting("B", 2h)).kind, Kind::nothing);
  fetch_in_vain();
  EXPECT_EQ(fetch(lasting("B", 2h)).kind, Kind::available);
}

TEST_F(CredentialRenewalTest, AFailureThatRepeatsIsReportedAnewAfterFiveMinutes) {
  EXPECT_FALSE(fetch_in_vain().repeated);
  EXPECT_EQ(fetch_in_vain().kind, Kind::none_valid);
  now_ += 5min - 1ns;
  EXPECT_TRUE(fetch_in_vain().repeated);
  now_ += 1ns;
  EXPECT_FALSE(fetch_in_vain().repeated);
  EXPECT_TRUE(fetch_in_vain().repeated);
  EXPECT_FALSE(fetch_in_vain("another cause").repeated);
  fetch(lasting("A", 1h));
  EXPECT_FALSE(fetch_in_vain("another cause").repeated) << "there were some in between";
}

TEST_F(CredentialRenewalTest, AFailureIsReportedAnewOnceTheOldOnesHaveEnded) {
  fetch(lasting("A", 1min));
  EXPECT_EQ(fetch_in_vain().kind, Kind::old_ones_serve);
  now_ += 1min;
  const auto report = fetch_in_vain();
  EXPECT_EQ(report.kind, Kind::none_valid);
  EXPECT_FALSE(report.repeated);
}

TEST_F(CredentialRenewalTest, AnotherSourceIsReportedOnceEvenIfItHasTheSameKeys) {
  EXPECT_FALSE(fetch(keys("A"), "one").former_source);
  EXPECT_FALSE(fetch(keys("A"), "one").former_source);
  const auto report = fetch(keys("A"), "another");
  EXPECT_EQ(report.former_source, "one");
  EXPECT_EQ(report.kind, Kind::nothing);
  EXPECT_FALSE(fetch(keys("A"), "another").former_source);
}

}  // namespace
}  // namespace jobs_bridge::aws

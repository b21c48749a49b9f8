#include <chrono>
#include <cstdint>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::int64_t unix_seconds() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

class AcceptedOverTest : public testing::TestWithParam<Wires> {};

INSTANTIATE_TEST_SUITE_P(Wires, AcceptedOverTest, testing::ValuesIn(all_wires()),
                         [](const auto& test) { return to_string(test.param); });

TEST_P(AcceptedOverTest, PendingJobIsStartedAndHandedToTheDevice) {
  Site site({.wires = GetParam()});
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink"})");
  const auto before = unix_seconds();
  const auto reply = site.start_next("lamp", R"({"clientToken":"abc"})");
  EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/start-next/accepted");
  EXPECT_EQ(reply.qos, 1);
  EXPECT_FALSE(reply.retained);
  const auto payload = payload_of(reply);
  EXPECT_EQ(payload["clientToken"], "abc");
  EXPECT_GE(payload["timestamp"].get<std::int64_t>(), before);
  EXPECT_LE(payload["timestamp"].get<std::int64_t>(), unix_seconds());
  const auto& execution = payload["execution"];
  EXPECT_EQ(execution["jobId"], "job-1");
  EXPECT_FALSE(execution.contains("thingName")) << reply.payload;
  EXPECT_EQ(execution["status"], "IN_PROGRESS");
  EXPECT_EQ(execution["versionNumber"], 2);
  EXPECT_EQ(execution["executionNumber"], 1);
  EXPECT_EQ(execution["jobDocument"], (json{{"operation", "blink"}}));
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST_P(AcceptedOverTest, NothingPendingIsAcceptedWithoutExecution) {
  Site site({.wires = GetParam()});
  const auto reply = site.start_next("lamp", R"({"clientToken":"abc"})");
  EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/start-next/accepted");
  const auto payload = payload_of(reply);
  EXPECT_FALSE(payload.contains("execution"));
  EXPECT_EQ(payload["clientToken"], "abc");
  EXPECT_TRUE(payload.contains("timestamp"));
  EXPECT_EQ(payload.size(), 2U) << reply.payload;
}

TEST(AcceptedTest, JobInProgressIsHandedOutAgainUnchanged) {
  Site site;
  site.endpoint->create_job("job-1", {"lamp"});
  site.endpoint->create_job("job-2", {"lamp"});
  auto first = payload_of(site.start_next("lamp", R"({"statusDetails":{"step":"1"}})"));
  auto second = payload_of(site.start_next("lamp", R"({"statusDetails":{"step":"2"}})"));
  EXPECT_EQ(first["execution"]["jobId"], "job-1");
  EXPECT_EQ(first["execution"]["statusDetails"], (json{{"step", "1"}}));
  EXPECT_EQ(first["execution"], second["execution"]);
}

TEST(AcceptedTest, ClientTokenIsEchoedByteForByte) {
  Site site;
  const std::vector<std::string> tokens = {R"("a\"b\\c\/d\u00e9\n\u0000\uD83D\ude00")", R"("é€😀")",
                                           "\"" + std::string(256, 'x') + "\"", R"("")",
                                           R"(" [1,2] {\"a\":null} ")"};
  for (const auto& token : tokens) {
    for (const auto* payload : {"{}", "{\"statusDetails\":1}"}) {
      const std::string start(payload, 1);
      const std::string rest(payload + 1);
      const std::string comma = rest == "}" ? "" : ",";
      const auto reply =
          site.start_next("lamp", start + "\"clientToken\" : " + token + " " + comma + rest);
      EXPECT_THAT(reply.payload, HasSubstr("\"clientToken\":" + token)) << reply.topic;
      payload_of(reply);
    }
  }
}

TEST(AcceptedTest, RequestWithoutClientTokenGetsAReplyWithoutOne) {
  Site site;
  for (const auto* payload : {"", "{}", " \r\n\t{ } ", R"({"statusDetails":5})"}) {
    const auto reply = payload_of(site.start_next("lamp", payload));
    EXPECT_FALSE(reply.contains("clientToken")) << reply;
    EXPECT_TRUE(reply.contains("timestamp")) << reply;
  }
}

TEST(AcceptedTest, JobDocumentArrivesByteForByteInBothShapesOfAnswer) {
  const std::vector<std::string> documents = {
      R"({"z":1,"a":9007199254740993,"big":-123456789012345678901234567890,"e":1.10e+2,)"
      R"( "nested":{"list":[1,{"x":null}, [[]]],"text":"Grüße 日本語 😀"},"escaped":"\u00fc\/\n"})",
      R"({"same":1,"same":2})",
      "{\n  \"lines\" : [ 1.0 , 1E+2 , 0.1 ]\n}",
      R"({"quotes":"\"}{\\","control":"\u0007","pair":"\uD83D\ude00"})",
      R"({"long":")" + std::string(32000, 'x') + R"("})",
      "{\"wide\":\"" +
          [] {
            std::string wide;
            for (int i = 0; i < 8000; ++i) wide += "😀";
            return wide;
          }() +
          "\"}"};
  for (const bool enveloped : {false, true}) {
    Site site({.endpoint_arguments = enveloped ? std::vector<std::string>{"--envelope"}
                                               : std::vector<std::string>{}});
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const auto number = std::to_string(i);
      site.endpoint->create_job("job-" + number, {"lamp-" + number}, documents[i]);
      const auto reply = site.start_next("lamp-" + number);
      EXPECT_NE(reply.payload.find("\"jobDocument\":" + documents[i]), std::string::npos)
          << enveloped << documents[i].substr(0, 200) << "\n"
          << reply.payload.substr(0, 1000);
    }
  }
}

TEST(AcceptedTest, NumbersThatNoProgramCanHoldArriveByteForByte) {
  Site site;
  const std::string document =
      R"({"huge":1e400,"tiny":-1E-400,"long":0.1000000000000000000000001})";
  const json execution = {{"jobId", "job-1"}, {"jobDocument", document}};
  site.endpoint->set_fault(
      {{"kind", "status"}, {"status", 200}, {"body", json{{"execution", execution}}.dump()}});
  EXPECT_THAT(site.start_next("lamp").payload, HasSubstr("\"jobDocument\":" + document));
}

TEST(AcceptedTest, JobDocumentThatIsNoJsonArrivesAsTheTextThatItIs) {
  Site site;
  for (const auto* document : {"just text", "{\"cut\":", "{} trailing"}) {
    const json execution = {{"jobId", "job-1"}, {"jobDocument", document}};
    site.endpoint->set_fault(
        {{"kind", "status"}, {"status", 200}, {"body", json{{"execution", execution}}.dump()}});
    EXPECT_EQ(payload_of(site.start_next("lamp"))["execution"], execution);
  }
}

TEST(AcceptedTest, EnvelopedAnswersAreUnderstood) {
  Site site({.endpoint_arguments = {"--envelope"}});
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink"})");
  const auto started = payload_of(site.start_next("lamp", R"({"clientToken":"t"})"));
  EXPECT_EQ(started["execution"]["jobId"], "job-1");
  EXPECT_EQ(started["execution"]["jobDocument"], (json{{"operation", "blink"}}));
  EXPECT_EQ(started["clientToken"], "t");
  EXPECT_FALSE(started.contains("success"));
  EXPECT_FALSE(started.contains("data"));
  const auto reply = site.start_next("other", R"({"clientToken":"u"})");
  EXPECT_EQ(reply.topic, start_next_topic("other") + "/accepted");
  EXPECT_FALSE(payload_of(reply).contains("execution"));
  EXPECT_EQ(token_of(reply), "u");
}

TEST(AcceptedTest, AnswersThatCarryTokenOrTimestampThemselvesDoNotShadowTheBridges) {
  Site site;
  const auto before = unix_seconds();
  for (const auto* body : {R"({"clientToken":"theirs","timestamp":1})",
                           R"({"success":true,"data":{"clientToken":"theirs","timestamp":1}})"}) {
    site.endpoint->set_fault({{"kind", "status"}, {"status", 200}, {"body", body}});
    const auto reply = site.start_next("lamp", R"({"clientToken":"ours"})");
    EXPECT_EQ(reply.topic, start_next_topic("lamp") + "/accepted");
    EXPECT_EQ(token_of(reply), "ours") << body;
    EXPECT_GE(payload_of(reply)["timestamp"].get<std::int64_t>(), before) << body;
    EXPECT_EQ(reply.payload.find("theirs"), std::string::npos) << reply.payload;
  }
}

TEST(AcceptedTest, EveryValidThingNameReachesItsOwnThing) {
  Site site;
  for (const std::string& thing :
       {std::string("hall:lamp_1-a"), std::string(128, 'a'), std::string("-"), std::string("get"),
        std::string("jobs"), std::string("0")}) {
    const auto reply = site.start_next(thing);
    EXPECT_EQ(reply.topic, "$aws/things/" + thing + "/jobs/start-next/accepted");
  }
  site.endpoint->create_job("job-1", {"hall:lamp_1-a"});
  EXPECT_EQ(payload_of(site.start_next("hall:lamp_1-a"))["execution"]["jobId"], "job-1");
}

TEST(AcceptedTest, AnotherTopicBaseServesItsOwnTopicsOnly) {
  Site site({.settings = {"topics.base=site-7/devices/{thing}/aws-jobs"}});
  site.endpoint->create_job("job-1", {"lamp"});
  site.device->subscribe("site-7/devices/+/aws-jobs/start-next/+");
  site.device->publish(start_next_topic("lamp"), "{}");  // another bridge's, perhaps
  const auto reply = site.ask("site-7/devices/lamp/aws-jobs/start-next", "{}");
  EXPECT_EQ(reply.topic, "site-7/devices/lamp/aws-jobs/start-next/accepted");
  EXPECT_EQ(payload_of(reply)["execution"]["jobId"], "job-1");
  EXPECT_TRUE(site.device->received().empty());
  EXPECT_EQ(site.endpoint->start_next_calls().size(), 1U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/interop/devices/programmed_device.h"
#include "tests/interop/devices/programs.h"
#include "tests/support/bridge_process.h"
#include "tests/support/jobs_endpoint.h"
#include "tests/support/mosquitto_broker.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

const std::string thing(thing_of_the_programs);

/// What brings a reply to a device.
enum class Delivery { by_subscription, by_plugin, by_repeat };

struct Situation {
  DeviceProgram program;
  Delivery delivery;
};

std::ostream& operator<<(std::ostream& out, const Situation& situation) {
  return out << situation.program.name;
}

std::vector<Situation> situations(bool (*chosen)(const DeviceProgram&)) {
  std::vector<Situation> all;
  for (const auto& program : device_programs()) {
    if (!chosen(program)) continue;
    all.push_back({program, Delivery::by_plugin});
    if (program.asks == DeviceProgram::Asks::with_subscriptions) {
      all.push_back({program, Delivery::by_subscription});
    }
    if (program.asks == DeviceProgram::Asks::without_need_of_replies) {
      all.push_back({program, Delivery::by_repeat});
    }
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<Situation>& tested) {
  const auto& [program, delivery] = tested.param;
  return program.name + (delivery == Delivery::by_plugin   ? "WithPlugin"
                         : delivery == Delivery::by_repeat ? "WithRepeats"
                                                           : "");
}

class DeviceProgramTest : public testing::TestWithParam<Situation> {
 protected:
  DeviceProgramTest()
      : device(GetParam().program, broker.port(), thing),
        bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                "notify.enabled=true", "notify.interval=1s",
                "notify.repeat_replies=[" +
                    std::string(GetParam().delivery == Delivery::by_repeat ? "\"a-thing-*\"" : "") +
                    "]"}) {}

  void create_job(const std::string& job) {
    endpoint.create_job(job, {thing}, GetParam().program.document);
  }

  /// A failure of the program is a failure of the test, with all that the device saw.
  void start() {
    try {
      device.start();
    } catch (const ProgramFailure& failure) {
      FAIL() << failure.what() << bridge.log();
    }
  }
  void work_until_idle() {
    try {
      device.work_until_idle();
    } catch (const ProgramFailure& failure) {
      FAIL() << failure.what() << bridge.log();
    }
  }

  /// That the endpoint carried out what the device reported of that job, once each, and as said.
  void expect_reported(const std::string& job) {
    std::vector<std::string> statuses;
    json last_details;
    const auto calls = endpoint.calls();
    for (const auto& call : calls.at("calls")) {
      if (call.at("operation") != "UpdateJobExecution" || call.at("jobId") != job) continue;
      EXPECT_EQ(call.at("status"), 200) << call;
      const auto body = json::parse(call.at("body").get<std::string>());
      statuses.push_back(body.at("status"));
      last_details = body.value("statusDetails", json());
    }
    EXPECT_EQ(statuses, GetParam().program.reports) << device.story();
    const auto said = device.published(job + "/update");
    ASSERT_FALSE(said.empty());
    EXPECT_EQ(last_details, json::parse(said.back()).value("statusDetails", json()));
  }

  MosquittoBroker broker{
      MosquittoBroker::Options{.with_plugin = GetParam().delivery == Delivery::by_plugin}};
  JobsEndpoint endpoint;
  ProgrammedDevice device;
  BridgeProcess bridge;
};

INSTANTIATE_TEST_SUITE_P(Devices, DeviceProgramTest,
                         testing::ValuesIn(situations([](const DeviceProgram&) { return true; })),
                         name_of);

TEST_P(DeviceProgramTest, OfTwoPendingJobsTheSecondIsAnnouncedWhenTheFirstIsDone) {
  create_job("job-1");
  create_job("job-2");
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(work_until_idle());
  expect_reported("job-1");
  expect_reported("job-2");
}

class WaitingDeviceProgramTest : public DeviceProgramTest {};
INSTANTIATE_TEST_SUITE_P(Devices, WaitingDeviceProgramTest,
                         testing::ValuesIn(situations([](const DeviceProgram& program) {
                           return !program.ends_when_idle;
                         })),
                         name_of);

TEST_P(WaitingDeviceProgramTest, JobThatComesWhileTheDeviceIsIdleIsAnnouncedAndCarriedOut) {
  create_job("job-1");
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(work_until_idle());
  create_job("job-2");
  ASSERT_NO_FATAL_FAILURE(work_until_idle());
  expect_reported("job-1");
  expect_reported("job-2");
}

}  // namespace
}  // namespace jobs_bridge::testing_support

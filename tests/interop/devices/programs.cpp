#include "tests/interop/devices/programs.h"

#include <string>

namespace jobs_bridge::testing_support {
namespace {

/// aws/aws-iot-device-sdk-cpp at 9ab2bb15 (SDK v1): samples/Jobs/JobsSample.cpp 96-147 (what it
/// looks for and reports), 195-232 (subscriptions), 322-346 (order), src/jobs/Jobs.cpp (payloads).
/// A notification without an execution ends it.
DeviceProgram cpp_sdk_v1_sample() {
  const std::string token = R"("clientToken":"CppSDKTesting_jobs_sample_1804289383"})";
  const std::vector<Step> carry_out = {Publish{
      "{/execution/jobId}/update", R"({"status":"SUCCEEDED","statusDetails":{"exampleDetail":)"
                                   R"("a value appropriate for your successful job"},)" +
                                       token}};
  return {.name = "CppSdkV1Sample",
          .client_id = "CppSDKTesting_jobs_sample_1804289383",
          .ends_when_idle = true,
          .starts = {Subscribe{"get/accepted"}, Subscribe{"$next/get/accepted"},
                     Subscribe{"notify-next"}, Subscribe{"+/update/accepted"},
                     Subscribe{"+/update/rejected"}, Publish{"get", "{" + token},
                     Publish{"$next/get", "{" + token}},
          .reacts = {{.topic = "$next/get/accepted",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument"},
                      .does = carry_out},
                     {.topic = "notify-next",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument"},
                      .does = carry_out}},
          .gives_up_on = {"+/update/rejected"}};
}

/// nrfconnect/sdk-nrf: subsys/net/lib/aws_jobs/src/aws_jobs.c at 538d6614 (topics, payloads,
/// filters with `#`), subsys/net/lib/aws_fota/src/aws_fota.c at 221f28e0 (order: it reports success
/// when the download that the first reply sets off is done; it counts the version itself), Kconfig
/// (AWS_FOTA_PAYLOAD_SIZE).
DeviceProgram nrf_connect_sdk() {
  const auto report = [](const std::string& status, const std::string& version) {
    return Publish{"{/execution/jobId}/update",
                   R"({"status":")" + status + R"(","statusDetails": null,"expectedVersion": ")" +
                       version + R"(","clientToken": ""})"};
  };
  const std::vector<Step> carry_out = {Subscribe{"{/execution/jobId}/update/#"},
                                       report("IN_PROGRESS", "{/execution/versionNumber}"),
                                       Await{"{/execution/jobId}/update/accepted"},
                                       report("SUCCEEDED", "{/execution/versionNumber+1}"),
                                       Await{"{/execution/jobId}/update/accepted"}};
  const std::vector<std::string> read = {"/execution/jobDocument/location/host",
                                         "/execution/jobDocument/location/path",
                                         "/execution/versionNumber"};
  return {.name = "NrfConnectSdk",
          .largest_packet = 1350,
          .starts = {Subscribe{"notify-next"}, Subscribe{"$next/get/#"},
                     Publish{"$next/get", R"({"clientToken": ""})"}},
          .reacts = {{.topic = "$next/get/accepted",
                      .wants = "/execution/jobId",
                      .reads = read,
                      .does = carry_out},
                     {.topic = "notify-next",
                      .wants = "/execution/jobId",
                      .reads = read,
                      .does = carry_out}},
          .gives_up_on = {"$next/get/rejected", "+/update/rejected"},
          .document = R"({"operation":"app_fw_update","fwversion":"v1.0.1","size":181124,)"
                      R"("location":{"protocol":"https:","host":"fota.s3.amazonaws.com",)"
                      R"("path":"/app_update.bin"}})",
          .reports = {"IN_PROGRESS", "SUCCEEDED"}};
}

}  // namespace

std::vector<DeviceProgram> device_programs() {
  return {cpp_sdk_v1_sample(), nrf_connect_sdk()};
}

}  // namespace jobs_bridge::testing_support

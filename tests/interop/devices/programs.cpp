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

/// A document with which the reply to `$next/get` is as large as embedded C v3 can just receive,
/// in the shape that AWS's has.
std::string document_of_the_largest_size(std::size_t largest_packet) {
  const std::string topic = "$aws/things/a-thing-with-a-long-name/jobs/$next/get/accepted";
  const std::string before =
      R"({"timestamp":1764408600,"execution":{"jobId":"job-1","status":"QUEUED",)"
      R"("queuedAt":1764408600,"lastUpdatedAt":1764408600,"versionNumber":1,"executionNumber":1,)"
      R"("jobDocument":{"fill":")";
  const std::string after = R"("}}})";
  const std::size_t header = 3 + 2;  // of the packet, with QoS 0; and the topic's length
  const std::size_t taken = header + topic.size() + before.size() + after.size();
  return R"({"fill":")" + std::string(largest_packet - taken, 'x') + R"("})";
}

/// aws/aws-iot-device-sdk-embedded-C v3.1.5: samples/linux/jobs_sample/jobs_sample.c 104-180 (what
/// it looks for and reports), 300-373 (subscriptions, order, QoS), aws_iot_config.h 36 (buffer);
/// src/aws_iot_mqtt_client_common_internal.c 451-477 (what does not leave a byte of it free is
/// dropped, with an error that ends the sample).
DeviceProgram embedded_c_v3() {
  constexpr std::size_t largest_packet = 511;
  const std::vector<Step> carry_out = {
      Publish{"{/execution/jobId}/update",
              R"({"status":"SUCCEEDED","statusDetails":{"exampleDetail":)"
              R"("a value appropriate for your successful job"}})",
              0}};
  return {
      .name = "EmbeddedCV3",
      .largest_packet = largest_packet,

      .starts = {Subscribe{"get/#", 0}, Subscribe{"notify-next", 0}, Subscribe{"$next/get/#", 0},
                 Subscribe{"+/update/accepted", 0}, Subscribe{"+/update/rejected", 0},
                 Publish{"get", "", 0}, Publish{"$next/get", "", 0}},
      .reacts = {{.topic = "$next/get/accepted",
                  .wants = "/execution/jobId",
                  .reads = {"/execution/jobDocument"},
                  .does = carry_out},
                 {.topic = "notify-next",
                  .wants = "/execution/jobId",
                  .reads = {"/execution/jobDocument"},
                  .does = carry_out}},
      .gives_up_on = {"+/update/rejected"},
      .document = document_of_the_largest_size(largest_packet)};
}

}  // namespace

std::vector<DeviceProgram> device_programs() {
  return {cpp_sdk_v1_sample(), nrf_connect_sdk(), embedded_c_v3()};
}

}  // namespace jobs_bridge::testing_support

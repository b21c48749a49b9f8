#include "tests/interop/devices/programs.h"

#include <string>

namespace jobs_bridge::testing_support {
namespace {

using Asks = DeviceProgram::Asks;

/// A document, of which `begin` and `end` are given, that makes the reply to `$next/get` a packet
/// of that size, in the shape that AWS's has. `overhead`: what its QoS and version of MQTT put
/// between topic and payload.
std::string document_that_fills(std::size_t packet, std::size_t overhead, const std::string& begin,
                                const std::string& end) {
  const std::string topic =
      "$aws/things/" + std::string(thing_of_the_programs) + "/jobs/$next/get/accepted";
  const std::string before =
      R"({"timestamp":1764408600,"execution":{"jobId":"job-1","status":"QUEUED",)"
      R"("queuedAt":1764408600,"lastUpdatedAt":1764408600,"versionNumber":1,"executionNumber":1,)"
      R"("jobDocument":)";
  const std::string after = "}}";
  const std::size_t header = 3 + 2;  // of the packet; and the topic's length
  const std::size_t taken =
      header + topic.size() + overhead + before.size() + begin.size() + end.size() + after.size();
  return begin + std::string(packet - taken, 'x') + end;
}

/// FreeRTOS/FreeRTOS at 592732b4, FreeRTOS-Plus/Demo/AWS: Jobs_Windows_Simulator/Jobs_Demo
/// DemoTasks/JobsDemoExample.c 493-613 (what it does with a document), 616-685 (what it looks for),
/// 736-805 (which replies it knows), 918-953 (how it begins), demo_config.h 230 (buffer);
/// Mqtt_Demo_Helpers/mqtt_demo_helpers.c 754, 894, 1028 (clean session, QoS).
DeviceProgram freertos_jobs_demo() {
  constexpr std::size_t largest_packet = 1024;
  constexpr std::size_t identifier_and_properties = 2 + 1;
  const std::vector<Step> carry_out = {
      Publish{"{/execution/jobId}/update", R"({"status":"SUCCEEDED"})"}};
  return {.name = "FreeRtosJobsDemo",
          .mqtt_5 = true,
          .asks = Asks::without_need_of_replies,
          .largest_packet = largest_packet,
          .starts = {Subscribe{"notify-next"}, Publish{"$next/get", ""}},
          .reacts = {{.topic = "+/get/accepted",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/action"},
                      .does = carry_out},
                     {.topic = "notify-next",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/action"},
                      .does = carry_out}},
          .gives_up_on = {"+/update/rejected"},
          .document = document_that_fills(largest_packet, identifier_and_properties,
                                          R"({"action":"print","message":")", R"("})")};
}

/// aws/aws-iot-device-sdk-embedded-C at 3d170a07 (202412.00), demos/jobs/jobs_demo_mosquitto:
/// jobs_demo_mosquitto.c 771-810 (update), 812-868 (what it looks for), 887-941 (which replies it
/// knows), 946-976 (how it asks), 1176 (clean session), 1216-1300 (how it goes on); demo_config.h
/// (QoS). The job is done when its download is.
DeviceProgram embedded_c_with_mosquitto() {
  const std::vector<Step> carry_out = {
      Publish{"{/execution/jobId}/update", R"({"status":"IN_PROGRESS"})"},
      Publish{"{/execution/jobId}/update", R"({"status":"SUCCEEDED"})"}};
  return {.name = "EmbeddedCWithMosquitto",
          .asks = Asks::without_need_of_replies,
          .starts = {Subscribe{"notify-next"}, Publish{"$next/get", ""}},
          .reacts = {{.topic = "+/get/accepted",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/url"},
                      .does = carry_out},
                     {.topic = "notify-next",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/url"},
                      .does = carry_out}},
          .gives_up_on = {"+/update/rejected"},
          .document = R"({"url":"http://127.0.0.1/firmware.bin"})",
          .reports = {"IN_PROGRESS", "SUCCEEDED"}};
}

/// aws/ota-for-aws-iot-embedded-sdk at 477ee9a5, source: ota.c 615-635 (what it looks for), 690-730
/// and 1222-1256 (what it reports), 854-900 and 957-1020 (how it goes on); ota_mqtt.c 354-400
/// (subscription), 612-700 and 738-847 (reports), 854-950 (how it asks: its first nine requests
/// lose their number), 956-1003 (QoS). It restarts into the new image, which takes the job up by
/// its status details, tests itself, and accepts.
DeviceProgram ota_agent() {
  const std::string update = "{/execution/jobId}/update";
  const std::vector<Step> download = {
      Publish{update, R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/2"}})", 0},
      Publish{update, R"({"status":"IN_PROGRESS","statusDetails":)"
                      R"({"self_test":"ready","updatedBy":"0x00090002"}})"},
      Restart{}};
  const std::vector<Step> test_itself = {
      Publish{update, R"({"status":"IN_PROGRESS","statusDetails":)"
                      R"({"self_test":"active","updatedBy":"0x00090003"}})"},
      Publish{update, R"({"status":"SUCCEEDED","statusDetails":)"
                      R"({"reason":"accepted  v0.9.3","updatedBy":"  v0.9.2"}})"}};
  const std::vector<std::string> read = {"/execution/jobId",
                                         "/execution/jobDocument/afr_ota/protocols",
                                         "/execution/jobDocument/afr_ota/files/0/filesize",
                                         "/execution/jobDocument/afr_ota/files/0/fileid"};
  DeviceProgram program{
      .name = "OtaAgent",
      .asks = Asks::without_need_of_replies,
      .largest_packet = 10240,
      .starts = {Subscribe{"notify-next"}, Publish{"$next/get", R"({"clientToken":":{thing}"})"}},
      .document = R"({"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-1",)"
                  R"("files":[{"filepath":"/device/updates","filesize":8192,)"
                  R"("fileid":0,"certfile":"ecdsa-sha256-signer.crt.pem",)"
                  R"("sig-sha256-ecdsa":"MEUCIQ=="}]}})",
      .reports = {"IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"}};
  for (const std::string topic : {"$next/get/accepted", "notify-next"}) {
    program.reacts.push_back({.topic = topic,
                              .wants = "/execution/statusDetails/self_test",
                              .value = "ready",
                              .reads = read,
                              .does = test_itself});
    program.reacts.push_back({.topic = topic,
                              .wants = "/execution/jobDocument",
                              .wants_not = "/execution/statusDetails/self_test",
                              .reads = read,
                              .does = download});
  }
  return program;
}

/// seqsense/aws-iot-device-sdk-go at dde59b72: jobs/jobs.go 82-112 (subscriptions), 128-258 (how it
/// asks and what it waits for), jobs/type.go (members), examples/jobs/main.go (order). It never
/// subscribes to replies of an update. The example leaves a job IN_PROGRESS; what is added here is
/// that its device describes the job anew and reports success.
DeviceProgram go_sdk() {
  const std::string describe = R"({"includeJobDocument":true,"clientToken":"{token}"})";
  const auto report = [](const std::string& status) {
    return Publish{"{/execution/jobId}/update",
                   R"({"status":")" + status +
                       R"(","statusDetails":{},"expectedVersion":{/execution/versionNumber},)"
                       R"("clientToken":"{token}"})"};
  };
  const Await reported{"{/execution/jobId}/update/accepted"};
  return {.name = "GoSdk",
          .asks = Asks::without_subscriptions,
          .hears_idle_on = "notify",
          .starts = {Subscribe{"notify"}, Subscribe{"get/#"}, Subscribe{"+/get/#"},
                     Publish{"get", R"({"clientToken":"{token}"})"}},
          .reacts = {{.topic = "get/accepted",
                      .wants = "/queuedJobs/0/jobId",
                      .does = {Publish{"{/queuedJobs/0/jobId}/get", describe}}},
                     {.topic = "notify",
                      .wants = "/jobs/QUEUED/0/jobId",
                      .does = {Publish{"{/jobs/QUEUED/0/jobId}/get", describe}}},
                     {.topic = "+/get/accepted",
                      .wants = "/execution/status",
                      .value = "QUEUED",
                      .does = {report("IN_PROGRESS"), reported,
                               Publish{"{/execution/jobId}/get", describe}}},
                     {.topic = "+/get/accepted",
                      .wants = "/execution/status",
                      .value = "IN_PROGRESS",
                      .does = {report("SUCCEEDED"), reported}}},
          .gives_up_on = {"get/rejected", "+/get/rejected", "+/update/rejected"},
          .reports = {"IN_PROGRESS", "SUCCEEDED"}};
}

/// aws/aws-iot-device-sdk-python at c3c50cd7 (SDK v1): samples/jobs/jobsSample.py 41-96 (order,
/// what it reads), AWSIoTPythonSDK/core/jobs/thingJobManager.py 116-155 (payloads: numbers as
/// strings). A notification without an execution ends it.
DeviceProgram python_sdk_v1() {
  const std::string started_by =
      R"({"clientToken": "basicJobsSampleClient", "statusDetails": {"StartedBy": )"
      R"("ClientToken: basicJobsSampleClient on 2026-11-29T09:30:00.123456"}})";
  const std::string handled_by =
      R"({"status": "SUCCEEDED", "statusDetails": {"HandledBy": )"
      R"("ClientToken: basicJobsSampleClient"}, "expectedVersion": )"
      R"("{/execution/versionNumber}", "executionNumber": "{/execution/executionNumber}", )"
      R"("clientToken": "basicJobsSampleClient"})";
  return {.name = "PythonSdkV1",
          .client_id = "basicJobsSampleClient",
          .ends_when_idle = true,
          .starts = {Subscribe{"notify-next"}, Subscribe{"start-next/accepted"},
                     Subscribe{"start-next/rejected"}, Subscribe{"+/update/accepted"},
                     Subscribe{"+/update/rejected"}, Publish{"start-next", started_by}},
          .reacts = {{.topic = "notify-next",
                      .wants = "/execution",
                      .does = {Publish{"start-next", started_by}}},
                     {.topic = "start-next/accepted",
                      .wants = "/execution",
                      .reads = {"/execution/jobId", "/execution/versionNumber",
                                "/execution/executionNumber", "/execution/jobDocument"},
                      .does = {Publish{"{/execution/jobId}/update", handled_by}}}},
          .gives_up_on = {"start-next/rejected", "+/update/rejected"}};
}

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

/// The same SDK's samples/JobsAgent: JobsAgent.cpp 126-166 (subscriptions), 250-262 (order),
/// JobsAgentOperations.cpp 76-128 (operations `shutdown` and `reboot`); src/jobs/Jobs.cpp 183-230:
/// booleans and numbers are written as strings.
DeviceProgram cpp_sdk_v1_agent() {
  const std::string token = R"("clientToken":"CppSDKTesting_jobs_agent_1804289383"})";
  const std::vector<Step> carry_out = {Publish{
      "{/execution/jobId}/update",
      R"({"status":"SUCCEEDED","statusDetails":{"operation":"shutdown","step":"initiated"},)"
      R"("includeJobExecutionState":"true","includeJobDocument":"true",)" +
          token}};
  return {.name = "CppSdkV1Agent",
          .client_id = "CppSDKTesting_jobs_agent_1804289383",
          .starts = {Subscribe{"$next/get/accepted"}, Subscribe{"notify-next"},
                     Subscribe{"+/update/accepted"}, Subscribe{"+/update/rejected"},
                     Publish{"get", "{" + token}, Publish{"$next/get", "{" + token}},
          .reacts = {{.topic = "$next/get/accepted",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/operation"},
                      .does = carry_out},
                     {.topic = "notify-next",
                      .wants = "/execution/jobId",
                      .reads = {"/execution/jobDocument/operation"},
                      .does = carry_out}},
          .gives_up_on = {"+/update/rejected"},
          .document = R"({"operation":"shutdown","delay":"1"})"};
}

/// awslabs/aws-iot-device-client at 2e20e214: source/jobs/JobsFeature.cpp 120-210 (subscriptions),
/// 216-325 (what it reads without looking), 327-370 (replies by token), 372-520 (reports, ten
/// seconds for each reply), 650-720 (the second report does not wait for the first's reply),
/// source/SharedCrtResourceManager.cpp 468 (its session stays);
/// aws/aws-iot-device-sdk-cpp-v2 at ee172654, jobs/source/UpdateJobExecutionRequest.cpp 63-118
/// (payload). What a handler writes comes back with its line ends.
DeviceProgram device_client() {
  const std::string update = "{/execution/jobId}/update";
  const std::vector<Step> carry_out = {
      Publish{update, R"({"status":"IN_PROGRESS","clientToken":"{token}","statusDetails":{}})"},
      Publish{update, R"({"status":"SUCCEEDED","clientToken":"{token}","statusDetails":{)"
                      R"("reason":"Job exited with status: 0",)"
                      R"("stderr":"mv: cannot stat '/sbin/none': No such file or directory\n",)"
                      R"("stdout":"Running echo.sh\nHello\tIoT World!\n"}})"},
      Await{update + "/accepted"}, Await{update + "/accepted"}};
  const std::vector<std::string> read = {"/execution/jobId", "/execution/jobDocument",
                                         "/execution/executionNumber", "/execution/status"};
  return {
      .name = "DeviceClient",
      .clean_session = false,
      .starts = {Subscribe{"start-next/accepted"}, Subscribe{"start-next/rejected"},
                 Subscribe{"notify-next"}, Subscribe{"+/update/accepted"},
                 Subscribe{"+/update/rejected"}, Publish{"start-next", "{}"}},
      .reacts = {{.topic = "start-next/accepted",
                  .wants = "/execution",
                  .reads = read,
                  .does = carry_out},
                 {.topic = "notify-next", .wants = "/execution", .reads = read, .does = carry_out}},
      .gives_up_on = {"start-next/rejected", "+/update/rejected"},
      .document = R"({"version":"1.0","includeStdOut":true,"steps":[{"action":{"name":"Echo",)"
                  R"("type":"runHandler","input":{"handler":"echo","args":["Hello"]}}}]})",
      .reports = {"IN_PROGRESS", "SUCCEEDED"}};
}

/// nrfconnect/sdk-nrf: subsys/net/lib/aws_jobs/src/aws_jobs.c at 538d6614 (topics, payloads,
/// filters with `#`), subsys/net/lib/aws_fota/src/aws_fota.c at 221f28e0 (order: it reports success
/// when the download that the first reply sets off is done; it counts the version itself), Kconfig
/// (AWS_FOTA_PAYLOAD_SIZE; the limit below is stricter).
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
      .document = document_that_fills(largest_packet, 0, R"({"fill":")", R"("})")};
}

}  // namespace

std::vector<DeviceProgram> device_programs() {
  return {freertos_jobs_demo(), embedded_c_with_mosquitto(),
          ota_agent(),          go_sdk(),
          python_sdk_v1(),      cpp_sdk_v1_sample(),
          cpp_sdk_v1_agent(),   device_client(),
          nrf_connect_sdk(),    embedded_c_v3()};
}

}  // namespace jobs_bridge::testing_support

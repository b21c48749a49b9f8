#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

TEST(UnreadLogTest, LogThatNobodyReadsStopsNeitherRequestsNorTheEnd) {
  Site site;
  TemporaryDirectory directory;
  const auto pipe = directory.file("log");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  // Its writer finds a reader, who does not read.
  const int reader = open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_GT(fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  EXPECT_EQ(site.bridge->stop(), 0);
  const auto configuration = directory.file("jobs-bridge.toml");
  std::ofstream(configuration) << "[broker]\nurl = \"" << site.broker->url()
                               << "\"\n[endpoint]\nurl = \"" << site.endpoint->url()
                               << "\"\n[credentials]\nsource = \"none\"\n[log]\nlevel = "
                                  "\"trace\"\n[notify]\nenabled = false\n[admin]\nlisten = \"\"\n";
  Process bridge({"sh", "-c", "exec \"$0\" run --config \"$1\" 2>\"$2\"", JOBS_BRIDGE_PROGRAM,
                  configuration, pipe});
  for (int i = 0; i < 100; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
    ASSERT_TRUE(site.device->next()) << "request " << i;
  }
  bridge.signal(SIGTERM);
  EXPECT_EQ(bridge.wait(), 0);
  close(reader);
}

}  // namespace
}  // namespace jobs_bridge::testing_support

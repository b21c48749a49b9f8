#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/fault/updates.h"
#include "tests/support/wait_until.h"

/// What the bridge does when its journal's disk does not play along.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = geteuid() == 0 && mount("none", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool is_there() const { return mounted_; }
  void fill() const {
    std::ofstream file(path_ + "/filler", std::ios::binary);
    const std::string block(256, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void make_space() const { std::filesystem::remove(path_ + "/filler"); }

 private:
  const std::string path_;
  bool mounted_ = false;
};

TEST(DiskTest, OnAFullDiskUpdatesAreRejectedAllElseWorksAndItRecovers) {
  TemporaryDirectory directory;
  const SmallDisk disk(directory.file("disk"));
  if (!disk.is_there()) GTEST_SKIP() << "only root may mount a small disk";
  Site site({.settings = {"journal.path=" + directory.file("disk/journal")}});
  Updates updates(site, 1);
  disk.fill();
  std::optional<MqttDevice::Received> refused;
  while (!refused) {
    ASSERT_LT(updates.sent(), 5000U);
    updates.send("lamp-0");
    const auto reply = site.device->next();
    ASSERT_TRUE(reply);
    if (reply->topic.ends_with("/rejected")) refused = reply;
  }
  EXPECT_EQ(code_of(*refused), "RequestThrottled");
  EXPECT_THAT(message_of(*refused), HasSubstr("full"));
  // Its line may come a moment after the reply.
  EXPECT_TRUE(
      site.bridge->process().wait_for_line("the journal cannot be written: updates are refused"));
  EXPECT_TRUE(site.start_next("lamp-0").topic.ends_with("/accepted"));
  disk.make_space();
  EXPECT_TRUE(wait_until([&] {
    updates.send("lamp-0");
    const auto reply = site.device->next();
    return reply && reply->topic.ends_with("/accepted");
  }));
  EXPECT_THAT(site.bridge->log(), HasSubstr("the journal can be written again"));
}

TEST(DiskTest, AJournalThatCannotBeIsACauseNotToStartAndIsNamed) {
  TemporaryDirectory directory;
  MosquittoBroker broker;
  JobsEndpoint endpoint;
  const auto path = directory.file("journal");
  std::filesystem::create_directory(path);
  BridgeProcess bridge(
      {"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(), "journal.path=" + path},
      BridgeProcess::Wait::not_at_all);
  EXPECT_NE(bridge.process().wait(), 0);
  EXPECT_TRUE(bridge.process().wait_for_output(path)) << bridge.log();
}

TEST(DiskTest, ADamagedJournalIsSetAsideAndWhatIsWholeInItDelivered) {
  TemporaryDirectory directory;
  const auto path = directory.file("journal");
  Site site({.settings = {"journal.path=" + path}});
  Updates updates(site, 40);
  site.endpoint->set_fault({{"kind", "reset"}});
  for (const auto& thing : updates.things()) updates.send(thing);
  ASSERT_TRUE(site.device->flush());
  ASSERT_TRUE(wait_until([&] { return site.endpoint->calls().at("total") > 4; }));
  EXPECT_EQ(site.bridge->stop(), 0);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    std::string content(std::istreambuf_iterator<char>(file), {});
    const auto at = content.find("lamp-7/");
    ASSERT_NE(at, std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at));
    file.put('L');
  }
  site.endpoint->clear_faults();
  site.bridge.emplace(site.bridge_settings());
  EXPECT_TRUE(site.bridge->process().wait_for_output("a damaged journal was set aside"));
  EXPECT_THAT(site.bridge->log(), HasSubstr("updates_damaged=1"));
  EXPECT_TRUE(site.device->wait_for(39));
  EXPECT_EQ(updates.arrived().whole, 39U);
  EXPECT_FALSE(site.device->wait_for(40, 200ms));
}

}  // namespace
}  // namespace jobs_bridge::testing_support

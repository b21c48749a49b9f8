#include <httplib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/fault/updates.h"
#include "tests/support/sanitized.h"
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
  EXPECT_TRUE(site.bridge->process().wait_for_line(
      "the journal has no space left: updates that do not fit are rejected"));
  EXPECT_TRUE(site.start_next("lamp-0").topic.ends_with("/accepted"));
  disk.make_space();
  EXPECT_TRUE(wait_until([&] {
    updates.send("lamp-0");
    const auto reply = site.device->next();
    return reply && reply->topic.ends_with("/accepted");
  }));
  EXPECT_TRUE(site.bridge->process().wait_for_line("the journal can be written again"));
}

/// A bridge whose journal's log of writes hangs when the test says so.
class HangingDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (is_sanitized) GTEST_SKIP() << "a sanitizer's library must be loaded before any other";
    site_.emplace(Site::Options{
        .settings = {"journal.path=" + directory_.file("journal"), "log.level=info"},
        .environment = {{"LD_PRELOAD", HANGING_DISK}, {"HANGING_DISK_WHILE", sign_}}});
    updates_.emplace(*site_, 30);
  }
  void TearDown() override { let_go(); }

  void hang() { std::ofstream(sign_).put('x'); }
  void let_go() { std::filesystem::remove(sign_); }
  /// A write waits for the disk, and will until the test lets go.
  [[nodiscard]] bool hangs() const {
    return std::filesystem::exists(sign_ + ".hangs") && std::filesystem::exists(sign_);
  }
  std::optional<MqttDevice::Received> reply_to(const std::string& thing) {
    return site_->device->take(
        [&](const auto& reply) { return reply.topic.starts_with("$aws/things/" + thing + "/"); });
  }
  bool accepts_update(const std::string& thing) {
    // A kill may bring back what was just settled, which is answered once more.
    const auto token = "\"" + updates_->send(thing) + "\"";
    const auto reply = site_->device->take(
        [&](const auto& candidate) { return candidate.payload.find(token) != std::string::npos; });
    if (!reply) throw std::runtime_error("no reply\n" + site_->bridge->log());
    const bool accepted = reply->topic.ends_with("/accepted");
    if (accepted) ++accepted_;
    if (!accepted) refusal_ = *reply;
    return accepted;
  }
  httplib::Result get(const std::string& path) {
    httplib::Client client(site_->bridge->admin_url());
    return client.Get(path);
  }

  TemporaryDirectory directory_;
  const std::string sign_ = directory_.file("hang");
  std::optional<Site> site_;
  std::optional<Updates> updates_;
  std::size_t accepted_ = 0;
  MqttDevice::Received refusal_;
};

TEST_F(HangingDiskTest, CostsUpdatesAloneAndIsSaidAndItRecovers) {
  ASSERT_TRUE(wait_until([&] { return accepts_update("lamp-0"); }));
  // An answer that comes while the disk hangs reaches its device.
  site_->endpoint->set_fault({{"kind", "none"}, {"delay_ms", 1000}});
  const auto calls = site_->endpoint->calls().at("total");
  updates_->send("lamp-1");
  ASSERT_TRUE(wait_until([&] { return site_->endpoint->calls().at("total") > calls; }));
  site_->endpoint->clear_faults();
  hang();
  ASSERT_TRUE(wait_until([&] { return !accepts_update("lamp-0") && hangs(); }));
  EXPECT_EQ(code_of(refusal_), "RequestThrottled");
  EXPECT_THAT(message_of(refusal_), HasSubstr("the journal is waiting for its disk"));
  const auto answered = reply_to("lamp-1");
  ASSERT_TRUE(answered);
  EXPECT_THAT(answered->topic, testing::EndsWith("/accepted"));
  ++accepted_;

  for (const auto& thing : updates_->things()) {
    site_->device->publish(start_next_topic(thing), "{}");
    const auto reply = reply_to(thing);
    ASSERT_TRUE(reply) << thing << "\n" << site_->bridge->log();
    EXPECT_THAT(reply->topic, testing::EndsWith("/start-next/accepted"));
    EXPECT_FALSE(accepts_update(thing));
  }
  const auto ready = get("/readyz");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_THAT(ready->body, HasSubstr("disk_stalled"));
  ASSERT_TRUE(hangs()) << "all of this happened meanwhile";

  let_go();
  EXPECT_TRUE(wait_until([&] { return get("/readyz")->status == 200; })) << get("/readyz")->body;
  EXPECT_TRUE(wait_until([&] { return accepts_update("lamp-0"); }));
  EXPECT_THAT(site_->bridge->log(), HasSubstr("the journal can be written again"));

  // What was refused was not kept.
  site_->bridge->process().signal(SIGKILL);
  site_->bridge->process().wait();
  site_->bridge.emplace(site_->bridge_settings());
  ASSERT_TRUE(wait_until([&] { return accepts_update("lamp-0"); }));
  EXPECT_EQ(updates_->arrived().whole, accepted_);
}

TEST_F(HangingDiskTest, DoesNotKeepTheBridgeFromEnding) {
  ASSERT_TRUE(wait_until([&] { return accepts_update("lamp-0"); }));
  hang();
  ASSERT_TRUE(wait_until([&] { return !accepts_update("lamp-0") && hangs(); }));
  EXPECT_EQ(site_->bridge->stop(), 0);
  EXPECT_TRUE(hangs());
  EXPECT_THAT(site_->bridge->log(), HasSubstr("the journal did not stop in time"));
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

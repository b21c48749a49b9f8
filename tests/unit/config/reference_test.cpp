#include "adapters/config/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "adapters/config/keys.h"
#include "adapters/config/load.h"

namespace jobs_bridge::config {
namespace {

std::string reference() {
  std::ostringstream out;
  print_reference(out);
  return out.str();
}

const std::string shipped = JOBS_BRIDGE_SOURCE_DIR "/deploy/jobs-bridge.toml";

TEST(ReferenceTest, ShippedFileIsTheReference) {
  std::ostringstream content;
  content << std::ifstream(shipped).rdbuf();
  if (content.str() == reference()) return;
  const std::string wanted = JOBS_BRIDGE_BINARY_DIR "/jobs-bridge.toml";
  std::ofstream(wanted) << reference();
  FAIL() << "copy " << wanted << " to deploy/jobs-bridge.toml";
}

TEST(ReferenceTest, LinesAreNotWiderThanAHundredCharacters) {
  std::istringstream in(reference());
  for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(ReferenceTest, EveryKeyIsInItOnce) {
  const std::string text = "\n" + reference();
  for (const auto& section : sections()) {
    const auto begin = text.find("\n[" + std::string(section.name) + "]\n");
    ASSERT_NE(begin, std::string::npos) << section.name;
    const auto end = text.find("\n[", begin + 1);
    const std::string part = text.substr(begin, end - begin);
    for (const auto& key : section.keys) {
      const std::string line = "\n" + std::string(key.name) + " = ";
      const auto at = part.find(line);
      EXPECT_NE(at, std::string::npos) << key.path;
      EXPECT_EQ(part.find(line, at + 1), std::string::npos) << key.path;
    }
  }
}

TEST(ReferenceTest, LoadsWithNothingToChooseButRegionAndCredentials) {
  const auto outcome =
      load(shipped, {"credentials.source=none", "endpoint.region=eu-central-1"}, {});
  for (const auto& fault : outcome.faults) ADD_FAILURE() << to_string(fault);
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->endpoint.url.host, "data.jobs.iot.eu-central-1.amazonaws.com");
}

TEST(ReferenceTest, EveryKeyHasAHelpThatIsASentence) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      ASSERT_FALSE(key.help.empty()) << key.path;
      EXPECT_EQ(key.help.back(), '.') << key.path;
    }
  }
}

}  // namespace
}  // namespace jobs_bridge::config

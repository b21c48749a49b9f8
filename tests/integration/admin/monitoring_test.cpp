#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/integration/admin/admin_site.h"

/// What deploy/monitoring asks for, against what the bridge tells.
namespace jobs_bridge::testing_support {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The names of families, from the lines `# TYPE name kind`.
std::set<std::string> families(const std::string& metrics) {
  std::set<std::string> names;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const auto name = line.substr(7);
    names.insert(name.substr(0, name.find(' ')));
  }
  return names;
}

TEST(MonitoringTest, EveryMetricOfAlertsAndDashboardIsOneThatTheBridgeHas) {
  auto status = endpoint_down_status();
  // Without a self-test there are no metrics of it.
  status.broker.requests.verdict = status.broker.replies.verdict =
      admin::Status::Broker::Passage::Verdict::good;
  AdminSite site(status);
  // Calls are counted by their status, which is known when the first has ended.
  site.metrics().call_finished({}, Operation::update, HttpResponse(), Health::healthy, {});
  const auto known = families(site.get("/metrics").body);
  const std::regex name("(jobs_bridge|process)_[a-z_]+");
  const std::filesystem::path folder(DEPLOY_MONITORING);
  for (const auto* file : {"alerts.yml", "alerts_test.yml", "grafana-dashboard.json"}) {
    const auto text = text_of(folder / file);
    std::size_t found = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
      auto metric = at->str();
      if (metric.ends_with("_bucket")) metric.resize(metric.size() - 7);
      EXPECT_TRUE(known.contains(metric)) << file << ": " << metric;
      ++found;
    }
    EXPECT_GT(found, 10U) << file;
  }
}

TEST(MonitoringTest, EveryAlertHasItsPartOfTheRunbook) {
  const std::filesystem::path folder(DEPLOY_MONITORING);
  const auto alerts = text_of(folder / "alerts.yml");
  const auto runbook = text_of(folder / "../RUNBOOK.md");
  const std::regex name("- alert: ([A-Za-z]+)");
  std::size_t found = 0;
  for (std::sregex_iterator at(alerts.begin(), alerts.end(), name), end; at != end; ++at) {
    EXPECT_THAT(runbook, ::testing::HasSubstr("\n### " + (*at)[1].str() + "\n"));
    ++found;
  }
  EXPECT_GT(found, 10U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support

#include "tests/load/report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace jobs_load {
namespace {

double throughput(const Tally::Summary& summary) {
  return summary.seconds > 0 ? static_cast<double>(summary.replies) / summary.seconds : 0;
}

}  // namespace

std::string as_text(const Tally::Summary& summary) {
  char line[256];
  std::snprintf(line, sizeof line, "%llu requests, %llu replies in %.2f s: %.0f replies/s\n",
                static_cast<unsigned long long>(summary.requests),
                static_cast<unsigned long long>(summary.replies), summary.seconds,
                throughput(summary));
  std::string text = line;
  std::snprintf(line, sizeof line,
                "latency ms: mean %.2f, p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f\n",
                summary.mean, summary.p50, summary.p90, summary.p99, summary.p999, summary.longest);
  text += line;
  if (summary.lost > 0) text += "  (a lost request counts as one that took the patience)\n";
  text += "lost " + std::to_string(summary.lost) + ", late " + std::to_string(summary.late) +
          ", duplicates " + std::to_string(summary.duplicates) + "\n";
  if (summary.skipped > 0) {
    text += "not asked for want of a connection: " + std::to_string(summary.skipped) + "\n";
  }
  for (const auto& [code, count] : summary.rejections) {
    text += "rejected with " + code + ": " + std::to_string(count) + "\n";
  }
  return text;
}

std::string as_json(const Tally::Summary& summary) {
  const nlohmann::ordered_json document{{"requests", summary.requests},
                                        {"replies", summary.replies},
                                        {"seconds", summary.seconds},
                                        {"replies_per_second", throughput(summary)},
                                        {"latency_ms",
                                         {{"mean", summary.mean},
                                          {"p50", summary.p50},
                                          {"p90", summary.p90},
                                          {"p99", summary.p99},
                                          {"p99.9", summary.p999},
                                          {"longest", summary.longest}}},
                                        {"lost", summary.lost},
                                        {"skipped", summary.skipped},
                                        {"late", summary.late},
                                        {"duplicates", summary.duplicates},
                                        {"rejections", summary.rejections}};
  return document.dump() + "\n";
}

}  // namespace jobs_load

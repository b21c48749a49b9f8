#include "tests/integration/admin/browser.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <regex>
#include <string_view>
#include <utility>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

void remove_elements(std::string& html, const std::string& name) {
  const auto open = "<" + name;
  const auto close = "</" + name + ">";
  for (auto begin = html.find(open); begin != std::string::npos; begin = html.find(open)) {
    const auto end = html.find(close, begin);
    if (end == std::string::npos) return;
    html.erase(begin, end + close.size() - begin);
  }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::optional<std::string> find_chromium() {
  for (const auto* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return std::nullopt;
}

BrowserRun browse(const std::string& chromium, const std::string& url,
                  const std::vector<std::string>& options) {
  const TemporaryDirectory profile;
  std::vector<std::string> command{chromium,
                                   "--headless=new",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--disable-dev-shm-usage",
                                   "--disable-background-networking",
                                   "--no-first-run",
                                   "--hide-scrollbars",
                                   "--log-level=3",
                                   "--user-data-dir=" + profile.file("profile"),
                                   "--virtual-time-budget=6000"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(url);
  Process process(std::move(command));
  const auto status = process.wait(std::chrono::seconds(60));
  return {.output = process.output(), .ended_well = status == 0};
}

std::string visible_text(const std::string& html) {
  auto text = html.substr(std::min(html.find("<body"), html.size()));
  for (const auto* name : {"script", "style", "noscript"}) remove_elements(text, name);
  std::string plain;
  bool inside = false;
  for (const char c : text) {
    if (c == '<') inside = true;
    plain += inside || c == '\n' ? ' ' : c;
    if (c == '>') inside = false;
  }
  for (const auto& [entity, character] : {std::pair("&lt;", "<"), std::pair("&gt;", ">"),
                                          std::pair("&nbsp;", " "), std::pair("&amp;", "&")}) {
    replace_all(plain, entity, character);
  }
  std::string squeezed;
  for (const char c : plain) {
    if (c != ' ' || (!squeezed.empty() && squeezed.back() != ' ')) squeezed += c;
  }
  return squeezed;
}

}  // namespace jobs_bridge::testing_support

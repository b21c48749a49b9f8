#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace jobs_bridge::logging {
namespace {

/// Events with the levels that they are written at; none where that is decided elsewhere.
using Events = std::map<std::string, std::set<std::string>>;

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The end of the string literal that begins at `at`.
std::size_t end_of_literal(std::string_view code, std::size_t at) {
  for (++at; at < code.size() && code[at] != '"'; ++at) {
    if (code[at] == '\\') ++at;
  }
  return at + 1;
}

/// The arguments of the call whose parenthesis opens at `at`, without comments.
std::vector<std::string> arguments_at(std::string_view code, std::size_t at) {
  std::vector<std::string> arguments(1);
  for (int depth = 0; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '"') {
      const auto end = end_of_literal(code, at);
      arguments.back() += code.substr(at, end - at);
      at = end - 1;
      continue;
    }
    if (code.substr(at, 2) == "//") {
      at = std::min(code.find('\n', at), code.size());
      continue;
    }
    const bool closes = c == ')' || c == '}';
    if (closes && --depth == 0) return arguments;
    if (depth == 1 && c == ',') {
      arguments.emplace_back();
    } else if (depth > 0) {
      arguments.back() += c;
    }
    if (c == '(' || c == '{') ++depth;
  }
  throw std::runtime_error("a call without an end");
}

/// The texts of the string literals in a piece of code; those side by side are one.
std::vector<std::string> literals_in(std::string_view code) {
  std::vector<std::string> literals;
  bool continues = false;
  for (std::size_t at = 0; at < code.size(); ++at) {
    if (code[at] != '"') {
      if (code[at] != ' ' && code[at] != '\n') continues = false;
      continue;
    }
    const auto end = end_of_literal(code, at);
    if (!continues) literals.emplace_back();
    literals.back() += code.substr(at + 1, end - at - 2);
    continues = true;
    at = end - 1;
  }
  return literals;
}

std::set<std::string> levels_in(const std::string& text, const std::regex& level) {
  std::set<std::string> levels;
  for (std::sregex_iterator at(text.begin(), text.end(), level), end; at != end; ++at) {
    levels.insert((*at)[1]);
  }
  return levels;
}

/// What the name of a constant stands for in this source.
std::vector<std::string> value_of_constant(const std::string& code, const std::string& name) {
  const auto at = code.find("std::string_view " + name + " =");
  return at == std::string::npos ? std::vector<std::string>()
                                 : literals_in(code.substr(at, code.find(';', at) - at));
}

/// The literals of the function of that name, which makes events.
std::vector<std::string> made_by(const std::string& code, const std::string& function) {
  const auto at = code.find("std::string " + function + "(");
  if (at == std::string::npos) return {};
  auto made = literals_in(code.substr(at, code.find("\n}\n", at) - at));
  for (auto& event : made) {
    if (event.ends_with(": ")) event += "CODE";
  }
  return made;
}

/// Where the arguments of the calls of that function begin.
std::vector<std::size_t> calls_of(std::string_view function, std::string_view code) {
  std::vector<std::size_t> calls;
  const auto call = std::string(function) + "(";
  for (auto at = code.find(call); at != std::string::npos; at = code.find(call, at + 1)) {
    const char before = at == 0 ? ' ' : code[at - 1];
    if (std::isalnum(static_cast<unsigned char>(before)) == 0 && before != '_') {
      calls.push_back(at + function.size());
    }
  }
  return calls;
}

/// The events that a call writes whose severity and event these are. What is no literal, nor made
/// by what is known here, comes as it stands: it is documented nowhere.
std::vector<std::string> events_of_call(const std::string& code, const std::string& severity,
                                        const std::string& event) {
  static const std::regex identifier("[a-z_]+");
  static const std::regex passed_on(R"(\s*event\s*)");
  const bool is_declaration = event.find("string_view") != std::string::npos;
  if (severity.find("everity") == std::string::npos || is_declaration) return {};
  if (std::regex_match(event, passed_on)) return {};
  if (event.find("event_of(") != std::string::npos) return made_by(code, "event_of");
  auto literals = literals_in(event);
  if (!literals.empty()) return literals;
  for (std::sregex_iterator name(event.begin(), event.end(), identifier), end; name != end;
       ++name) {
    const auto value = value_of_constant(code, name->str());
    literals.insert(literals.end(), value.begin(), value.end());
  }
  return literals.empty() ? std::vector{event} : literals;
}

void collect_events(const std::string& code, Events& events) {
  static const std::regex level("Severity::([a-z]+)");
  for (const auto* function : {"write", "report", "log"}) {
    for (const auto call : calls_of(function, code)) {
      const auto arguments = arguments_at(code, call);
      if (arguments.size() < 2) continue;
      for (const auto& event : events_of_call(code, arguments[0], arguments[1])) {
        events[event].merge(levels_in(arguments[0], level));
      }
    }
  }
  // ConnectionReport's, which is given the event and what was told before.
  for (const auto call : calls_of("topics", code)) {
    const auto arguments = arguments_at(code, call);
    if (arguments.size() != 5) continue;
    for (const auto& event : literals_in(arguments[0])) events[event];
  }
}

/// The warnings and errors of a source that say nothing of what to do.
std::vector<std::string> events_without_hint(const std::string& code) {
  static const std::regex urgent("Severity::(warning|error)");
  // Where the event, or what it is about, says it.
  static const std::regex says_what_to_do(
      R"("hint"|"fault"|"faults"|"warning"|please report this|install ca-certificates)");
  std::vector<std::string> events;
  for (const auto call : calls_of("write", code)) {
    const auto arguments = arguments_at(code, call);
    if (arguments.size() < 2 || !std::regex_search(arguments[0], urgent)) continue;
    // Another function of that name, which adds the hint of a fault.
    if (arguments.size() > 2 && arguments[2].find('{') == std::string::npos) continue;
    std::string all;
    for (const auto& argument : arguments) all += argument;
    if (std::regex_search(all, says_what_to_do)) continue;
    for (const auto& event : events_of_call(code, arguments[0], arguments[1])) {
      events.push_back(event);
    }
  }
  return events;
}

Events written_events() {
  Events events;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(JOBS_BRIDGE_SOURCE_DIR "/adapters")) {
    const auto kind = entry.path().extension();
    if (kind == ".cpp" || kind == ".h") collect_events(text_of_file(entry.path()), events);
  }
  return events;
}

/// The rows of the tables of events: | `event` | level | ...
Events documented_events() {
  static const std::regex row(R"(\| `([^`]+)` \| ((?:(?:error|warning|info|debug)[, ]*)+) \|.*)");
  static const std::regex level("([a-z]+)");
  Events events;
  std::istringstream lines(text_of_file(JOBS_BRIDGE_SOURCE_DIR "/deploy/LOG_EVENTS.md"));
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, row)) events[found[1]] = levels_in(found[2], level);
  }
  return events;
}

TEST(LogEventsTest, EachWarningAndErrorSaysWhatToDo) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(JOBS_BRIDGE_SOURCE_DIR "/adapters")) {
    if (entry.path().extension() != ".cpp") continue;
    for (const auto& event : events_without_hint(text_of_file(entry.path()))) {
      ADD_FAILURE() << entry.path().filename() << " writes without a hint: " << event;
    }
  }
}

TEST(LogEventsTest, EachOneIsDocumentedWithItsLevelsAndNoOther) {
  const auto written = written_events();
  auto documented = documented_events();
  EXPECT_GT(written.size(), 80U);
  for (const auto& [event, levels] : written) {
    const auto row = documented.find(event);
    if (row == documented.end()) {
      ADD_FAILURE() << "not in deploy/LOG_EVENTS.md: " << event;
      continue;
    }
    EXPECT_TRUE(levels.empty() || std::ranges::includes(levels, row->second))
        << event << ": its level is another";
    documented.erase(row);
  }
  for (const auto& [event, levels] : documented) {
    ADD_FAILURE() << "in deploy/LOG_EVENTS.md, and written nowhere: " << event;
  }
}

}  // namespace
}  // namespace jobs_bridge::logging

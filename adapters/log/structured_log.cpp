#include "adapters/log/structured_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/log/output.h"
#include "bridge/ports/log.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::logging {
namespace {

using Json = nlohmann::ordered_json;

bool is_plain(std::string_view text) {
  return !text.empty() && is_visible(text) && text.find_first_of("\"=\\") == std::string_view::npos;
}

std::string dump(const Json& value) {
  // Also escapes what terminals take for commands and what readers take for a line's end.
  constexpr bool ascii_only = true;
  return value.dump(-1, ' ', ascii_only, Json::error_handler_t::replace);
}

std::string quoted(std::string_view text) {
  return dump(Json(text));
}

/// `event name=value name="quoted value"`: printable ASCII without a line's end, so that it stays
/// one line and moves no terminal's cursor. A value is quoted, with JSON's escapes, unless it is
/// plain; bytes that are no UTF-8 become U+FFFD.
std::string text_line(std::string_view event, std::initializer_list<Log::Field> fields) {
  std::string line = std::ranges::all_of(event, is_printable) ? std::string(event) : quoted(event);
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    line += ' ';
    line += is_plain(name) ? std::string(name) : quoted(name);
    line += '=';
    line += is_plain(value) ? std::string(value) : quoted(value);
  }
  return line;
}

/// `"event":"...","name":"value"}`: the members of a JSON object behind those that the caller
/// writes first, with the closing brace. Printable ASCII, the rest escaped. No name occurs twice,
/// nor `time` or `severity`: a field of that name gets a trailing underscore.
std::string json_members(std::string_view event, std::initializer_list<Log::Field> fields) {
  Json object = {{"event", event}};
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    std::string key(name);
    while (key == "time" || key == "severity" || object.contains(key)) key += '_';
    object[key] = value;
  }
  return dump(object).substr(1);
}

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::trace:
      return spdlog::level::trace;
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* pattern_of(Format format) {
  return format == Format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","severity":"%l",%v)"
                                : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
}

/// spdlog's part of an Output.
class OutputSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit OutputSink(int descriptor) : output_(descriptor) {}

  std::uint64_t dropped() {
    const std::lock_guard lock(mutex_);
    return output_.dropped();
  }
  void told(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    output_.told(count);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    output_.write({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  Output output_;
};

}  // namespace

class StructuredLog::Implementation {
 public:
  Implementation(Format format, Severity level, std::shared_ptr<OutputSink> output)
      : Implementation(format, level, spdlog::sink_ptr(output)) {
    output_ = std::move(output);
  }
  Implementation(Format format, Severity level, spdlog::sink_ptr sink)
      : format_(format), logger_("jobs-bridge", std::move(sink)) {
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        pattern_of(format), spdlog::pattern_time_type::utc, "\n"));
    logger_.set_level(level_of(level));
    // A line must be out when the process is killed in the next moment.
    logger_.flush_on(spdlog::level::trace);
    // The library would report a failed write on standard error, which is what failed.
    logger_.set_error_handler([](const std::string&) {});
  }

  void set_level(Severity level) { logger_.set_level(level_of(level)); }
  bool enabled(Severity severity) const { return logger_.should_log(level_of(severity)); }

  void write(Severity severity, std::string_view event, std::initializer_list<Field> fields) {
    if (const auto dropped = output_ ? output_->dropped() : 0; dropped > 0) {
      log(Severity::warning, "log lines were dropped because they were not being read",
          {{"count", std::to_string(dropped)}});
      output_->told(dropped);
    }
    log(severity, event, fields);
  }

 private:
  void log(Severity severity, std::string_view event, std::initializer_list<Field> fields) {
    const std::string line =
        format_ == Format::json ? json_members(event, fields) : text_line(event, fields);
    logger_.log(level_of(severity), spdlog::string_view_t(line));
  }

  const Format format_;
  std::shared_ptr<OutputSink> output_;  ///< null: it writes to a stream
  spdlog::logger logger_;
};

StructuredLog::StructuredLog(Format format, Severity level, int descriptor)
    : implementation_(std::make_unique<Implementation>(format, level,
                                                       std::make_shared<OutputSink>(descriptor))) {}

StructuredLog::StructuredLog(Format format, Severity level, std::ostream& out)
    : implementation_(std::make_unique<Implementation>(
          format, level, spdlog::sink_ptr(std::make_shared<spdlog::sinks::ostream_sink_mt>(out)))) {
}

StructuredLog::~StructuredLog() = default;

void StructuredLog::set_level(Severity level) {
  implementation_->set_level(level);
}

bool StructuredLog::enabled(Severity severity) const {
  return implementation_->enabled(severity);
}

void StructuredLog::write(Severity severity, std::string_view event,
                          std::initializer_list<Field> fields) {
  if (!enabled(severity)) return;
  try {
    implementation_->write(severity, event, fields);
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nowhere left to say it
  }
}

}  // namespace jobs_bridge::logging

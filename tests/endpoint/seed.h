#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "tests/endpoint/store.h"

namespace jobs_endpoint {

/// `--things PREFIX:COUNT:JOBS`: things PREFIX-1 to PREFIX-COUNT, with JOBS jobs queued for each.
struct Fleet {
  std::string prefix;
  std::int64_t things = 0;
  std::int64_t jobs = 0;
};

/// The fleet, or what is wrong with the text. The prefix may hold colons itself.
[[nodiscard]] std::variant<Fleet, std::string> parse_fleet(const std::string& text);

/// Creates the jobs `<prefix>-job-1` to `<prefix>-job-<jobs>`, each for all things (a colon in the
/// prefix is a hyphen in a job id). Throws ServiceError if such a job exists.
void queue_fleet(Store& store, const Fleet& fleet, Instant now);

}  // namespace jobs_endpoint

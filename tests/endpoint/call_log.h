#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/endpoint/http.h"
#include "tests/endpoint/instant.h"
#include "tests/endpoint/route.h"
#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {

/// One call as it came in.
struct Call {
  std::uint64_t sequence = 0;  ///< 1 for the first
  std::uint64_t connection = 0;
  Operation operation = Operation::unknown;
  std::string thing = {};
  std::string job = {};
  std::string method = {};
  std::string target = {};
  std::string content_type = {};
  std::string accept = {};
  std::string body = {};
  std::string access_key = {};   ///< that it says it is signed with; empty: it is not
  std::string client_name = {};  ///< in the client's certificate; empty: none
  std::string fault = {};        ///< the kind of fault that struck it; empty: none
  /// Of the answer; nothing while there is none, and permanently if a fault withholds it.
  std::optional<int> status = std::nullopt;
  Instant arrived_at = {};
  std::optional<Instant> answered_at = std::nullopt;
};

/// What tests read to prove which calls were made, in which order, and whether they overlapped.
/// Counts never forget; the list keeps the latest calls. One thread at a time.
class CallLog {
 public:
  /// The list keeps at most so many calls, and bodies of so many bytes together.
  explicit CallLog(std::size_t max_calls = 100'000, std::size_t max_body_bytes = 256U << 20U);

  /// Numbers the call and returns its number.
  std::uint64_t arrived(Call call);
  /// Its answer has been handed to the network. Unknown numbers are ignored.
  void answered(std::uint64_t sequence, int status, Instant now);
  /// A request that could not be parsed as HTTP.
  void malformed();
  void clear();

  /// What `GET /_calls` answers: `limit` of the latest calls of that thing (empty: of any), oldest
  /// first.
  [[nodiscard]] Json shape(std::size_t limit, std::string_view thing) const;

 private:
  using Counts = std::array<std::uint64_t, operations>;

  const std::size_t max_calls_;
  const std::size_t max_body_bytes_;
  std::size_t body_bytes_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t next_sequence_ = 1;
  Counts operations_ = {};
  std::unordered_map<std::string, Counts> things_;
  std::deque<Call> calls_;
};

}  // namespace jobs_endpoint

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/endpoint/http.h"
#include "tests/endpoint/route.h"
#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {

/// What an answer suffers on its way.
enum class FaultKind {
  none,         ///< only the delay
  status,       ///< another answer, with a status, type and body of the test's choice
  hang,         ///< no answer, the connection stays open
  reset,        ///< no answer, the connection is reset
  truncate,     ///< the answer stops in the middle, and the connection ends
  trickle,      ///< the answer comes a byte at a time
  garbage,      ///< something that is no HTTP, and the connection ends
  close_idle,   ///< a whole answer that promises keep-alive, after which the connection ends
  extra_bytes,  ///< a whole answer, and unsolicited bytes in the same write
};

[[nodiscard]] std::string_view name_of(FaultKind kind);

/// A fault as `PUT /_faults` describes it.
struct Fault {
  FaultKind kind = FaultKind::none;

  // Which requests it strikes: all of the data plane where nothing is said.
  std::optional<std::string> thing = std::nullopt;
  std::optional<Operation> operation = std::nullopt;
  double probability = 1;
  /// How many requests are left to be struck; nothing: no end.
  std::optional<std::int64_t> count = std::nullopt;

  /// Whether the call is carried out although its caller may never know.
  bool carried_out = true;
  std::chrono::milliseconds delay{0};
  /// A random part of at most this is added to the delay.
  std::chrono::milliseconds jitter{0};
  /// trickle: the pause between two bytes.
  std::chrono::milliseconds interval{100};
  /// truncate: how many bytes of the answer are sent; nothing: all but half of its body.
  std::optional<std::size_t> bytes = std::nullopt;

  // status
  int status = 503;
  std::string error_type = {};
  std::string message = {};
  Headers headers = {};
  /// status: the answer's body; garbage, extra_bytes: the bytes. Nothing: a usual one.
  std::optional<std::string> body = std::nullopt;

  /// As it was given, for GET.
  Json given = Json::object();
};

/// A fault that strikes one request, its delay drawn.
struct Strike {
  Fault fault;
  std::chrono::microseconds delay{0};
};

/// The faults in force. Draws come from a generator of a fixed seed, so that the same requests in
/// the same order meet the same faults. One thread at a time.
class Faults {
 public:
  /// Puts those of a request's body, one object, a list, or what shape() returns, in the place of
  /// all before. Throws ServiceError naming the member that is wrong; then nothing has changed.
  void replace(const std::string& body);
  void clear();
  /// The first fault that the request falls under and whose draw hits; it is used up by one.
  [[nodiscard]] std::optional<Strike> strike(const Route& route);
  /// What GET shows: each fault as given, `count` as it stands.
  [[nodiscard]] Json shape() const;

 private:
  std::vector<Fault> faults_;
  std::mt19937_64 random_{1};
};

}  // namespace jobs_endpoint

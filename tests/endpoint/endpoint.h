#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/endpoint/answer.h"
#include "tests/endpoint/call_log.h"
#include "tests/endpoint/credentials.h"
#include "tests/endpoint/fault.h"
#include "tests/endpoint/http.h"
#include "tests/endpoint/operations.h"
#include "tests/endpoint/rate_limit.h"
#include "tests/endpoint/store.h"

namespace jobs_endpoint {

struct EndpointOptions {
  OperationOptions operations = {};
  /// Answers of the data plane wear the envelope.
  bool envelope = false;
  /// Per second and for all things together, as AWS limits an account; 0: no limit.
  double reads_per_second = 0;
  double writes_per_second = 0;
  double time_scale = 1;
  /// Keys that requests may be signed with.
  std::vector<SigningKey> keys = {};
  /// How long credentials live that are issued for a certificate; 0: none are.
  std::chrono::seconds credentials_lifetime{0};
  /// What signatures must be for; empty: any region.
  std::string region = {};
};

/// How the server is to answer one request.
struct Delivery {
  HttpAnswer answer;
  /// How the answer suffers on its way; FaultKind::none for most.
  FaultKind manner = FaultKind::none;
  std::chrono::microseconds delay{0};
  /// trickle: the pause between bytes.
  std::chrono::milliseconds interval{0};
  /// truncate: how many bytes are sent; nothing: all but half of the body.
  std::optional<std::size_t> bytes = std::nullopt;
  /// garbage: all that is sent; extra_bytes: what follows the answer.
  std::string stray = {};
  /// In the call log; 0: not logged.
  std::uint64_t call = 0;
};

/// The emulator without its sockets: requests in, answers out. Requests are carried out in the
/// order in which they are received, each before the next is looked at, whatever delay its answer
/// then suffers. One thread at a time; throws nothing but std::bad_alloc.
///
/// With keys, or with credentials to be issued, every call must be signed.
class Endpoint {
 public:
  explicit Endpoint(const EndpointOptions& options);

  [[nodiscard]] Delivery receive(const HttpRequest& request, std::uint64_t connection, Instant now);
  /// The answer of a delivery has been handed to the network.
  void delivered(const Delivery& delivery, Instant now);
  /// Something came that is no HTTP request.
  void malformed();

  [[nodiscard]] Store& store() { return store_; }

 private:
  [[nodiscard]] AnswerShape shape_for(Operation operation) const;
  [[nodiscard]] HttpAnswer answer_call(const Route& route, const HttpRequest& request, Instant now);
  [[nodiscard]] HttpAnswer answer_control(const HttpRequest& request);
  /// Throws the ServiceError for a request that is not signed as it must be.
  void authenticate(const Route& route, const HttpRequest& request, Instant now) const;
  [[nodiscard]] HttpAnswer answer_assume_role(const HttpRequest& request, Instant now);
  [[nodiscard]] Json change_credentials(const std::string& body);
  void require_quota(Operation operation, Instant now);

  const EndpointOptions options_;
  Store store_;
  Faults faults_;
  CallLog calls_;
  KeyRing keys_;
  std::chrono::seconds credentials_lifetime_;
  RateLimit reads_;
  RateLimit writes_;
  std::uint64_t requests_ = 0;
};

}  // namespace jobs_endpoint

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/endpoint/answer.h"
#include "tests/endpoint/call_log.h"
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
/// A check of signatures belongs at the head of `receive`: it needs HttpRequest alone, which is
/// untouched there.
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
  void require_quota(Operation operation, Instant now);

  const EndpointOptions options_;
  Store store_;
  Faults faults_;
  CallLog calls_;
  RateLimit reads_;
  RateLimit writes_;
  std::uint64_t requests_ = 0;
};

}  // namespace jobs_endpoint

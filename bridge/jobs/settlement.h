#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {

/// Finds out, by describing the execution, what an update's own answer leaves open:
///
/// - A refusal for the execution's state or version: the reply carries `executionState`, which the
///   HTTP API's error does not have, and it tells the two codes apart, for which the HTTP API has
///   one exception.
/// - An update that may have been carried out although no proper answer came (the connection broke,
///   5xx, nonsense). If the execution is as the update wanted it, the device hears `accepted`.
///
/// A describe changes nothing, so it may be sent whatever the update's fate was. Usage: while it
/// has no verdict, send call() and pass the outcome to described(). Not thread-safe.
class Settlement {
 public:
  /// The settlement that an outcome needs, if it needs one. `refusal` is what read_answer() made of
  /// `outcome`.
  static std::optional<Settlement> of(const Request& update, const HttpOutcome& outcome,
                                      const Rejection& refusal);

  /// The describe to send next.
  [[nodiscard]] HttpRequest call(const Request& update) const;

  /// Takes the describe's outcome. The verdict, or nothing if another describe is needed.
  std::optional<Answer> described(const Request& update, const HttpOutcome& outcome);

  /// The verdict if time is up before there is one.
  [[nodiscard]] Rejection unsettled() const;

 private:
  enum class Question { execution_state, applied };
  struct Execution;

  Settlement(Question question, Rejection refusal, std::optional<std::int64_t> number)
      : question_(question), refusal_(std::move(refusal)), execution_number_(number) {}

  [[nodiscard]] Answer with_state(const Request& update, const Execution& execution) const;
  std::optional<Answer> judge(const Request& update, const Execution& execution);

  Question question_;
  Rejection refusal_;
  std::optional<std::int64_t> execution_number_;  ///< of the execution to describe; none: latest
};

}  // namespace jobs_bridge

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
///   5xx, nonsense). If the execution is as the update wanted it, the device hears `accepted`; if
///   not, the update is to be sent again.
///
/// A describe changes nothing, so it may be sent whatever the update's fate was. Usage: send
/// call(), pass the outcome to described(), and do what it says. Not thread-safe.
class Reconciliation {
 public:
  /// The reconciliation that an outcome needs, if it needs one. `refusal` is what read_answer()
  /// made of `outcome`. `sent_before`: an earlier call for this update may have been carried out
  /// too, so that the refusal may be one of our own repeat.
  static std::optional<Reconciliation> of(const Request& update, const HttpOutcome& outcome,
                                          const Rejection& refusal, bool sent_before);
  /// Of an update of which nobody knows any more whether it was sent.
  static Reconciliation of_unknown(const Request& update);

  /// The describe to send next.
  [[nodiscard]] HttpRequest call(const Request& update) const;

  enum class Next {
    describe,        ///< at once
    describe_later,  ///< it failed in a way that passes
    send_update,     ///< it has had no effect; nothing else is left to settle
  };
  /// Takes the describe's outcome.
  std::variant<Answer, Next> described(const Request& update, const HttpOutcome& outcome);

  /// Whether the endpoint has refused the update, and only the state is asked for.
  [[nodiscard]] bool is_refused() const { return !may_be_applied_; }
  /// The verdict if time is up before there is one.
  [[nodiscard]] Rejection undecided() const;

 private:
  enum class Question { execution_state, applied };
  struct Execution;
  using Step = std::variant<Answer, Next>;

  Reconciliation(Question question, bool may_be_applied, Rejection refusal,
                 std::optional<std::int64_t> number)
      : question_(question),
        may_be_applied_(may_be_applied),
        refusal_(std::move(refusal)),
        execution_number_(number) {}

  [[nodiscard]] Step without_description(const Request& update, const HttpOutcome& outcome,
                                         const Rejection& rejection);
  [[nodiscard]] Answer with_state(const Request& update, const Execution& execution) const;
  Step judge(const Request& update, const Execution& execution);

  Question question_;
  bool may_be_applied_;
  Rejection refusal_;
  std::optional<std::int64_t> execution_number_;  ///< of the execution to describe; none: latest
  int failed_looks_ = 0;
};

}  // namespace jobs_bridge

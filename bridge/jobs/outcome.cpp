#include "bridge/jobs/outcome.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/jobs/error_body.h"
#include "bridge/jobs/http_date.h"
#include "bridge/jobs/json_text.h"
#include "bridge/text/ascii.h"
#include "bridge/text/parse_number.h"
#include "bridge/text/utf8.h"

namespace jobs_bridge {
namespace {

using Members = std::vector<json_text::Member>;
using Shape = ErrorBody::Shape;

/// Enough for a sentence, and a bound on what an endpoint can make us send to a device.
constexpr std::size_t message_max = 1024;
constexpr std::size_t name_max = 128;

constexpr std::string_view no_reason = "the endpoint gave no reason";

/// The meaning of an error's name, whatever the status.
enum class Meaning {
  none,  ///< it has no name
  other,
  invalid_request,
  not_found,
  invalid_transition,
  version_mismatch,
  terminal_state,
  throttled,
  thing_busy,
  timed_out,
  bad_credentials,
  no_access,
};

struct Named {
  std::string_view name;  ///< as folded() has it
  Meaning meaning;
};

/// The Jobs API's errors (API model iot-jobs-data 2017-09-29), and AWS's common errors about
/// signatures and certificates (AWS general reference, "Common errors"). Throttling and timeouts
/// are the names that AWS SDKs retry: botocore `botocore/retries/standard.py`
/// (_THROTTLED_ERROR_CODES, _TRANSIENT_ERROR_CODES), aws-sdk-go-v2 `aws/retry/standard.go`
/// (DefaultThrottleErrorCodes, DefaultRetryableErrorCodes) and smithy-typescript
/// `packages/service-error-classification/src/constants.ts` agree on them, but for TimeoutError,
/// which the last alone has, and PriorRequestNotComplete, which botocore has in both.
constexpr std::array names = {
    Named{"INVALIDREQUEST", Meaning::invalid_request},
    Named{"VALIDATION", Meaning::invalid_request},
    Named{"SERIALIZATION", Meaning::invalid_request},
    Named{"RESOURCENOTFOUND", Meaning::not_found},
    Named{"INVALIDSTATETRANSITION", Meaning::invalid_transition},
    Named{"CONFLICT", Meaning::invalid_transition},
    Named{"VERSIONCONFLICT", Meaning::version_mismatch},
    Named{"TERMINALSTATE", Meaning::terminal_state},

    Named{"THROTTLING", Meaning::throttled},
    Named{"THROTTLED", Meaning::throttled},
    Named{"REQUESTTHROTTLED", Meaning::throttled},
    Named{"TOOMANYREQUESTS", Meaning::throttled},
    Named{"PROVISIONEDTHROUGHPUTEXCEEDED", Meaning::throttled},
    Named{"REQUESTLIMITEXCEEDED", Meaning::throttled},
    Named{"BANDWIDTHLIMITEXCEEDED", Meaning::throttled},
    Named{"LIMITEXCEEDED", Meaning::throttled},
    Named{"SLOWDOWN", Meaning::throttled},
    Named{"EC2THROTTLED", Meaning::throttled},
    // Of one resource, not of an account.
    Named{"PRIORREQUESTNOTCOMPLETE", Meaning::thing_busy},
    Named{"TRANSACTIONINPROGRESS", Meaning::thing_busy},
    Named{"REQUESTTIMEOUT", Meaning::timed_out},
    Named{"TIMEOUTERROR", Meaning::timed_out},

    Named{"CERTIFICATEVALIDATION", Meaning::bad_credentials},
    Named{"EXPIREDTOKEN", Meaning::bad_credentials},
    Named{"INCOMPLETESIGNATURE", Meaning::bad_credentials},
    Named{"INVALIDACCESSKEYID", Meaning::bad_credentials},
    Named{"INVALIDCLIENTTOKENID", Meaning::bad_credentials},
    Named{"INVALIDSIGNATURE", Meaning::bad_credentials},
    Named{"MISSINGAUTHENTICATIONTOKEN", Meaning::bad_credentials},
    Named{"NOTAUTHENTICATED", Meaning::bad_credentials},
    Named{"REQUESTEXPIRED", Meaning::bad_credentials},
    Named{"REQUESTINTHEFUTURE", Meaning::bad_credentials},
    Named{"REQUESTTIMETOOSKEWED", Meaning::bad_credentials},
    Named{"SIGNATUREDOESNOTMATCH", Meaning::bad_credentials},
    Named{"UNRECOGNIZEDCLIENT", Meaning::bad_credentials},
    Named{"ACCESSDENIED", Meaning::no_access},
};

/// Besides those, what an envelope's codes say: the nine codes of MQTT, and some of its own.
constexpr std::array enveloped_names = {
    Named{"VALIDATIONERROR", Meaning::invalid_request},
    Named{"VERSIONMISMATCH", Meaning::version_mismatch},
    Named{"TERMINALSTATEREACHED", Meaning::terminal_state},
};

/// Without case, separators and the ending that AWS gives to errors, so that TERMINAL_STATE and
/// TerminalStateException read alike.
std::string folded(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, name_max)) {
    if (c == '_' || c == '-') continue;
    text += to_upper(c);
  }
  constexpr std::string_view ending = "EXCEPTION";
  if (text.ends_with(ending)) text.resize(text.size() - ending.size());
  return text;
}

Meaning meaning_of(const ErrorBody& error) {
  if (error.name.empty()) return Meaning::none;
  const auto name = folded(error.name);
  const auto known = std::ranges::find(names, name, &Named::name);
  if (known != names.end()) return known->meaning;
  if (name.starts_with("THROTTLING") || name.starts_with("TOOMANYREQUESTS")) {
    return Meaning::throttled;
  }
  if (name.starts_with("ACCESSDENIED")) return Meaning::no_access;
  if (error.shape != Shape::envelope) return Meaning::other;

  const auto own = std::ranges::find(enveloped_names, name, &Named::name);
  if (own != enveloped_names.end()) return own->meaning;
  if (name.find("NOTFOUND") != std::string::npos) return Meaning::not_found;
  if (name.find("THROTTL") != std::string::npos || name.starts_with("RATE")) {
    return Meaning::throttled;
  }
  return Meaning::other;
}

/// The code that an error of the Jobs API stands for.
std::optional<ErrorCode> code_of(Meaning meaning) {
  switch (meaning) {
    case Meaning::invalid_request:
      return ErrorCode::invalid_request;
    case Meaning::not_found:
      return ErrorCode::resource_not_found;
    case Meaning::invalid_transition:
      return ErrorCode::invalid_state_transition;
    case Meaning::version_mismatch:
      return ErrorCode::version_mismatch;
    case Meaning::terminal_state:
      return ErrorCode::terminal_state_reached;
    default:
      return std::nullopt;
  }
}

bool is_refusal_status(int status) {
  return status == 401 || status == 403;
}

bool throttles(int status, Meaning meaning) {
  return status == 429 || meaning == Meaning::throttled || meaning == Meaning::thing_busy;
}

Refusal refusal_of(int status, Meaning meaning) {
  if (status < 400 || status >= 500 || throttles(status, meaning)) return Refusal::none;
  if (meaning == Meaning::bad_credentials) return Refusal::credentials;
  if (!is_refusal_status(status)) return Refusal::none;
  return meaning == Meaning::no_access ? Refusal::access : Refusal::unexplained;
}

std::string or_else(std::string message, std::string_view otherwise) {
  if (message.empty()) return std::string(otherwise);
  message.resize(shortened(message, message_max).size());
  return message;
}

std::string status_and_name(int status, std::string_view name) {
  auto text = "HTTP " + std::to_string(status);
  if (!name.empty()) (text += ' ') += name.substr(0, name_max);
  return text;
}

/// How long the endpoint asks to pause: seconds, or a date, which is read relative to the answer's
/// own Date (RFC 9110, 10.2.3).
std::optional<Duration> retry_after(const HttpResponse& response) {
  if (response.retry_after.empty()) return std::nullopt;
  const auto seconds = parse_number<int>(response.retry_after);
  if (seconds) return std::chrono::seconds(std::max(*seconds, 0));
  const auto then = read_http_date(response.retry_after);
  const auto now = read_http_date(response.date);
  if (!then || !now || *then <= *now) return std::nullopt;
  // Limited, since thousands of years do not fit into a Duration.
  return std::min(*then - *now, std::chrono::seconds(std::numeric_limits<int>::max()));
}

/// Judges one error, step by step.
class Judge {
 public:
  Judge(const HttpResponse& response, ErrorBody error)
      : response_(response), error_(std::move(error)), meaning_(meaning_of(error_)) {}

  Outcome outcome() && {
    const int status = response_.status;
    if (error_.shape == Shape::success) return contradiction();
    if (throttles(status, meaning_)) return throttled();
    const auto refusal = refusal_of(status, meaning_);
    if (refusal != Refusal::none) return refused(refusal);
    const bool client_error = status >= 400 && status < 500;
    if (is_enveloped() || client_error) {
      if (const auto code = code_of(meaning_)) return said(*code);
      if (status == 408 || meaning_ == Meaning::timed_out) return failed(Applied::maybe);
      // Not processed, by what they mean (RFC 9110, 15.5.20; RFC 8470, 5.2).
      if (status == 421 || status == 425) return failed(Applied::no);
    }
    if (client_error) return is_from_another_server() ? failed(Applied::maybe) : refused_unknown();
    // A redirection does not come from the Jobs API either, which has none.
    return failed(Applied::maybe);
  }

 private:
  [[nodiscard]] bool is_enveloped() const { return error_.shape == Shape::envelope; }

  /// Whether the error, an HTTP 4xx, is not from the Jobs API: see read_outcome().
  [[nodiscard]] bool is_from_another_server() const {
    constexpr std::array from_other_servers = {404, 405, 409, 410};
    const int status = response_.status;
    // That the body is too large concerns the request, no matter which server answers it.
    if (meaning_ != Meaning::none || status == 413) return false;
    return error_.shape == Shape::page ||
           std::ranges::find(from_other_servers, status) != from_other_servers.end();
  }

  [[nodiscard]] std::string fault() const {
    const bool refused =
        is_refusal_status(response_.status) || meaning_ == Meaning::bad_credentials;
    return (refused ? "the endpoint refuses the gateway: " : "the endpoint failed: ") +
           status_and_name(response_.status, error_.name);
  }

  /// For the device: that the endpoint failed and how. What AWS says about it may name the
  /// gateway's account or role and is for the operator only.
  Rejection internal_error() {
    if (is_enveloped() && !is_refusal_status(response_.status)) {
      return {.code = ErrorCode::internal_error,
              .message =
                  or_else(std::move(error_.message), "the endpoint failed without giving a reason"),
              .detail = status_and_name(response_.status, error_.name)};
    }
    const bool page = error_.shape == Shape::page && meaning_ == Meaning::none;
    return {.code = ErrorCode::internal_error,
            .message = fault(),
            .detail = or_else(std::move(error_.message),
                              page ? "the answer does not have the form of the Jobs API: it may "
                                     "come from a load balancer or a proxy"
                                   : no_reason)};
  }

  /// A success with the status of an error.
  Outcome contradiction() {
    const int status = response_.status;
    Outcome outcome{.answer = {}};
    if (status >= 400 && status < 500) {
      outcome.refusal = refusal_of(status, meaning_);
    } else {
      outcome = failed(Applied::maybe);
    }
    outcome.answer = invalid_answer("success with HTTP " + std::to_string(status));
    return outcome;
  }

  Outcome throttled() {
    const bool account = response_.status == 429 || meaning_ == Meaning::throttled;
    constexpr std::string_view otherwise = "the endpoint throttles: try again later";
    auto message = std::move(error_.message);
    Rejection rejection{ErrorCode::request_throttled, {}};
    // The message of a refusal may name the account.
    if (is_refusal_status(response_.status)) {
      rejection.message = otherwise;
      rejection.detail = std::move(message);
    } else {
      rejection.message = or_else(std::move(message), otherwise);
    }
    return {.answer = std::move(rejection),
            .repeat = Repeat::may_help,
            .throttled = account ? Throttled::account : Throttled::thing,
            .health = account ? Health::throttling : Health::healthy,
            .retry_after = retry_after(response_)};
  }

  Outcome refused(Refusal refusal) {
    // 401 means missing or invalid credentials; a 403 without a name may come from any proxy on the
    // way.
    const bool fixable =
        refusal == Refusal::credentials ||
        (refusal == Refusal::unexplained && (response_.status == 401 || meaning_ == Meaning::none));
    Outcome outcome{.answer = {},
                    .repeat = fixable ? Repeat::helps_when_fixed : Repeat::useless,
                    .refusal = refusal};
    // Equivalent to an outage: it will carry out no call for any thing.
    if (fixable) outcome.health = Health::failing;
    outcome.access_denied = !fixable;
    describe_fault(outcome, kind_of(refusal));
    outcome.fails_for_all = refusal == Refusal::credentials;
    outcome.answer = internal_error();
    return outcome;
  }

  [[nodiscard]] EndpointFault kind_of(Refusal refusal) const {
    if (refusal == Refusal::credentials) {
      const bool missing = folded(error_.name) == "MISSINGAUTHENTICATIONTOKEN";
      return missing ? EndpointFault::not_signed : EndpointFault::signature;
    }
    if (refusal == Refusal::access) return EndpointFault::access;
    return meaning_ == Meaning::none ? EndpointFault::forbidden : EndpointFault::access;
  }

  Outcome said(ErrorCode code) {
    auto message = or_else(std::move(error_.message), no_reason);
    // HTTP has one exception for a wrong state and for a wrong version; the wording of the latter
    // was captured from the live service.
    if (code == ErrorCode::invalid_state_transition && message.starts_with("Expected version")) {
      code = ErrorCode::version_mismatch;
    }
    return {.answer = Rejection{code, std::move(message)}};
  }

  Outcome failed(Applied applied) {
    Outcome outcome{.answer = {}, .repeat = Repeat::may_help, .applied = applied};
    // An envelope with HTTP 2xx shows that the endpoint answers.
    if (response_.status < 200 || response_.status >= 300) {
      outcome.retry_after = retry_after(response_);
      outcome.health = Health::failing;
      describe_fault(outcome, response_.status >= 500 ? EndpointFault::server_error
                                                      : EndpointFault::not_the_api);
    }
    outcome.answer = internal_error();
    return outcome;
  }

  void describe_fault(Outcome& outcome, EndpointFault kind) const {
    outcome.fault_kind = kind;
    // That access is denied is all that is said of it otherwise.
    outcome.fault =
        outcome.access_denied ? status_and_name(response_.status, error_.name) : fault();
    if (!error_.message.empty()) {
      outcome.fault_detail = outcome.fault + ": " + or_else(error_.message, {});
    }
  }

  /// An HTTP 4xx with a name that the Jobs API does not have, or without one.
  Outcome refused_unknown() {
    const bool named = meaning_ != Meaning::none && !is_enveloped();
    if (named && response_.status == 409) return said(ErrorCode::invalid_state_transition);
    if (named && response_.status == 410) return said(ErrorCode::terminal_state_reached);
    return {.answer = internal_error()};
  }

  const HttpResponse& response_;
  ErrorBody error_;
  const Meaning meaning_;
};

EndpointFault kind_of(HttpFailure::Kind kind) {
  using Kind = HttpFailure::Kind;
  switch (kind) {
    case Kind::resolve:
      return EndpointFault::name;
    case Kind::connect:
      return EndpointFault::connection;
    case Kind::refused:
      return EndpointFault::refused;
    case Kind::proxy:
      return EndpointFault::proxy;
    case Kind::tls:
      return EndpointFault::tls;
    case Kind::certificate:
      return EndpointFault::certificate;
    case Kind::client_certificate:
      return EndpointFault::client_certificate;
    case Kind::credentials:
      return EndpointFault::no_credentials;
    case Kind::timeout:
    case Kind::broken:
      return EndpointFault::no_answer;
    case Kind::too_large:
      return EndpointFault::not_the_api;
    case Kind::stopped:
      break;
  }
  return EndpointFault::none;
}

Outcome read_failure(const HttpFailure& failure) {
  using Kind = HttpFailure::Kind;
  auto rejection = no_answer(failure);
  Outcome outcome{.answer = {},
                  .repeat = Repeat::may_help,
                  .applied = failure.maybe_sent ? Applied::maybe : Applied::no,
                  .health = Health::failing,
                  .maybe_sent = failure.maybe_sent,
                  .fault = rejection.message,
                  .fault_detail = failure.detail};
  if (failure.kind == Kind::stopped) {
    outcome.repeat = Repeat::useless;
    outcome.health = Health::unknown;
  } else if (failure.kind == Kind::too_large) {
    outcome.health = Health::healthy;
  }
  outcome.fails_for_all = failure.kind == Kind::resolve || failure.kind == Kind::connect ||
                          failure.kind == Kind::refused || failure.kind == Kind::proxy ||
                          failure.kind == Kind::tls || failure.kind == Kind::certificate ||
                          failure.kind == Kind::client_certificate ||
                          failure.kind == Kind::credentials;
  outcome.fault_kind = kind_of(failure.kind);
  if (outcome.health != Health::failing) {
    outcome.fault_kind = EndpointFault::none;
    outcome.fault.clear();
    outcome.fault_detail.clear();
  }
  outcome.answer = std::move(rejection);
  return outcome;
}

/// Some 200 answers are errors: `{"Output":{"__type":...}}` is what AWS sends for an operation that
/// it does not recognise (aws/aws-sdk-js#2539).
bool hides_an_error(const Members& members) {
  if (json_text::find(members, "__type") != nullptr) return true;
  const auto* output = json_text::find(members, "Output");
  if (output == nullptr) return false;
  const auto inner = json_text::members_of(output->value);
  return inner && json_text::find(*inner, "__type") != nullptr;
}

/// The members of a success, or a rejection if the answer is not a success.
Answer read_members(const Request& request, const HttpResponse& response, const Members& members,
                    bool enveloped) {
  if (enveloped) {
    const auto* data = json_text::find(members, "data");
    if (data == nullptr) return read_success(request, {});
    const auto inner = json_text::members_of(data->value);
    if (!inner) return invalid_answer("data is not an object");
    return read_success(request, *inner);
  }
  if (!response.error_type.empty() || hides_an_error(members)) {
    return invalid_answer("HTTP " + std::to_string(response.status) + " with an error in it");
  }
  if (!has_answer_of(request.operation, members)) {
    return invalid_answer("a success without any member that this operation's answer has");
  }
  return read_success(request, members);
}

Outcome read_success_status(const Request& request, const HttpResponse& response) {
  const auto parsed = json_text::members_of(response.body);
  // Whatever a nonsensical success means, the call may have been carried out.
  Outcome outcome{.answer = {}, .repeat = Repeat::may_help, .applied = Applied::maybe};
  if (!parsed) {
    outcome.answer = invalid_answer("HTTP " + std::to_string(response.status) +
                                    " without a JSON object: " + parsed.error().message +
                                    " at byte " + std::to_string(parsed.error().offset));
    return outcome;
  }
  const auto shape = shape_of(*parsed);
  if (shape == Shape::envelope) return Judge(response, read_error({}, *parsed)).outcome();
  outcome.answer = read_members(request, response, *parsed, shape == Shape::success);
  if (std::holds_alternative<Accepted>(outcome.answer)) {
    outcome.repeat = Repeat::useless;
    outcome.applied = Applied::yes;
  }
  return outcome;
}

}  // namespace

Outcome read_outcome(const Request& request, const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) return read_failure(*failure);
  const auto& response = std::get<HttpResponse>(outcome);
  if (response.status >= 200 && response.status < 300) {
    return read_success_status(request, response);
  }
  return Judge(response,
               response.error ? *response.error : read_error(response.error_type, response.body))
      .outcome();
}

Refusal read_refusal(HttpResponse& response) {
  if (response.status < 400 || response.status >= 500) return Refusal::none;
  if (!response.error_type.empty()) {
    return refusal_of(response.status, meaning_of(read_error(response.error_type, "")));
  }
  if (!response.error) response.error = read_error({}, response.body);
  return refusal_of(response.status, meaning_of(*response.error));
}

Rejection no_answer(const HttpFailure& failure) {
  using Kind = HttpFailure::Kind;
  std::string message;
  switch (failure.kind) {
    case Kind::resolve:
    case Kind::connect:
    case Kind::refused:
    case Kind::proxy:
    case Kind::tls:
    case Kind::certificate:
    case Kind::client_certificate:
      message = "the endpoint cannot be reached";
      break;
    case Kind::timeout:
      message = "the endpoint did not answer in time";
      break;
    case Kind::broken:
    case Kind::too_large:
      message = "the endpoint's answer is not valid";
      break;
    case Kind::credentials:
      message = "the gateway has no credentials for the endpoint";
      break;
    case Kind::stopped:
      message = "the gateway is shutting down: try again";
      break;
  }
  return {ErrorCode::internal_error, std::move(message), failure.detail};
}

}  // namespace jobs_bridge

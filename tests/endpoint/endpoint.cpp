#include "tests/endpoint/endpoint.h"

#include <limits>
#include <utility>

#include "tests/endpoint/members.h"
#include "tests/endpoint/signature.h"

namespace jobs_endpoint {
namespace {

constexpr std::string_view usual_garbage = "\x15\x03\x01 this is not HTTP \xff\xfe\r\n\r\n\x01";

/// An unsolicited answer, as a desynchronised peer would send it.
std::string usual_extra() {
  return to_wire(success_answer({{"execution", {{"jobId", "stray"}, {"thingName", "stray"}}}},
                                AnswerShape::aws),
                 "Thu, 01 Jan 1970 00:00:00 GMT", true);
}

HttpAnswer status_answer(const Fault& fault, AnswerShape shape) {
  HttpAnswer answer =
      fault.status < 300
          ? success_answer(Json::object(), shape)
          : error_answer(ServiceError(fault.status, fault.error_type, fault.message), shape);
  answer.status = fault.status;
  if (fault.body) {
    answer.body = *fault.body;
    // A body of the test's own comes with no error type that the test did not ask for.
    if (!fault.given.contains("error_type")) remove_header(answer.headers, "x-amzn-ErrorType");
  }
  for (const auto& [name, value] : fault.headers) {
    remove_header(answer.headers, name);
    answer.headers.emplace_back(name, value);
  }
  return answer;
}

/// A delivery that suffers what struck it, still without an answer.
Delivery struck_delivery(const Strike& strike) {
  const Fault& fault = strike.fault;
  Delivery delivery;
  delivery.manner = fault.kind;
  delivery.delay = strike.delay;
  delivery.interval = fault.interval;
  delivery.bytes = fault.bytes;
  if (fault.kind == FaultKind::garbage) {
    delivery.stray = fault.body.value_or(std::string(usual_garbage));
  } else if (fault.kind == FaultKind::extra_bytes) {
    delivery.stray = fault.body ? *fault.body : usual_extra();
  }
  return delivery;
}

Call call_of(const Route& route, const HttpRequest& request) {
  Call call;
  call.operation = route.operation;
  call.thing = route.thing;
  call.job = route.job;
  call.method = request.method;
  call.target = request.target;
  call.content_type = find_header(request.headers, "Content-Type");
  call.accept = find_header(request.headers, "Accept");
  call.body = request.body;
  call.access_key = claimed_key(request);
  call.client_name = request.client_name.value_or("");
  return call;
}

}  // namespace

Endpoint::Endpoint(const EndpointOptions& options)
    : options_(options),
      store_(options.time_scale),
      credentials_lifetime_(options.credentials_lifetime),
      reads_(options.reads_per_second),
      writes_(options.writes_per_second) {
  for (const auto& key : options.keys) keys_.add(key);
}

Delivery Endpoint::receive(const HttpRequest& request, std::uint64_t connection, Instant now) {
  if (is_emulator_control(request.target)) return {answer_control(request)};

  const Route route = route_of(request.method, request.target);
  const std::optional<Strike> strike = faults_.strike(route);
  Delivery delivery = strike ? struck_delivery(*strike) : Delivery();
  if (!strike || strike->fault.carried_out) delivery.answer = answer_call(route, request, now);
  if (strike && strike->fault.kind == FaultKind::status) {
    delivery.answer = status_answer(strike->fault, shape_for(route.operation));
  }
  // An answer to HEAD has no body, and here no length of one either.
  if (request.method == "HEAD") delivery.answer.body.clear();
  delivery.answer.headers.emplace_back("x-amzn-RequestId", request_id(++requests_));

  Call call = call_of(route, request);
  call.connection = connection;
  call.arrived_at = now;
  if (strike) call.fault = name_of(strike->fault.kind);
  delivery.call = calls_.arrived(std::move(call));
  return delivery;
}

void Endpoint::delivered(const Delivery& delivery, Instant now) {
  calls_.answered(delivery.call, delivery.answer.status, now);
}

void Endpoint::malformed() {
  calls_.malformed();
}

AnswerShape Endpoint::shape_for(Operation operation) const {
  return options_.envelope && is_data_plane(operation) ? AnswerShape::envelope : AnswerShape::aws;
}

HttpAnswer Endpoint::answer_call(const Route& route, const HttpRequest& request, Instant now) {
  const AnswerShape shape = shape_for(route.operation);
  try {
    if (route.operation == Operation::unknown) {
      throw unknown_operation("No operation of AWS IoT Jobs is " + request.method + " " +
                              request.target);
    }
    if (route.operation == Operation::assume_role) return answer_assume_role(request, now);
    authenticate(route, request, now);
    if (!is_data_plane(route.operation)) {
      return success_answer(carry_out_control_plane(route, request.body, store_, now), shape);
    }
    require_quota(route.operation, now);
    return success_answer(
        carry_out_data_plane(route, request.body, store_, options_.operations, now), shape);
  } catch (const ServiceError& error) {
    return error_answer(error, shape);
  } catch (const std::exception& error) {
    return error_answer(ServiceError(500, "InternalServerException", error.what()), shape);
  }
}

void Endpoint::authenticate(const Route& route, const HttpRequest& request, Instant now) const {
  const bool wanted = !keys_.empty() || options_.credentials_lifetime.count() > 0;
  if (!wanted) return;
  SignatureScope scope{.service = "iot-jobs-data", .region = options_.region};
  if (!is_data_plane(route.operation)) {
    scope.service = "iot";
    // So the AWS CLI and SDKs of some years ago.
    scope.other_service = "execute-api";
  }
  require_signature(request, keys_, scope, now);
}

HttpAnswer Endpoint::answer_assume_role(const HttpRequest& request, Instant now) {
  HttpAnswer answer{.status = 200, .headers = {{"Content-Type", "application/json"}}};
  if (options_.credentials_lifetime.count() > 0 && request.client_name) {
    answer.body = credentials_shape(keys_.issue(now, credentials_lifetime_)).dump();
  } else {
    // The provider's own shape: no error type.
    answer.status = 403;
    answer.body = R"({"message":"Access Denied","traceId":"00000000-0000-0000-0000-000000000000"})";
  }
  return answer;
}

Json Endpoint::change_credentials(const std::string& body) {
  const Json wish = Json::parse(body, nullptr, false);
  if (!wish.is_object()) throw invalid_request("not a JSON object");
  for (const auto& [name, value] : wish.items()) {
    if (name == "revoke" && value.is_string()) {
      keys_.revoke(value.get<std::string>());
    } else if (name == "lifetime" && value.is_number_unsigned()) {
      credentials_lifetime_ = std::chrono::seconds(value.get<std::uint32_t>());
    } else {
      throw invalid_request(
          "the members are \"revoke\" (an access key id or \"all\") and \"lifetime\" (seconds); "
          "not " +
          name);
    }
  }
  return {{"lifetime", credentials_lifetime_.count()}};
}

void Endpoint::require_quota(Operation operation, Instant now) {
  RateLimit& limit = is_write(operation) ? writes_ : reads_;
  if (!limit.admit(now)) throw throttling();
}

HttpAnswer Endpoint::answer_control(const HttpRequest& request) {
  const Target target = split_target(request.target);
  Route query;
  query.query = target.query;
  try {
    if (target.path == "/_faults") {
      if (request.method == "PUT") faults_.replace(request.body);
      if (request.method == "DELETE") faults_.clear();
      if (request.method == "PUT" || request.method == "DELETE" || request.method == "GET") {
        return success_answer(faults_.shape(), AnswerShape::aws);
      }
    }
    if (target.path == "/_credentials" && request.method == "PUT") {
      return success_answer(change_credentials(request.body), AnswerShape::aws);
    }
    if (target.path == "/_calls") {
      const auto limit = integer_parameter(query.parameter("limit"), "limit");
      if (limit && *limit < 0) {
        throw constraint_violation("limit", std::to_string(*limit), "Member must not be negative");
      }
      if (request.method == "DELETE") calls_.clear();
      if (request.method == "DELETE" || request.method == "GET") {
        return success_answer(calls_.shape(limit ? static_cast<std::size_t>(*limit)
                                                 : std::numeric_limits<std::size_t>::max(),
                                           query.parameter("thing").value_or(std::string())),
                              AnswerShape::aws);
      }
    }
    throw unknown_operation(
        "The emulator's own requests are PUT, GET and DELETE /_faults, PUT /_credentials, GET and "
        "DELETE "
        "/_calls; not " +
        request.method + " " + request.target);
  } catch (const ServiceError& error) {
    return error_answer(error, AnswerShape::aws);
  }
}

}  // namespace jobs_endpoint

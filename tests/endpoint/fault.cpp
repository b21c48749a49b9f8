#include "tests/endpoint/fault.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/endpoint/members.h"

namespace jobs_endpoint {
namespace {

constexpr std::array<std::pair<std::string_view, FaultKind>, 9> kinds = {{
    {"none", FaultKind::none},
    {"status", FaultKind::status},
    {"hang", FaultKind::hang},
    {"reset", FaultKind::reset},
    {"truncate", FaultKind::truncate},
    {"trickle", FaultKind::trickle},
    {"garbage", FaultKind::garbage},
    {"close_idle", FaultKind::close_idle},
    {"extra_bytes", FaultKind::extra_bytes},
}};

constexpr std::array<std::string_view, 15> known_members = {
    "kind",     "thing",      "operation",   "probability", "count",
    "delay_ms", "jitter_ms",  "interval_ms", "bytes",       "carried_out",
    "status",   "error_type", "message",     "headers",     "body"};

constexpr std::int64_t longest_milliseconds = 24LL * 60 * 60 * 1000;
constexpr std::size_t longest_text = 1U << 20U;

FaultKind kind_member(const Members& members) {
  const auto name = members.text("kind", 64).value_or("none");
  for (const auto& [known, kind] : kinds) {
    if (known == name) return kind;
  }
  throw constraint_violation("kind", name,
                             "Member must satisfy enum value set: [none, status, hang, reset, "
                             "truncate, trickle, garbage, close_idle, extra_bytes]");
}

std::chrono::milliseconds milliseconds_member(const Members& members, const char* name,
                                              std::chrono::milliseconds otherwise) {
  return std::chrono::milliseconds(
      members.integer(name, 0, longest_milliseconds).value_or(otherwise.count()));
}

bool is_header_text(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char character) {
    return static_cast<unsigned char>(character) < 0x20U || character == 0x7F;
  });
}

Headers headers_member(const Members& members) {
  Headers headers;
  const auto object = members.object("headers");
  if (!object) return headers;
  for (const auto& [name, value] : object->json().items()) {
    if (name.empty() || !value.is_string() || !is_header_text(name) ||
        !is_header_text(value.get_ref<const std::string&>())) {
      throw constraint_violation("headers." + name, excerpt(value),
                                 "Member must be a string without control characters");
    }
    headers.emplace_back(name, value.get<std::string>());
  }
  return headers;
}

std::optional<Operation> operation_member(const Members& members) {
  const auto name = members.text("operation", 64);
  if (!name) return std::nullopt;
  const auto operation = operation_named(*name);
  if (!operation) {
    throw constraint_violation("operation", *name,
                               "Member must be the name of an operation, such as "
                               "StartNextPendingJobExecution");
  }
  return operation;
}

/// A string is used verbatim; any other JSON is serialised.
std::optional<std::string> body_member(const Members& members) {
  const Json* body = members.find("body");
  if (body == nullptr) return std::nullopt;
  return body->is_string() ? body->get<std::string>() : body->dump();
}

Fault fault_of(const Json& given) {
  const Members members(given, "");
  for (const auto& [name, value] : given.items()) {
    if (std::find(known_members.begin(), known_members.end(), name) == known_members.end()) {
      throw constraint_violation(name, excerpt(value), "There is no such member");
    }
  }
  Fault fault;
  fault.kind = kind_member(members);
  fault.thing = members.text("thing", 128);
  fault.operation = operation_member(members);
  fault.probability = members.number("probability", 0, 1).value_or(1);
  fault.count = members.integer("count", 0, INT64_MAX);
  // A request that does not arrive is not carried out unless the test asks for it; one whose answer
  // is spoilt is.
  const bool refused = fault.kind == FaultKind::status || fault.kind == FaultKind::hang ||
                       fault.kind == FaultKind::reset || fault.kind == FaultKind::garbage;
  fault.carried_out = members.boolean("carried_out").value_or(!refused);
  fault.delay = milliseconds_member(members, "delay_ms", fault.delay);
  fault.jitter = milliseconds_member(members, "jitter_ms", fault.jitter);
  fault.interval = milliseconds_member(members, "interval_ms", fault.interval);
  if (const auto bytes = members.integer("bytes", 0, INT64_MAX)) {
    fault.bytes = static_cast<std::size_t>(*bytes);
  }
  fault.status = static_cast<int>(members.integer("status", 100, 999).value_or(fault.status));
  fault.error_type = members.text("error_type", longest_text).value_or(usual_type(fault.status));
  if (!is_header_text(fault.error_type)) {
    throw constraint_violation("error_type", "...", "Member must not contain control characters");
  }
  fault.message = members.text("message", longest_text)
                      .value_or(fault.status == 429 ? "Rate exceeded" : "An injected fault");
  fault.headers = headers_member(members);
  fault.body = body_member(members);
  fault.given = given;
  return fault;
}

bool falls_under(const Route& route, const Fault& fault) {
  if (fault.count && *fault.count == 0) return false;
  if (fault.thing && *fault.thing != route.thing) return false;
  if (fault.operation) return *fault.operation == route.operation;
  return is_data_plane(route.operation);
}

}  // namespace

std::string_view name_of(FaultKind kind) {
  for (const auto& [name, known] : kinds) {
    if (known == kind) return name;
  }
  return "none";
}

void Faults::replace(const std::string& body) {
  Json given = parse_json(body);
  // As shape() shows them.
  if (given.is_object() && given.size() == 1 && given.contains("faults")) given = given["faults"];
  std::vector<Fault> faults;
  if (given.is_array()) {
    for (const Json& one : given) faults.push_back(fault_of(one));
  } else {
    faults.push_back(fault_of(given));
  }
  faults_ = std::move(faults);
  random_.seed(1);
}

void Faults::clear() {
  faults_.clear();
}

std::optional<Strike> Faults::strike(const Route& route) {
  for (Fault& fault : faults_) {
    if (!falls_under(route, fault)) continue;
    if (fault.probability < 1 &&
        std::uniform_real_distribution<double>()(random_) >= fault.probability) {
      continue;
    }
    if (fault.count) --*fault.count;
    Strike strike = {fault, fault.delay};
    if (fault.jitter.count() > 0) {
      const std::chrono::microseconds most = fault.jitter;
      strike.delay += std::chrono::microseconds(
          std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
    }
    return strike;
  }
  return std::nullopt;
}

Json Faults::shape() const {
  Json list = Json::array();
  for (const Fault& fault : faults_) {
    Json shape = fault.given;
    if (fault.count) shape["count"] = *fault.count;
    list.push_back(std::move(shape));
  }
  return {{"faults", std::move(list)}};
}

}  // namespace jobs_endpoint

#include "bridge/jobs/reply.h"

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

std::string finish(std::string payload, std::string_view client_token, std::int64_t unix_seconds) {
  payload += "\"timestamp\":";
  payload += std::to_string(unix_seconds);
  if (!client_token.empty()) {
    payload += ",\"clientToken\":";
    payload += client_token;
  }
  payload += '}';
  return payload;
}

}  // namespace

std::string accepted_payload(std::string_view members, std::string_view client_token,
                             std::int64_t unix_seconds) {
  std::string payload;
  payload.reserve(members.size() + client_token.size() + 64);
  payload += '{';
  if (!members.empty()) {
    payload += members;
    payload += ',';
  }
  return finish(std::move(payload), client_token, unix_seconds);
}

std::string rejected_payload(const Rejection& rejection, std::string_view client_token,
                             std::int64_t unix_seconds) {
  std::string payload = "{\"code\":\"";
  payload += to_string(rejection.code);
  payload += "\",\"message\":";
  payload += json_text::encode_string(rejection.message);
  payload += ',';
  if (!rejection.execution_state.empty()) {
    payload += "\"executionState\":";
    payload += rejection.execution_state;
    payload += ',';
  }
  return finish(std::move(payload), client_token, unix_seconds);
}

}  // namespace jobs_bridge

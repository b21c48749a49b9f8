#include "bridge/jobs/reply.h"

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

void add_token_and_time(std::string& payload, std::string_view client_token,
                        std::int64_t unix_seconds) {
  if (!client_token.empty()) {
    payload += "\"clientToken\":";
    payload += client_token;
    payload += ',';
  }
  payload += "\"timestamp\":";
  payload += std::to_string(unix_seconds);
}

}  // namespace

std::string accepted_payload(std::string_view members, std::string_view client_token,
                             std::int64_t unix_seconds) {
  std::string payload;
  payload.reserve(members.size() + client_token.size() + 64);
  payload += '{';
  add_token_and_time(payload, client_token, unix_seconds);
  if (!members.empty()) {
    payload += ',';
    payload += members;
  }
  payload += '}';
  return payload;
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
  add_token_and_time(payload, client_token, unix_seconds);
  payload += '}';
  return payload;
}

}  // namespace jobs_bridge

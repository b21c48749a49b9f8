#include "tests/support/jobs_endpoint.h"

#include <httplib.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {

JobsEndpoint::JobsEndpoint(Options options) : options_(std::move(options)) {
  start();
}

void JobsEndpoint::start() {
  std::vector<std::string> command = {JOBS_ENDPOINT_PROGRAM, "--listen",
                                      "127.0.0.1:" + std::to_string(port_)};
  if (options_.tls) {
    command.insert(command.end(), {"--tls-cert", options_.tls->certificate, "--tls-key",
                                   options_.tls->private_key});
  }
  if (!options_.client_ca_file.empty()) {
    command.insert(command.end(), {"--client-ca", options_.client_ca_file});
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  process_.emplace(std::move(command));
  const auto line = process_->wait_for_line("jobs-endpoint listening on .*:[0-9]+$");
  if (!line) throw std::runtime_error("jobs-endpoint does not start: " + log());
  port_ = static_cast<unsigned short>(std::stoi(line->substr(line->rfind(':') + 1)));
}

void JobsEndpoint::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait()) throw std::runtime_error("jobs-endpoint does not end");
}

std::string JobsEndpoint::url() const {
  return (options_.tls ? "https://localhost:" : "http://localhost:") + std::to_string(port_);
}

std::string JobsEndpoint::exchange(const std::string& method, const std::string& path,
                                   const std::string& body) {
  httplib::Client client(
      (options_.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_),
      options_.client.certificate, options_.client.private_key);
  // The tests' own calls; whether the bridge verifies is tested elsewhere.
  client.enable_server_certificate_verification(false);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(wait_limit);
  client.set_read_timeout(wait_limit);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.headers = {{"Content-Type", "application/json"}};
  const auto result = client.send(request);
  if (!result) {
    throw std::runtime_error(method + " " + path + ": " + httplib::to_string(result.error()));
  }
  if (result->status < 200 || result->status >= 300) {
    throw std::runtime_error(method + " " + path + ": " + std::to_string(result->status) + " " +
                             result->body);
  }
  return result->body;
}

void JobsEndpoint::create_job(const std::string& job, const std::vector<std::string>& things,
                              const std::string& document, int retries) {
  nlohmann::json body = {{"document", document}, {"targets", nlohmann::json::array()}};
  for (const auto& thing : things) {
    body["targets"].push_back("arn:aws:iot:eu-central-1:123456789012:thing/" + thing);
  }
  if (retries > 0) {
    body["jobExecutionsRetryConfig"] = {
        {"criteriaList", {{{"failureType", "FAILED"}, {"numberOfRetries", retries}}}}};
  }
  exchange("PUT", "/jobs/" + job, body.dump());
}

void JobsEndpoint::set_fault(const nlohmann::json& fault) {
  exchange("PUT", "/_faults", fault.dump());
}

void JobsEndpoint::clear_faults() {
  exchange("DELETE", "/_faults", "");
}

void JobsEndpoint::revoke_credentials() {
  exchange("PUT", "/_credentials", R"({"revoke":"all"})");
}

nlohmann::json JobsEndpoint::calls() {
  return nlohmann::json::parse(exchange("GET", "/_calls", ""));
}

std::vector<nlohmann::json> JobsEndpoint::start_next_calls() {
  const auto all = calls();
  std::vector<nlohmann::json> chosen;
  std::ranges::copy_if(all.at("calls"), std::back_inserter(chosen), [](const auto& call) {
    return call.at("operation") == "StartNextPendingJobExecution";
  });
  return chosen;
}

bool JobsEndpoint::wait_for_calls(std::size_t count) {
  return wait_until([&] { return start_next_calls().size() >= count; }, wait_limit);
}

bool JobsEndpoint::wait_for_answers(std::size_t count) {
  const auto answered = [](const auto& call) { return !call.at("answeredAt").is_null(); };
  return wait_until(
      [&] {
        const auto calls = start_next_calls();
        return static_cast<std::size_t>(std::ranges::count_if(calls, answered)) >= count;
      },
      wait_limit);
}

}  // namespace jobs_bridge::testing_support

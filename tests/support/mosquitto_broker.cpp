#include "tests/support/mosquitto_broker.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "tests/support/accepts_connections.h"
#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::trunc);
  file << content << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace

MosquittoBroker::MosquittoBroker(Options options) : options_(std::move(options)) {
  if (!options_.acl.empty()) write_file(directory_.file("acl"), options_.acl);
  if (!options_.users.empty()) make_password_file();
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    write_configuration();
    if (try_start()) return;
  }
  throw std::runtime_error("mosquitto does not start: " + log());
}

MosquittoBroker::~MosquittoBroker() = default;

std::string MosquittoBroker::url() const {
  return (options_.tls.certificate.empty() ? "mqtt://localhost:" : "mqtts://localhost:") +
         std::to_string(port_);
}

void MosquittoBroker::start() {
  if (!try_start()) throw std::runtime_error("mosquitto does not start: " + log());
}

bool MosquittoBroker::try_start() {
  process_.emplace(std::vector<std::string>{"mosquitto", "-c", directory_.file("mosquitto.conf")});
  // Something else may have taken the port: what accepts must be this process. It must have come to
  // look at the connection, too: a SIGTERM that comes before mosquitto's loop has begun is lost.
  return process_->wait_for_output(" running\n") &&
         wait_until([&] { return accepts_connections(port_); }) &&
         process_->wait_for_output("onnection from 127.0.0.1") && process_->running();
}

void MosquittoBroker::stop(int signal) {
  process_->signal(signal);
  if (!process_->wait()) throw std::runtime_error("mosquitto does not stop: " + log());
}

void MosquittoBroker::set_acl(const std::string& content) {
  write_file(directory_.file("acl"), content);
  const auto before = log().size();
  process_->signal(SIGHUP);
  if (!process_->wait_for_output("Reloading config", wait_limit, before)) {
    throw std::runtime_error("mosquitto does not reload: " + log());
  }
}

void MosquittoBroker::make_password_file() const {
  const auto file = directory_.file("passwords");
  write_file(file, "");
  for (const auto& [name, password] : options_.users) {
    Process tool({"mosquitto_passwd", "-b", file, name, password});
    if (tool.wait() != 0) throw std::runtime_error("mosquitto_passwd: " + tool.output());
  }
}

std::string MosquittoBroker::access_lines() const {
  std::string lines;
  const auto add = [&](const std::string& line) { lines += line + "\n"; };
  if (options_.with_plugin) {
    add("plugin " JOBS_BRIDGE_MOSQUITTO_PLUGIN);
    for (const auto& option : options_.plugin_options) add("plugin_opt_" + option);
  }
  if (!options_.acl.empty()) add("acl_file " + directory_.file("acl"));
  add(options_.users.empty() ? "allow_anonymous true" : "allow_anonymous false");
  if (!options_.users.empty()) add("password_file " + directory_.file("passwords"));
  return lines;
}

void MosquittoBroker::write_configuration() const {
  std::string lines = "log_dest stderr\nlog_type all\n";
  const auto add = [&](const std::string& line) { lines += line + "\n"; };
  if (options_.per_listener) add("per_listener_settings true");
  // As root it would become the user mosquitto, who may not read the test's files.
  if (geteuid() == 0) add("user root");
  if (options_.no_delay) add("set_tcp_nodelay true");
  if (options_.persistence) {
    add("persistence true");
    add("persistence_location " + directory_.path().string() + "/");
  }
  if (!options_.per_listener) lines += access_lines();
  add("listener " + std::to_string(port_) + " 127.0.0.1");
  if (options_.per_listener) lines += access_lines();
  if (!options_.tls.certificate.empty()) {
    add("certfile " + options_.tls.certificate);
    add("keyfile " + options_.tls.private_key);
  }
  if (!options_.client_ca_file.empty()) {
    add("cafile " + options_.client_ca_file);
    add("require_certificate true");
  }
  add(options_.configuration);
  write_file(directory_.file("mosquitto.conf"), lines);
}

}  // namespace jobs_bridge::testing_support

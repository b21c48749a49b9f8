#include "tests/integration/mqtt/scripted_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace jobs_bridge::testing_support {

std::uint16_t Packet::number_at(std::size_t offset) const {
  if (body.size() < offset + 2) return 0;
  const auto high = static_cast<unsigned char>(body.at(offset));
  const auto low = static_cast<unsigned char>(body.at(offset + 1));
  return static_cast<std::uint16_t>(high << 8 | low);
}

std::string Packet::topic() const {
  return body.size() < 2 ? "" : body.substr(2, number_at(0));
}

std::uint16_t Packet::publish_id() const {
  return number_at(2U + number_at(0));
}

bool ScriptedBroker::Connection::read_exactly(char* data, std::size_t size) {
  while (size > 0) {
    const auto got = recv(socket_, data, size, 0);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<Packet> ScriptedBroker::Connection::read() {
  char byte = 0;
  if (!read_exactly(&byte, 1)) return std::nullopt;
  const auto first = static_cast<unsigned char>(byte);
  Packet packet{.type = static_cast<std::uint8_t>(first >> 4),
                .flags = static_cast<std::uint8_t>(first & 0x0F),
                .body = {}};
  std::size_t length = 0;
  for (unsigned shift = 0; shift <= 21; shift += 7) {
    if (!read_exactly(&byte, 1)) return std::nullopt;
    const auto part = static_cast<unsigned char>(byte);
    length |= static_cast<std::size_t>(part & 0x7F) << shift;
    if (part < 0x80) break;
  }
  packet.body.resize(length);
  if (!read_exactly(packet.body.data(), length)) return std::nullopt;
  return packet;
}

std::optional<Packet> ScriptedBroker::Connection::read(Packet::Type type) {
  while (auto packet = read()) {
    if (packet->type == type) return packet;
    if (packet->type == Packet::pingreq) send(Packet::pingresp, "");
  }
  return std::nullopt;
}

bool ScriptedBroker::Connection::has_data(std::chrono::milliseconds limit) {
  pollfd readable{socket_, POLLIN, 0};
  return poll(&readable, 1, static_cast<int>(limit.count())) > 0;
}

void ScriptedBroker::Connection::send(std::uint8_t type, std::string_view body) {
  send_with_flags(type, 0, body);
}

void ScriptedBroker::Connection::send_with_flags(std::uint8_t type, std::uint8_t flags,
                                                 std::string_view body) {
  std::string bytes(1, static_cast<char>((type << 4) | flags));
  auto length = body.size();
  do {
    const auto part = length & 0x7F;
    length >>= 7;
    bytes += static_cast<char>(part | (length > 0 ? 0x80 : 0));
  } while (length > 0);
  bytes += body;
  send_bytes(bytes);
}

bool ScriptedBroker::Connection::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void ScriptedBroker::Connection::accept(const std::optional<std::string>& properties,
                                        bool session_present) {
  read(Packet::connect);
  std::string body{static_cast<char>(session_present), 0};
  if (properties) body += static_cast<char>(properties->size()) + *properties;
  send(Packet::connack, body);
}

void ScriptedBroker::Connection::answer_subscribe(std::string_view codes, bool mqtt_5) {
  const auto request = read(Packet::subscribe);
  if (!request) return;
  auto body = request->body.substr(0, 2);
  if (mqtt_5) body += '\0';  // no properties
  send(Packet::suback, body.append(codes));
}

void ScriptedBroker::Connection::acknowledge(std::uint16_t id, std::uint8_t reason) {
  std::string body{static_cast<char>(id >> 8), static_cast<char>(id & 0xFF)};
  if (reason != 0) body += static_cast<char>(reason);
  send(Packet::puback, body);
}

ScriptedBroker::ScriptedBroker(Script script, Takes takes) : takes_(takes) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "scripted broker");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, script = std::move(script)] { run(script); });
}

ScriptedBroker::~ScriptedBroker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  thread_.join();
  close(listener_);
}

void ScriptedBroker::run(const Script& script) {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || socket < 0) {
        if (socket >= 0) close(socket);
        break;
      }
      open_.insert(socket);
    }
    const auto number = connections_++;
    if (takes_ == Takes::one_by_one) {
      serve(script, socket, number);
    } else {
      at_once_.emplace_back([this, &script, socket, number] { serve(script, socket, number); });
    }
  }
  for (auto& thread : at_once_) thread.join();
}

void ScriptedBroker::serve(const Script& script, int socket, std::size_t number) {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  Connection connection(socket);
  script(connection, number);
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
  close(socket);
}

}  // namespace jobs_bridge::testing_support

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/options.h"

namespace jobs_load {

/// One MQTT connection that many devices share. It blocks only while it connects: its owner waits
/// on its socket. Not thread-safe. Everything throws std::runtime_error, with the cause, when the
/// broker refuses or is gone.
class Connection {
 public:
  /// Called from ready(), for every message. It must not call the connection.
  using OnMessage = std::function<void(std::string_view topic, std::string_view payload)>;

  /// Whether a connection that is lost ends everything, or is made again with the same session.
  enum class WhenLost { fail, reconnect };

  /// Connects, and waits until the broker has accepted that.
  Connection(const Broker& broker, const std::string& client_id, WhenLost when_lost,
             OnMessage on_message);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Asks for the filters; unanswered() says how many SUBSCRIBEs the broker has yet to answer.
  void subscribe(const std::vector<std::string>& filters, int qos);
  [[nodiscard]] std::size_t unanswered() const;
  /// Connected, and every SUBSCRIBE answered: from now on replies to publications are received.
  [[nodiscard]] bool usable() const;

  void publish(const std::string& topic, std::string_view payload, int qos);

  /// -1: there is none, until tend() connects again.
  [[nodiscard]] int socket() const;
  [[nodiscard]] bool wants_to_write() const;
  /// To be called when the socket can be read or written.
  void ready(bool readable, bool writable);
  /// To be called about once a second.
  void tend();

 private:
  class Client;
  std::unique_ptr<Client> client_;
};

}  // namespace jobs_load

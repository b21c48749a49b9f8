#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace jobs_bridge::admin {

/// The stream from which cpp-httplib reads one request and to which it writes the answer. It keeps
/// limits that the library does not know: the library bounds neither the length of a line nor the
/// number of headers, both before anyone has shown a token, and its time limit is for a single
/// byte. For one thread; the socket stays the caller's.
class RequestStream final : public httplib::Stream {
 public:
  struct Limits {
    std::size_t bytes;                ///< of the whole request
    std::chrono::milliseconds read;   ///< for all of it to come
    std::chrono::milliseconds write;  ///< for all of the answer to go, from its first byte
  };

  RequestStream(socket_t socket, Limits limits);

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  /// -1 past a limit, too, which ends the connection without an answer or with 400.
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  /// Waits for an event of poll(); false: not until then.
  [[nodiscard]] bool wait(short event, Time until) const;
  [[nodiscard]] bool more();

  const socket_t socket_;
  const Limits limits_;
  const Time read_until_;
  Time write_until_{};  ///< none yet: nothing was written
  std::size_t left_;    ///< of limits_.bytes
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<char, 4096> buffer_;
};

}  // namespace jobs_bridge::admin

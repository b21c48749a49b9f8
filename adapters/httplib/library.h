#pragma once

#include <httplib.h>

#include <functional>
#include <string>
#include <utility>

/// Wraps the parts of cpp-httplib that are accessible to derived classes only, and the differences
/// of its versions there: 0.11.4 (Debian 12), 0.18.7 (Debian 13), and up to 0.53.1.
namespace jobs_bridge::http_library {

/// A connection of our own for the library to use. read() and write() wait by themselves, so that
/// it is always ready.
class Stream : public httplib::Stream {
 public:
  // Without `override`: each version requires some of these and does not have the others.
  virtual bool is_readable() const { return true; }
  virtual bool is_writable() const { return true; }
  virtual bool wait_readable() const { return true; }
  virtual bool wait_writable() const { return true; }
  virtual time_t duration() const { return 0; }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }
};

/// The library's client lets derived classes exchange one request and its answer over any stream.
class Client : private httplib::ClientImpl {
 public:
  Client() : httplib::ClientImpl("unused", 80) { set_decompress(false); }

  /// Writes `asked`, reads the answer and passes its parts to the handlers of `asked`. False if
  /// that failed.
  bool exchange(Stream& stream, httplib::Request& asked, httplib::Response& answer) {
    auto error = httplib::Error::Success;
    return process_request(stream, asked, answer, false, error);
  }
};

/// A server that makes its streams itself: see process_and_close_socket().
class Server : public httplib::Server {
 protected:
  /// Serves one request, the last one on its connection.
  bool serve_one(Stream& stream) { return serve_one(*this, stream); }

 private:
  /// A template, since later versions need addresses too.
  template <typename Self>
  static bool serve_one(Self& self, httplib::Stream& stream) {
    constexpr bool last = true;
    bool closed = false;
    if constexpr (requires { self.process_request(stream, last, closed, nullptr); }) {
      return self.process_request(stream, last, closed, nullptr);
    } else {
      return self.process_request(stream, {}, 0, {}, 0, last, closed, nullptr);
    }
  }
};

/// What TaskQueue::enqueue() returns: nothing, or whether the task was taken.
using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

}  // namespace jobs_bridge::http_library

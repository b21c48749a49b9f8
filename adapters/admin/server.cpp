#include "adapters/admin/server.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "adapters/admin/access.h"
#include "adapters/admin/pages.h"
#include "adapters/files/system_text.h"
#include "adapters/httplib/library.h"
#include "adapters/net/address.h"

namespace jobs_bridge::admin {

/// Leaves the Range headers out of a request. cpp-httplib matches one with std::regex, which
/// recurses for each character: 8 KB of it take some MiB of stack. And it would have the page sent
/// as often as there are ranges.
class RangeRemover {
 public:
  /// Appends to `kept` what is kept of the next bytes of the request.
  void pass(std::string_view bytes, std::string& kept);

 private:
  enum class At : std::uint8_t { line, name, range, body };

  At at_ = At::line;   ///< the first one is no header
  std::string held_;   ///< of a name that may be "Range:"
  bool empty_ = true;  ///< the line, so far
};

void RangeRemover::pass(std::string_view bytes, std::string& kept) {
  constexpr std::string_view range = "range:";
  for (const char byte : bytes) {
    if (at_ == At::body) {
      kept += byte;
      continue;
    }
    if (at_ == At::name && (byte | 0x20) == range[held_.size()]) {
      held_ += byte;
      if (held_.size() == range.size()) {
        held_.clear();
        at_ = At::range;
      }
      continue;
    }
    empty_ = empty_ && held_.empty() && (byte == '\r' || byte == '\n');
    if (at_ != At::range) {
      kept += held_;
      kept += byte;
      held_.clear();
      at_ = At::line;
    }
    if (byte != '\n') continue;
    at_ = empty_ ? At::body : At::name;
    empty_ = true;
  }
}

/// The stream from which cpp-httplib reads one request and to which it writes the answer. It
/// enforces limits that the library does not have: the library bounds neither the length of a line
/// nor the number of headers, both of which come before the token, and its time limit is for a
/// single byte. Used by one thread; the caller keeps the socket.
class RequestStream final : public http_library::Stream {
 public:
  struct Limits {
    std::size_t bytes;                ///< of the whole request
    std::chrono::milliseconds read;   ///< to receive all of it
    std::chrono::milliseconds write;  ///< to send the whole answer, from its first byte
  };

  RequestStream(socket_t socket, Limits limits);

  /// -1 also beyond a limit, which ends the connection without an answer or with 400.
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
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
  RangeRemover range_remover_;
  std::string kept_;       ///< of what was received last
  std::size_t begin_ = 0;  ///< of what is unread of it
};

using std::chrono::steady_clock;

RequestStream::RequestStream(socket_t socket, Limits limits)
    : socket_(socket),
      limits_(limits),
      read_until_(steady_clock::now() + limits.read),
      left_(limits.bytes) {}

bool RequestStream::wait(short event, Time until) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd polled{socket_, event, 0};
    const int ready = poll(&polled, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool RequestStream::more() {
  std::array<char, 4096> buffer;
  begin_ = 0;
  kept_.clear();
  while (left_ > 0 && wait(POLLIN, read_until_)) {
    const auto got = recv(socket_, buffer.data(), std::min(buffer.size(), left_), MSG_DONTWAIT);
    if (got > 0) {
      const auto size = static_cast<std::size_t>(got);
      left_ -= size;
      range_remover_.pass({buffer.data(), size}, kept_);
      if (!kept_.empty()) return true;
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return false;
  }
  return false;
}

ssize_t RequestStream::read(char* to, size_t size) {
  if (begin_ == kept_.size() && !more()) return -1;
  const auto count = std::min(size, kept_.size() - begin_);
  std::copy_n(kept_.data() + begin_, count, to);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t RequestStream::write(const char* from, size_t size) {
  if (write_until_ == Time{}) write_until_ = steady_clock::now() + limits_.write;
  while (wait(POLLOUT, write_until_)) {
    const auto sent = send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

/// The library's threads, with a bound on how many accepted clients wait for one: beyond it no
/// further one is accepted, and the kernel refuses them. Without it any client could use up the
/// descriptors of the process, and with them the bridge's connections to the endpoint.
class ClientQueue final : public httplib::TaskQueue {
 public:
  /// `most`: clients that are served or wait.
  ClientQueue(std::size_t threads, std::ptrdiff_t most) : room_(most), pool_(threads) {}

  /// Waits for room. Called by the thread that accepts.
  http_library::Enqueued enqueue(std::function<void()> serve) override {
    room_.acquire();
    return pool_.enqueue([this, serve = std::move(serve)] {
      serve();
      room_.release();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::counting_semaphore<> room_;
  httplib::ThreadPool pool_;
};

namespace {

using namespace std::chrono_literals;

/// Scrapers, a browser or two, and one to spare for /healthz.
constexpr std::size_t threads = 4;
/// Clients served or waiting; beyond this none is accepted.
constexpr std::ptrdiff_t max_clients = 32;
constexpr auto read_timeout = 2s;
constexpr std::size_t max_body = 1024;
/// A browser also sends the cookies of other sites on localhost.
constexpr RequestStream::Limits limits{
    .bytes = 16 * 1024, .read = read_timeout, .write = std::chrono::seconds(3)};

PageRequest page_request(const httplib::Request& request) {
  PageRequest page{.method = request.method,
                   .path = request.path,
                   .hosts = {},
                   .authorization = request.get_header_value("Authorization"),
                   .accept = request.get_header_value("Accept")};
  const auto [first, last] = request.headers.equal_range("Host");
  for (auto host = first; host != last; ++host) page.hosts.push_back(host->second);
  return page;
}

void fill(httplib::Response& response, PageAnswer answer) {
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) response.set_header(name, value);
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_content(std::move(answer.body), answer.content_type);
}

/// The library's server with bounds on the resources that an unauthenticated client can use.
class BoundedServer final : public http_library::Server {
 public:
  /// From now on waiting clients are closed, so that the shutdown does not wait for each of them.
  void stop_serving() { ending_ = true; }

 private:
  bool process_and_close_socket(socket_t socket) override {
    RequestStream stream(socket, limits);
    const bool answered = !ending_ && serve_one(stream);
    shutdown(socket, SHUT_RDWR);
    close(socket);
    return answered;
  }

  std::atomic<bool> ending_ = false;
};

}  // namespace

class Server::Implementation {
 public:
  Implementation(const ServerSettings& settings, Snapshot snapshot, const Metrics& metrics)
      : pages_({.token = settings.token,
                .loopback = settings.loopback,
                .snapshot_lasts = settings.snapshot_lasts},
               std::move(snapshot), metrics) {
    http_.new_task_queue = [] { return new ClientQueue(threads, max_clients); };
    // Without the library's SO_REUSEPORT, with which a second bridge would share the port
    // unnoticed.
    http_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    http_.set_payload_max_length(max_body);
    http_.set_tcp_nodelay(true);
    http_.set_pre_routing_handler([this](const auto& request, auto& response) {
      fill(response, answer(request));
      return httplib::Server::HandlerResponse::Handled;
    });
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    stopped_.release();
    http_.stop_serving();
    http_.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// An error number, or 0.
  int listen(const std::string& host, std::uint16_t port) {
    errno = 0;
    const int bound = port == 0                        ? http_.bind_to_any_port(host)
                      : http_.bind_to_port(host, port) ? port
                                                       : -1;
    if (bound < 0) return errno == 0 ? EADDRNOTAVAIL : errno;
    port_ = static_cast<std::uint16_t>(bound);
    url_ = "http://" + net::host_and_port(host, port_) + "/";
    thread_ = std::thread([this, host] { serve(host); });
    // Stopping a server that does not run yet has no effect.
    while (!http_.is_running()) std::this_thread::yield();
    return 0;
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  /// The library closes its listening socket when a single accept() fails.
  void serve(const std::string& host) {
    pthread_setname_np(pthread_self(), "admin");
    while (!http_.listen_after_bind() && !stopped_.try_acquire_for(1s)) {
      http_.bind_to_port(host, port_);
    }
  }

  PageAnswer answer(const httplib::Request& request) {
    try {
      return pages_.answer(page_request(request));
    } catch (const std::exception& error) {
      return {.status = 500,
              .body = std::string("The status is not available: ") + error.what() + "\n"};
    }
  }

  Pages pages_;
  BoundedServer http_;
  std::binary_semaphore stopped_{0};
  std::thread thread_;
  std::uint16_t port_ = 0;
  std::string url_;
};

Server::Server(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>, std::string> Server::start(ServerSettings settings,
                                                           Snapshot snapshot,
                                                           const Metrics& metrics, Log& log) {
  if (!settings.token.empty() && !is_token(settings.token)) {
    return Failure{
        std::string("admin.token_file: the token must have 16 printable characters or more")};
  }
  const auto where = net::host_and_port(settings.host, settings.port);
  if (!settings.loopback && settings.token.empty()) {
    return Failure{"admin.listen: " + where +
                   " can be reached from other machines: a token is required"};
  }
  auto implementation = std::make_unique<Implementation>(settings, std::move(snapshot), metrics);
  if (const int error = implementation->listen(settings.host, settings.port); error != 0) {
    return Failure{"admin.listen: cannot listen on " + where + ": " + files::system_text(error)};
  }
  log.write(Severity::info, "admin listener", {{"url", implementation->url()}});
  if (!settings.loopback) {
    log.write(Severity::warning,
              "the admin listener can be reached from other machines: its token and data are sent "
              "unencrypted",
              {{"hint", "put it behind a proxy with TLS, or listen on 127.0.0.1"}});
  }
  return std::unique_ptr<Server>(new Server(std::move(implementation)));
}

std::uint16_t Server::port() const {
  return implementation_->port();
}
std::string Server::url() const {
  return implementation_->url();
}

}  // namespace jobs_bridge::admin

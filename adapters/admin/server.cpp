#include "adapters/admin/server.h"

#include <httplib.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <semaphore>
#include <system_error>
#include <thread>
#include <utility>

#include "adapters/admin/access.h"
#include "adapters/admin/client_queue.h"
#include "adapters/admin/pages.h"
#include "adapters/admin/request_stream.h"

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;

/// Scrapers, a browser or two, and one to spare for /healthz.
constexpr std::size_t threads = 4;
/// Served or waiting; past it nobody is accepted.
constexpr std::ptrdiff_t most_clients = 32;
constexpr auto patience = 2s;
constexpr std::size_t longest_body = 1024;
/// A browser sends along what other sites on localhost had it keep.
constexpr RequestStream::Limits limits{
    .bytes = 16 * 1024, .read = patience, .write = std::chrono::seconds(3)};

/// "host:port", with the brackets that an IPv6 address needs.
std::string authority(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

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

/// The library's server with bounds on what a client that has shown nothing yet can cost.
class BoundedServer final : public httplib::Server {
 public:
  /// From here on who waits is sent away, so that the end does not wait for them in turn.
  void serve_nobody() { ending_ = true; }

 private:
  bool process_and_close_socket(socket_t socket) override {
    RequestStream stream(socket, limits);
    const bool answered = !ending_ && process(*this, stream);
    shutdown(socket, SHUT_RDWR);
    close(socket);
    return answered;
  }

  /// A template, since later versions of the library want addresses too, which nobody here reads.
  template <typename Self>
  static bool process(Self& self, httplib::Stream& stream) {
    // A short header could ask for the page's every byte thousands of times.
    const auto without_ranges = [](httplib::Request& request) { request.ranges.clear(); };
    constexpr bool last = true;
    bool closed = false;
    if constexpr (requires { self.process_request(stream, last, closed, without_ranges); }) {
      return self.process_request(stream, last, closed, without_ranges);
    } else {
      return self.process_request(stream, {}, 0, {}, 0, last, closed, without_ranges);
    }
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
    http_.new_task_queue = [] { return new ClientQueue(threads, most_clients); };
    // Without the library's SO_REUSEPORT, with which a second bridge would share the port unseen.
    http_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    http_.set_payload_max_length(longest_body);
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
    http_.serve_nobody();
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
    url_ = "http://" + authority(host, port_) + "/";
    thread_ = std::thread([this, host] { serve(host); });
    // Stopping a server that does not run yet has no effect.
    while (!http_.is_running()) std::this_thread::yield();
    return 0;
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  /// The library gives up its socket when the system refuses it one connection.
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
              .body = std::string("The status cannot be had: ") + error.what() + "\n"};
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
  const auto where = authority(settings.host, settings.port);
  if (!settings.loopback && settings.token.empty()) {
    return Failure{"admin.listen: " + where +
                   " can be reached from other machines: a token is needed"};
  }
  auto implementation = std::make_unique<Implementation>(settings, std::move(snapshot), metrics);
  if (const int error = implementation->listen(settings.host, settings.port); error != 0) {
    return Failure{"admin.listen: cannot listen on " + where + ": " +
                   std::generic_category().message(error)};
  }
  log.write(Severity::info, "admin listener", {{"url", implementation->url()}});
  if (!settings.loopback) {
    log.write(Severity::warning,
              "the admin listener can be reached from other machines: its token and data travel "
              "in the clear",
              {{"cure", "put it behind a proxy that speaks TLS, or listen on 127.0.0.1"}});
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

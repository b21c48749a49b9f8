/// What any bridge costs at the least on a machine: one thread, epoll, MQTT packets and HTTP heads
/// made by hand, and no more of the work than start-next when all goes well. It parses no JSON (a
/// job document stays the string that it is over HTTPS), checks no name, retries nothing, and ends
/// with a message at the first thing that is not as expected. To measure beside, not to use.

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::literals;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "floor_bridge: %s\n", what);
  std::exit(1);
}

/// Of HOST:PORT.
std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

/// A connected socket without Nagle's algorithm; still a blocking one.
int connect_to(const std::string& address) {
  const auto port = address.substr(address.rfind(':') + 1);
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  require(getaddrinfo(host_of(address).c_str(), port.c_str(), &hints, &found) == 0,
          "cannot look up a host");
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(socket >= 0 && connect(socket, found->ai_addr, found->ai_addrlen) == 0, "cannot connect");
  freeaddrinfo(found);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void stop_blocking(int socket) {
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

// ---- MQTT 5 ----

/// Clean start, no keep-alive, Receive Maximum 65535 (a broker may drop what exceeds it).
constexpr auto connect_packet = "\x10\x15\0\4MQTT\5\2\0\0\3\x21\xff\xff\0\5floor"sv;
constexpr auto subscribe_packet = "\x82\x23\0\1\0\0\x1d$aws/things/+/jobs/start-next\1"sv;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

void put_length(std::string& packet, std::size_t length) {
  for (; length > 0x7f; length >>= 7) packet += static_cast<char>((length & 0x7f) | 0x80);
  packet += static_cast<char>(length);
}

/// A variable length at `at`, which is moved behind it; false: it is not all there yet.
bool take_length(std::string_view bytes, std::size_t& at, std::size_t& length) {
  length = 0;
  for (int shift = 0; at < bytes.size(); shift += 7) {
    const auto byte = byte_at(bytes, at++);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

/// How many publications the broker lets be unacknowledged, from CONNACK's properties.
std::size_t receive_maximum(std::string_view properties) {
  while (!properties.empty() && properties[0] != '\x21') {
    const auto name = byte_at(properties, 0);
    std::size_t size = 1;
    if (name == 0x13 || name == 0x22) size = 2;
    if (name == 0x11 || name == 0x27) size = 4;
    if (name == 0x12) size = 2 + number_at(properties, 1);
    properties.remove_prefix(std::min(properties.size(), 1 + size));
  }
  return properties.size() < 3 ? 65535 : number_at(properties, 1);
}

// ---- The bridge ----

struct Request {
  std::string topic;
  std::string token;  ///< as it stands between its quotes
};

/// A connection to the endpoint, and the request that it is busy with.
struct Line {
  SSL* tls = nullptr;
  Request request;
  std::string answer;
};

class Bridge {
 public:
  Bridge(const std::string& broker, const std::string& endpoint, const char* ca_file,
         int connections)
      : head_end_("/jobs/$next HTTP/1.1\r\nHost: " + endpoint +
                  "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}") {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_read_ahead(context, 1);
    require(SSL_CTX_load_verify_file(context, ca_file) == 1, "cannot read the authorities");
    for (int i = 0; i < connections; ++i) open_line(context, endpoint);
    broker_ = connect_to(broker);
    outgoing_ = connect_packet;
    flush();
    stop_blocking(broker_);
    watch(EPOLL_CTL_ADD, broker_, EPOLLIN, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* line = static_cast<Line*>(events[static_cast<std::size_t>(i)].data.ptr);
        line != nullptr ? read_answer(*line) : read_broker();
      }
      flush();  // once for all that the round brought
    }
  }

 private:
  void watch(int how, int socket, std::uint32_t events, void* what) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = what;
    require(epoll_ctl(epoll_, how, socket, &event) == 0, "epoll_ctl");
  }

  void open_line(SSL_CTX* context, const std::string& endpoint) {
    auto line = std::make_unique<Line>();
    const int socket = connect_to(endpoint);
    line->tls = SSL_new(context);
    SSL_set1_host(line->tls, host_of(endpoint).c_str());
    SSL_set_fd(line->tls, socket);
    require(SSL_connect(line->tls) == 1, "the TLS handshake failed");
    stop_blocking(socket);
    watch(EPOLL_CTL_ADD, socket, EPOLLIN, line.get());
    idle_.push_back(line.get());
    lines_.push_back(std::move(line));
  }

  void read_broker() {
    const auto got = recv(broker_, buffer_.data(), buffer_.size(), 0);
    require(got > 0 || (got < 0 && errno == EAGAIN), "the broker is gone");
    if (got < 0) return;
    incoming_.append(buffer_.data(), static_cast<std::size_t>(got));
    std::string_view left = incoming_;
    for (;;) {
      std::size_t at = 1;
      std::size_t length = 0;
      if (left.size() < 2 || !take_length(left, at, length) || left.size() < at + length) break;
      take_packet(byte_at(left, 0), left.substr(at, length));
      left.remove_prefix(at + length);
    }
    incoming_.erase(0, incoming_.size() - left.size());
  }

  void take_packet(std::uint8_t first, std::string_view rest) {
    switch (first >> 4) {
      case 2:
        require(byte_at(rest, 1) == 0, "the broker refuses the connection");
        window_ = receive_maximum(rest.substr(3));
        outgoing_ += subscribe_packet;
        break;
      case 9:
        require(byte_at(rest, rest.size() - 1) < 0x80, "the broker refuses the subscription");
        std::puts("ready");
        std::fflush(stdout);
        break;
      case 3:
        take_request((first >> 1 & 3) > 0, rest);
        break;
      case 4:
        --unacknowledged_;
        for (; !held_.empty() && unacknowledged_ < window_; held_.pop_front()) {
          publish(held_.front());
        }
        break;
      default:
        require(false, "the broker sends a packet that is not known here");
    }
  }

  void take_request(bool acknowledge, std::string_view rest) {
    const auto topic = rest.substr(2, number_at(rest, 0));
    std::size_t at = 2 + topic.size();
    if (acknowledge) {
      outgoing_ += {'\x40', '\2'};
      outgoing_ += rest.substr(at, 2);
      at += 2;
    }
    std::size_t properties = 0;
    take_length(rest, at, properties);
    const auto payload = rest.substr(at + properties);
    constexpr std::string_view name = R"("clientToken":")";
    const auto token = payload.find(name);
    require(token != std::string_view::npos, "a request without a client token");
    const auto value = payload.substr(token + name.size());
    waiting_.push_back({std::string(topic), std::string(value.substr(0, value.find('"')))});
    if (idle_.empty()) return;
    Line* line = idle_.back();  // the one that was busy last: what it needs is in the cache
    idle_.pop_back();
    call(*line);
  }

  /// Sends the request that has waited longest.
  void call(Line& line) {
    line.request = std::move(waiting_.front());
    waiting_.pop_front();
    constexpr std::size_t prefix = std::string_view("$aws/things/").size();
    const std::string_view topic = line.request.topic;
    request_.assign("PUT /things/");
    request_ += topic.substr(prefix, topic.find('/', prefix) - prefix);
    request_ += head_end_;
    const auto length = static_cast<int>(request_.size());
    require(SSL_write(line.tls, request_.data(), length) == length,
            "the endpoint takes no request");
  }

  void read_answer(Line& line) {
    std::string_view body;
    while (!whole(line.answer, body)) {
      const int got = SSL_read(line.tls, buffer_.data(), static_cast<int>(buffer_.size()));
      if (got <= 0) {
        require(SSL_get_error(line.tls, got) == SSL_ERROR_WANT_READ, "the endpoint is gone");
        return;
      }
      line.answer.append(buffer_.data(), static_cast<std::size_t>(got));
    }
    reply(line.request, body);
    line.answer.clear();
    waiting_.empty() ? idle_.push_back(&line) : call(line);
  }

  /// Whether all of an answer is there; then `body` is its JSON but for the brace that ends it. A
  /// chunked one is taken to be a single chunk, of an object and white space.
  static bool whole(std::string_view answer, std::string_view& body) {
    const auto head = answer.find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    require(answer.starts_with("HTTP/1.1 200"), "the endpoint answers with a failure");
    body = answer.substr(head + 4);
    constexpr std::string_view name = "Content-Length: ";
    const auto at = answer.substr(0, head).find(name);
    if (at == std::string_view::npos) {
      if (!body.ends_with("\r\n0\r\n\r\n")) return false;
    } else if (body.size() < std::strtoul(answer.data() + at + name.size(), nullptr, 10)) {
      return false;
    }
    const auto begin = body.find('{');
    body = body.substr(begin, body.rfind('}') - begin);
    return true;
  }

  void reply(const Request& request, std::string_view body) {
    const auto topic = request.topic + "/accepted";
    std::string rest{static_cast<char>(topic.size() >> 8), static_cast<char>(topic.size() & 0xff)};
    rest += topic + "\0\0\0"s;  // the identifier comes when it is sent; no properties
    rest += body;
    rest += R"(,"timestamp":)" + std::to_string(std::time(nullptr)) + R"(,"clientToken":")" +
            request.token + "\"}";
    unacknowledged_ < window_ ? publish(rest) : held_.push_back(std::move(rest));
  }

  void publish(std::string& rest) {
    const auto identifier = 2 + number_at(rest, 0);
    next_identifier_ = next_identifier_ % 65535 + 1;
    rest[identifier] = static_cast<char>(next_identifier_ >> 8);
    rest[identifier + 1] = static_cast<char>(next_identifier_ & 0xff);
    outgoing_ += '\x32';
    put_length(outgoing_, rest.size());
    outgoing_ += rest;
    ++unacknowledged_;
  }

  void flush() {
    if (outgoing_.empty()) return;
    const auto sent = send(broker_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
    require(sent > 0 || (sent < 0 && errno == EAGAIN), "the broker is gone");
    if (sent > 0) outgoing_.erase(0, static_cast<std::size_t>(sent));
    if (outgoing_.empty() == stuck_) {
      stuck_ = !stuck_;
      watch(EPOLL_CTL_MOD, broker_, EPOLLIN | (stuck_ ? EPOLLOUT : 0U), nullptr);
    }
  }

  const std::string head_end_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int broker_ = -1;
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::string incoming_;
  std::string outgoing_;
  std::string request_;
  bool stuck_ = false;  ///< the broker takes no more for now
  std::vector<std::unique_ptr<Line>> lines_;
  std::vector<Line*> idle_;
  std::deque<Request> waiting_;
  std::deque<std::string> held_;  ///< replies that the broker has no room for yet
  std::size_t window_ = 65535;
  std::size_t unacknowledged_ = 0;
  std::size_t next_identifier_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  std::string broker;
  std::string endpoint;
  std::string ca_file;
  int connections = 64;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const std::string value = arguments[i + 1];
    if (name == "--broker" && value.starts_with("mqtt://")) broker = value.substr(7);
    if (name == "--endpoint" && value.starts_with("https://")) endpoint = value.substr(8);
    if (name == "--ca") ca_file = value;
    if (name == "--connections") connections = std::atoi(value.c_str());
  }
  if (broker.empty() || endpoint.empty() || ca_file.empty() || connections < 1) {
    std::fputs(
        "floor_bridge --broker mqtt://HOST:PORT --endpoint https://HOST:PORT --ca FILE\n"
        "    [--connections N=64]\n",
        stderr);
    return 2;
  }
  Bridge(broker, endpoint, ca_file.c_str(), connections).run();
}

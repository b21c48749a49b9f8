#include "adapters/mqtt/connect_diagnosis.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/mqtt/tls_context.h"
#include "adapters/net/connect.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using std::chrono::steady_clock;
using Kind = BrokerFault::Kind;
using Protocol = BrokerSettings::Protocol;

/// How quickly a stop is noticed, in milliseconds.
constexpr int poll_milliseconds = 50;
/// A server of TLS 1.3 that has asked for a certificate speaks after the handshake: it refuses
/// ours, or it sends tickets. One that sends none is not waited for much longer.
constexpr auto verdict_timeout = 1s;

/// See the header. Level 4 of "MQTT", no flags, a keep-alive of 10 s, no client id.
constexpr auto question = "\x10\x0C\0\4MQTT\4\0\0\x0A\0\0"sv;

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, Free>;

/// When to give up, whatever is tried.
class Limit {
 public:
  Limit(Duration timeout, const std::function<bool()>& stopping)
      : stopping_(stopping), end_(steady_clock::now() + timeout) {}
  /// Whether `descriptor` is ready for `events` in time, and before `until`.
  [[nodiscard]] bool wait(int descriptor, int events,
                          steady_clock::time_point until = steady_clock::time_point::max()) const {
    pollfd ready{.fd = descriptor, .events = static_cast<short>(events), .revents = 0};
    while (steady_clock::now() < std::min(end_, until) && !stopping_()) {
      if (poll(&ready, 1, poll_milliseconds) > 0) return true;
    }
    return false;
  }
  [[nodiscard]] bool stopping() const { return stopping_(); }

 private:
  const std::function<bool()>& stopping_;
  const steady_clock::time_point end_;
};

/// The other side's answer to the CONNECT.
enum class Answer {
  none,      ///< nothing so far
  closed,    ///< that it closes
  mqtt_311,  ///< a CONNACK of MQTT 3.1.1
  mqtt,      ///< another packet that may be MQTT's
  other,     ///< something else
};

Answer classify(std::string_view bytes) {
  constexpr auto connack = "\x20\x02"sv;
  if (bytes.starts_with(connack)) return Answer::mqtt_311;
  return bytes.front() == '\x20' || bytes.front() == '\xE0' ? Answer::mqtt : Answer::other;
}

/// One TCP connection to the broker.
class Probe {
 public:
  Probe(const FailedConnect& failed, const Limit& limit) : failed_(failed), limit_(limit) {}

  std::optional<BrokerFault> connect_tcp() {
    const auto unreachable = [](std::string cause) {
      return BrokerFault{Kind::unreachable, std::move(cause)};
    };
    auto begun = net::begin_connect(failed_.address, failed_.settings.port);
    if (!begun) return unreachable(begun.error().text);
    socket_ = std::move(begun).value();
    if (!limit_.wait(socket_.get(), POLLOUT)) return unreachable("no answer to the TCP connect");
    if (auto fault = net::connect_fault(socket_)) return unreachable(std::move(fault->text));
    return std::nullopt;
  }

  /// With the settings' files. Nothing if it succeeded.
  std::optional<tls::HandshakeFault> shake_hands(SSL_CTX& context, bool with_name) {
    ssl_.reset(SSL_new(&context));
    ERR_clear_error();
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.get()) != 1) {
      return tls::HandshakeFault{tls::HandshakeFault::Kind::other, tls::take_error()};
    }
    if (with_name) tls::ask_for_name(*ssl_, failed_.settings.host);
    return carry_out([&] { return SSL_connect(ssl_.get()); });
  }

  /// The server's verdict on our certificate, if it comes after the handshake.
  std::optional<tls::HandshakeFault> await_verdict() {
    if (!tls::was_asked_for_certificate(*ssl_)) return std::nullopt;
    char byte = 0;
    std::size_t got = 0;
    // The server does not send first, except for that.
    return carry_out([&] { return SSL_peek_ex(ssl_.get(), &byte, 1, &got); },
                     steady_clock::now() + verdict_timeout);
  }

  /// Asks the question, and says what came. `fault`: of TLS, if that is what came.
  Answer ask(std::optional<tls::HandshakeFault>& fault) {
    if (!say(question, fault)) return Answer::closed;
    std::array<char, 64> buffer{};
    std::size_t got = 0;
    if (ssl_) {
      fault =
          carry_out([&] { return SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got); });
    } else if (limit_.wait(socket_.get(), POLLIN)) {
      const auto result = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (result <= 0) return Answer::closed;
      got = static_cast<std::size_t>(result);
    }
    if (got > 0) return classify({buffer.data(), got});
    return fault ? Answer::closed : Answer::none;
  }

 private:
  bool say(std::string_view bytes, std::optional<tls::HandshakeFault>& fault) {
    if (!ssl_) {
      return send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(bytes.size());
    }
    std::size_t sent = 0;
    fault = carry_out([&] { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent); });
    return !fault && sent == bytes.size();
  }

  /// One of OpenSSL's functions, again and again until it is done. Nothing: it is, or it was not
  /// in time.
  template <typename Action>
  std::optional<tls::HandshakeFault> carry_out(
      Action action, steady_clock::time_point until = steady_clock::time_point::max()) {
    while (true) {
      ERR_clear_error();
      const int result = action();
      if (result == 1) return std::nullopt;
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        return tls::fault_of(*ssl_, result);
      }
      if (!limit_.wait(socket_.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until)) {
        return std::nullopt;
      }
    }
  }

  const FailedConnect& failed_;
  const Limit& limit_;
  files::FileDescriptor socket_;
  Ssl ssl_;
};

/// Whether the broker answers the question on a connection without TLS.
bool speaks_plain_mqtt(const FailedConnect& failed, const Limit& limit) {
  Probe probe(failed, limit);
  std::optional<tls::HandshakeFault> ignored;
  if (probe.connect_tcp()) return false;
  const auto answer = probe.ask(ignored);
  return answer == Answer::mqtt_311 || answer == Answer::mqtt;
}

/// Whether it answers TLS, whatever its certificate.
bool speaks_tls(const FailedConnect& failed, const Limit& limit) {
  Probe probe(failed, limit);
  if (probe.connect_tcp()) return false;
  const auto context = tls::new_context();
  if (!context) return false;
  using Fault = tls::HandshakeFault::Kind;
  const auto fault = probe.shake_hands(*context, false);
  return !limit.stopping() &&
         (!fault || (fault->kind != Fault::closed && fault->kind != Fault::not_tls));
}

BrokerFault judge(Answer answer, const FailedConnect& failed, const Limit& limit) {
  const auto& settings = failed.settings;
  switch (answer) {
    case Answer::none:
      return no_answer_within(settings.connect_timeout);
    case Answer::other:
      return {Kind::not_mqtt, {}};
    case Answer::mqtt_311:
      if (settings.protocol == Protocol::v5 && !failed.accepted_before) {
        return {Kind::protocol, "it answers MQTT 3.1.1, but closes the connection upon MQTT 5"};
      }
      break;
    case Answer::closed:
      if (!settings.tls && speaks_tls(failed, limit)) return {Kind::tls_port, {}};
      break;
    case Answer::mqtt:
      break;
  }
  return {Kind::closed, {}};
}

BrokerFault diagnose(const FailedConnect& failed, const Limit& limit) {
  Probe probe(failed, limit);
  if (auto fault = probe.connect_tcp()) return *std::move(fault);
  std::optional<tls::HandshakeFault> refusal;
  if (failed.settings.tls) {
    const auto context = tls_context_of(failed.settings);
    if (!context) return context.error();
    refusal = probe.shake_hands(**context, true);
    using Fault = tls::HandshakeFault::Kind;
    if (refusal &&
        (refusal->kind == Fault::closed || refusal->kind == Fault::not_tls ||
         refusal->kind == Fault::other) &&
        speaks_plain_mqtt(failed, limit)) {
      return {Kind::plain_port, {}};
    }
    if (!refusal) refusal = probe.await_verdict();
    if (refusal) return fault_of(*std::move(refusal));
  }
  const auto answer = probe.ask(refusal);
  using Fault = tls::HandshakeFault::Kind;
  if (refusal && refusal->kind != Fault::closed) return fault_of(*std::move(refusal));
  return judge(answer, failed, limit);
}

}  // namespace

BrokerFault diagnose_connect(const FailedConnect& failed, const std::function<bool()>& stopping) {
  const Limit limit(failed.settings.connect_timeout, stopping);
  auto fault = diagnose(failed, limit);
  if (limit.stopping()) return {Kind::interrupted, {}};
  return fault;
}

}  // namespace jobs_bridge::mqtt

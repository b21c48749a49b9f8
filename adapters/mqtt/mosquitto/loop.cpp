#include "adapters/mqtt/mosquitto/loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "adapters/fibers/wait.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// How often libmosquitto looks whether to ping: rarely, as each look wakes an idle machine, yet so
/// that a ping is well within the half keep-alive that a broker waits beyond it.
Duration misc_interval(Duration keep_alive) {
  return std::max<Duration>(1s, keep_alive / 5);
}
/// Ignored by libmosquitto, but for its being positive.
constexpr int some_packets = 1;

SSL* tls_of(mosquitto& handle) {
  return static_cast<SSL*>(mosquitto_ssl_get(&handle));
}

bool is_shaking_hands(mosquitto& handle) {
  const SSL* tls = tls_of(handle);
  return tls != nullptr && SSL_is_init_finished(tls) == 0;
}

/// Holds back the segments of several packets, so that they leave together.
class Cork {
 public:
  explicit Cork(int socket) : socket_(socket) { set(1); }
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;
  ~Cork() { set(0); }

 private:
  void set(int on) const { setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }
  const int socket_;
};

}  // namespace

Loop::End Loop::end_of(int error) const {
  using Kind = BrokerFault::Kind;
  if (properties_.failed()) return {BrokerFault{Kind::malformed, properties_.fault()}};
  switch (error) {
    case MOSQ_ERR_SUCCESS:  // the socket is closed nevertheless
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_ERRNO:
      return {};
    case MOSQ_ERR_KEEPALIVE:
      return {BrokerFault{Kind::silent}};
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
    case MOSQ_ERR_MALFORMED_UTF8:
      return {BrokerFault{Kind::malformed, mosquitto_strerror(error)}};
    default:
      return {BrokerFault{Kind::library, mosquitto_strerror(error)}};
  }
}

/// While it exists, queued packets are already being handled.
class Loop::Turn {
 public:
  explicit Turn(Loop& loop) : loop_(loop), use_(loop.read_ahead_) { loop_.busy_ = true; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { loop_.busy_ = false; }

 private:
  Loop& loop_;
  const ReadAhead::Use use_;
};

Loop::Loop(mosquitto& handle, fibers::EventLoop& events, const BrokerSettings& settings,
           std::string unused_filter, OnEnd on_end)
    : handle_(handle),
      keep_alive_(settings.keep_alive),
      unused_filter_(std::move(unused_filter)),
      on_end_(std::move(on_end)),
      events_(events),
      read_ahead_(handle,
                  settings.protocol == BrokerSettings::Protocol::v5 ? &properties_ : nullptr,
                  filter_limits(settings)) {}

Loop::~Loop() {
  stopping_ = true;
  wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_; });
}

void Loop::start() {
  interest_ = EPOLLIN | EPOLLOUT;
  socket_id_ = fibers::descriptor_id();
  {
    const std::lock_guard lock(mutex_);
    ended_ = false;
  }
  try {
    events_.start([this] { run(); });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    throw;
  }
}

void Loop::accepted() {
  watch_.emplace(keep_alive_, steady_clock::now());
}

void Loop::send_queued() noexcept {
  if (!events_.has_caller()) {
    wake();
  } else if (!busy_) {
    write_rest();
  }
}

void Loop::write_rest() noexcept {
  const Turn turn(*this);
  while (queued_.load() > 0) write_queued();
}

void Loop::write_queued() {
  const auto packets = queued_.exchange(0);
  const int socket = mosquitto_socket(&handle_);
  if (packets == 0 || failure_ || socket < 0) return;
  if (!open_ || is_shaking_hands(handle_)) return;  // written once that is done
  int error = MOSQ_ERR_SUCCESS;
  if (packets > 1) {
    const Cork cork(socket);
    error = mosquitto_loop_write(&handle_, some_packets);
  } else {
    error = mosquitto_loop_write(&handle_, some_packets);
  }
  if (error != MOSQ_ERR_SUCCESS || mosquitto_socket(&handle_) < 0) {
    failure_ = error;
    wake();
    return;
  }
  // The system takes no more for now.
  const unsigned out = mosquitto_want_write(&handle_) ? EPOLLOUT : 0U;
  wait_for(disconnect_sent_ ? out : EPOLLIN | out);
}

void Loop::wait_for(unsigned interest) {
  if (interest == interest_) return;
  interest_ = interest;
  wake();  // it waits for what it was
}

void Loop::wake() noexcept {
  std::shared_ptr<fibers::EventLoop::Fiber> fiber;
  {
    const std::lock_guard lock(mutex_);
    fiber = fiber_;
  }
  if (fiber) fibers::EventLoop::wake(fiber);
}

void Loop::send_disconnect(std::chrono::milliseconds limit) {
  disconnect_due_ = true;
  wake();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return ended_; });
}

MonotonicTime Loop::due() const {
  if (!watch_) return MonotonicTime::max();  // connecting has a limit of its own
  return std::min(misc_at_, watch_->due());
}

void Loop::run() {
  {
    const std::lock_guard lock(mutex_);
    fiber_ = fibers::EventLoop::current();
  }
  std::optional<End> over;
  unsigned interest = interest_;
  while (!over && !stopping_) {
    const auto ready = fibers::EventLoop::sleep_until_ready(mosquitto_socket(&handle_), interest,
                                                            due(), socket_id_);
    if (stopping_) break;
    {
      const Turn turn(*this);
      over = serve(ready.value_or(0));
      if (!over && !ready)
        over = End{BrokerFault{BrokerFault::Kind::library, "cannot wait for the broker's socket"}};
      interest = interest_;
    }
    write_rest();
  }
  if (over && !disconnect_sent_) on_end_(std::move(over->fault));
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::optional<Loop::End> Loop::serve(unsigned ready) {
  if (failure_) return end_of(*failure_);
  if (disconnect_due_ && !disconnect_sent_) {
    disconnect_sent_ = true;  // from now on it would treat incoming data as a fault
    if (mosquitto_disconnect_v5(&handle_, 0, nullptr) != MOSQ_ERR_SUCCESS) return End{};
    queued_.fetch_add(1);
  }
  if (ready != 0) open_ = true;
  if (is_shaking_hands(handle_)) {
    if (ready == 0) return std::nullopt;
    if (auto over = shake_hands(ready)) return over;
  } else if (!disconnect_sent_ &&
             ((ready & ~static_cast<unsigned>(EPOLLOUT)) != 0 || read_ahead_.kept() > 0)) {
    if (auto over = read()) return over;
  }
  if ((ready & EPOLLOUT) != 0) queued_.fetch_add(1);
  if (auto over = check_timers()) return over;
  write_queued();
  if (failure_) return end_of(*failure_);
  return std::nullopt;
}

std::optional<Loop::End> Loop::shake_hands(unsigned ready) {
  // Which of the two goes on with it depends on libmosquitto's version.
  int error = mosquitto_loop_read(&handle_, some_packets);
  if (error == MOSQ_ERR_SUCCESS && mosquitto_socket(&handle_) >= 0) {
    error = mosquitto_loop_write(&handle_, some_packets);
  }
  if (error != MOSQ_ERR_SUCCESS || mosquitto_socket(&handle_) < 0) return end_of(error);
  if (!is_shaking_hands(handle_)) return std::nullopt;
  // Version 2.0.11 treats a connection that is reset now as a slow one.
  if ((ready & (EPOLLHUP | EPOLLERR)) != 0) return End{};
  // Its own mosquitto_want_write() means only that CONNECT is waiting, or that it wanted to write
  // earlier.
  wait_for(EPOLLIN | (SSL_want_write(tls_of(handle_)) ? EPOLLOUT : 0U));
  return std::nullopt;
}

std::optional<Loop::End> Loop::read() {
  // epoll does not report data that has been read ahead or decrypted already.
  bool more = true;
  while (more) {
    const auto given = read_ahead_.given();
    const int error = mosquitto_loop_read(&handle_, some_packets);
    if (error != MOSQ_ERR_SUCCESS || mosquitto_socket(&handle_) < 0) return end_of(error);
    const SSL* const tls = tls_of(handle_);
    // TLS may have to write before it reads on: then what is kept has to wait.
    more = (read_ahead_.kept() > 0 && read_ahead_.given() != given) ||
           (tls != nullptr && SSL_pending(tls) > 0);
  }
  if (watch_) watch_->received(steady_clock::now());
  return std::nullopt;
}

std::optional<Loop::End> Loop::check_timers() {
  if (!watch_ || disconnect_sent_) return std::nullopt;
  const auto now = steady_clock::now();
  if (now >= misc_at_) {
    misc_at_ = now + misc_interval(keep_alive_);
    const int error = mosquitto_loop_misc(&handle_);
    if (error != MOSQ_ERR_SUCCESS) return end_of(error);
    if (mosquitto_want_write(&handle_)) queued_.fetch_add(1);
  }
  switch (watch_->check(now)) {
    case LinkWatch::Finding::dead:
      return End{BrokerFault{BrokerFault::Kind::silent}};
    case LinkWatch::Finding::quiet:
      // It must answer this, too, and libmosquitto cannot be told to ping.
      mosquitto_unsubscribe(&handle_, nullptr, unused_filter_.c_str());
      queued_.fetch_add(1);
      break;
    case LinkWatch::Finding::fine:
      break;
  }
  return std::nullopt;
}

}  // namespace jobs_bridge::mqtt

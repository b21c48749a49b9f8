#include "adapters/mqtt/broker_connection.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "adapters/mqtt/outbox.h"
#include "adapters/mqtt/session.h"

namespace jobs_bridge::mqtt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{10000};
/// A connection that lasted this long starts the pauses anew.
constexpr seconds settled{10};
/// How often refused subscriptions are asked for again: an operator may be mending the ACL.
constexpr seconds subscribe_again{30};

}  // namespace

class BrokerConnection::Implementation final : private Session::Events {
 public:
  Implementation(BrokerSettings settings, std::vector<std::string> filters, OnMessage on_message,
                 Log& log)
      : settings_(std::move(settings)),
        address_(settings_.host + ":" + std::to_string(settings_.port)),
        filters_(std::move(filters)),
        on_message_(std::move(on_message)),
        log_(log),
        outbox_({.publications = settings_.max_queued_publications,
                 .bytes = settings_.max_queued_bytes}) {}

  void start() {
    keeper_ = std::thread([this] { keep_connected(); });
  }

  void queue(Publication publication) {
    const std::lock_guard lock(mutex_);
    dropped_ += outbox_.push(std::move(publication));
  }

  void flush() {
    std::unique_lock lock(mutex_);
    // Whoever flushes sends what others queue meanwhile: the order stays, and nobody waits here
    // for Paho's lock, which the callback thread holds while it calls us.
    if (flushing_) return;
    flushing_ = true;
    while (session_ != nullptr) {
      const auto entry = outbox_.next();
      if (!entry) break;
      hand_over(lock, *entry);
    }
    flushing_ = false;
    if (session_ == nullptr) changed_.notify_all();  // the keeper may wait for us to end
  }

  State state() const {
    const std::lock_guard lock(mutex_);
    return {.connected = session_ != nullptr,
            .subscribed = subscribed_,
            .connections = connections_,
            .waiting = outbox_.waiting(),
            .unacknowledged = outbox_.unacknowledged(),
            .dropped = dropped_,
            .refused = refused_,
            .last_fault = last_fault_};
  }

  bool drain(Duration patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return outbox_.empty(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
  }

 private:
  /// Gives one publication to Paho with the lock released.
  void hand_over(std::unique_lock<std::mutex>& lock, const Outbox::Entry& entry) {
    const auto sequence = entry.sequence;
    Session& session = *session_;  // not destroyed while flushing_
    std::string cause;
    // Nobody else touches an entry that is under way but has not been sent: no acknowledgement can
    // come for it, and the keeper waits for flushing_ before it takes anything back.
    lock.unlock();
    const auto handed = session.publish(sequence, entry.publication, cause);
    lock.lock();
    if (handed == Session::Handed::over) return;
    if (handed == Session::Handed::never) {
      forget(sequence, cause);
      return;
    }
    // Paho takes nothing now: most likely it has just lost the connection. The keeper starts a new
    // one, which begins with what is taken back here.
    outbox_.take_back(sequence);
    lose(cause);
  }

  /// With the lock held.
  void forget(Outbox::Sequence sequence, const std::string& cause) {
    if (!outbox_.done(sequence)) return;
    ++dropped_;
    log_.write(Severity::error, "a reply cannot be published", {{"cause", cause}});
  }

  /// With the lock held: no more is sent over this session.
  void lose(const std::string& cause) {
    if (session_ == nullptr) return;
    session_ = nullptr;
    subscribed_ = false;
    last_fault_ = cause;
    changed_.notify_all();
  }

  void arrived(Message message) override { on_message_(std::move(message)); }

  void acknowledged(Outbox::Sequence sequence) override {
    bool more = false;
    {
      const std::lock_guard lock(mutex_);
      outbox_.done(sequence);
      more = outbox_.waiting() > 0;
      if (outbox_.empty()) changed_.notify_all();
    }
    if (more) flush();
  }

  void refused(Outbox::Sequence sequence, const std::string& cause) override {
    {
      const std::lock_guard lock(mutex_);
      forget(sequence, "the broker refuses it: " + cause);
    }
    flush();
  }

  void lost(const std::string& cause) override {
    const std::lock_guard lock(mutex_);
    if (!lost_cause_) lost_cause_ = cause;
    lose(*lost_cause_);
  }

  void keep_connected() {
    auto pause = first_pause;
    std::minstd_rand random(std::random_device{}());
    while (true) {
      const auto began = steady_clock::now();
      try {
        connect_and_serve();
      } catch (const std::exception& error) {
        report_fault(error.what());
      }
      std::unique_lock lock(mutex_);
      if (stopping_) return;
      if (steady_clock::now() - began > settled) pause = first_pause;
      // Half of it at random, so that the gateways of a site do not return all at once.
      std::uniform_int_distribution<milliseconds::rep> spread(pause.count() / 2, pause.count());
      changed_.wait_for(lock, milliseconds(spread(random)), [&] { return stopping_; });
      if (stopping_) return;
      pause = std::min(pause * 2, longest_pause);
    }
  }

  /// One connection, from its attempt to its end.
  void connect_and_serve() {
    {
      const std::lock_guard lock(mutex_);
      lost_cause_.reset();
    }
    {
      Session session(settings_, *this);
      const Retirement retirement{*this};
      if (const auto fault = session.connect([this] { return stopping(); })) {
        report_fault(*fault);
        return;
      }
      adopt(session);
      serve(session);
      if (stopping()) {
        retire();
        session.disconnect();
      }
    }
    // The session is destroyed: no acknowledgement can come any more for what it left under way.
    const std::lock_guard lock(mutex_);
    outbox_.take_back_all();
  }

  void adopt(Session& session) {
    {
      const std::lock_guard lock(mutex_);
      session_ = &session;
      ++connections_;
      outbox_.set_window(session.receive_maximum());
      last_fault_.clear();
      reported_fault_.clear();
      // It may have been lost again before it was ours.
      if (lost_cause_) lose(*lost_cause_);
    }
    log_.write(Severity::info, "connected to the broker",
               {{"broker", address_},
                {"session", session.session_present() ? "resumed" : "new"},
                {"receive_maximum", std::to_string(session.receive_maximum())}});
  }

  /// Returns when the connection is lost or we are to stop.
  void serve(Session& session) {
    // First the subscriptions, then what waited: a device that hears a reply may ask again at once.
    subscribe(session);
    flush();
    std::unique_lock lock(mutex_);
    const auto over = [&] { return session_ == nullptr || stopping_; };
    while (!over()) {
      if (subscribed_) {
        changed_.wait(lock, over);
      } else if (!changed_.wait_for(lock, subscribe_again, over)) {
        lock.unlock();
        subscribe(session);
        lock.lock();
      }
    }
    if (stopping_) return;
    const auto cause = last_fault_;
    lock.unlock();
    log_.write(Severity::warning, "the connection to the broker is lost",
               {{"broker", address_}, {"cause", cause}});
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  /// From when this returns nobody uses the session but Paho's callbacks, which end with it.
  void retire() {
    std::unique_lock lock(mutex_);
    session_ = nullptr;
    subscribed_ = false;
    changed_.wait(lock, [&] { return !flushing_; });
  }
  struct Retirement {
    Implementation& owner;
    ~Retirement() { owner.retire(); }
  };

  void subscribe(Session& session) {
    auto result = session.subscribe(filters_);
    if (!result.fault.empty()) {
      report_fault("subscribing: " + result.fault);
    }
    for (const auto& filter : result.refused) {
      log_.write(Severity::error, "the broker refuses a subscription",
                 {{"filter", filter}, {"cure", "grant it in the broker's ACL"}});
    }
    const bool whole = result.fault.empty() && result.refused.empty();
    {
      const std::lock_guard lock(mutex_);
      refused_ = std::move(result.refused);
      subscribed_ = whole && session_ != nullptr;
    }
    if (whole) log_.write(Severity::info, "ready for requests", {{"broker", address_}});
  }

  void report_fault(const std::string& fault) {
    const bool news = [&] {
      const std::lock_guard lock(mutex_);
      last_fault_ = fault;
      return std::exchange(reported_fault_, fault) != fault;
    }();
    // A broker that is away for hours is one line, not one for each attempt.
    log_.write(news ? Severity::warning : Severity::debug, "cannot connect to the broker",
               {{"broker", address_}, {"cause", fault}});
  }

  const BrokerSettings settings_;
  const std::string address_;
  const std::vector<std::string> filters_;
  const OnMessage on_message_;
  Log& log_;

  mutable std::mutex mutex_;  ///< a leaf: nothing is called with it held but the log
  std::condition_variable changed_;
  Outbox outbox_;
  Session* session_ = nullptr;  ///< while connected
  bool flushing_ = false;
  bool subscribed_ = false;
  bool stopping_ = false;
  std::size_t connections_ = 0;
  std::size_t dropped_ = 0;
  std::vector<std::string> refused_;
  /// Why the present session ended, also if it was lost before it was adopted. The first word
  /// counts: a DISCONNECT with a reason comes before the broken connection that follows it.
  std::optional<std::string> lost_cause_;
  std::string last_fault_;
  std::string reported_fault_;
  std::thread keeper_;
};

BrokerConnection::BrokerConnection(BrokerSettings settings, std::vector<std::string> topic_filters,
                                   OnMessage on_message, Log& log)
    : implementation_(std::make_unique<Implementation>(
          std::move(settings), std::move(topic_filters), std::move(on_message), log)) {}

BrokerConnection::~BrokerConnection() {
  stop();
}

void BrokerConnection::start() {
  implementation_->start();
}
void BrokerConnection::queue(Publication publication) {
  implementation_->queue(std::move(publication));
}
void BrokerConnection::flush() {
  implementation_->flush();
}
BrokerConnection::State BrokerConnection::state() const {
  return implementation_->state();
}
bool BrokerConnection::drain(Duration patience) {
  return implementation_->drain(patience);
}
void BrokerConnection::stop() {
  implementation_->stop();
}

}  // namespace jobs_bridge::mqtt

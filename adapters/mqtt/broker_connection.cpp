#include "adapters/mqtt/broker_connection.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "adapters/mqtt/back_off.h"
#include "adapters/mqtt/canary.h"
#include "adapters/mqtt/host_lookup.h"
#include "adapters/mqtt/sender.h"
#include "adapters/mqtt/session.h"

namespace jobs_bridge::mqtt {
namespace {

using std::chrono::steady_clock;

/// How long the broker may take to answer a SUBSCRIBE.
constexpr std::chrono::seconds subscribe_limit{10};
/// A fault that stays is told again after this time.
constexpr std::chrono::minutes fault_again{5};
/// So many connections in a row that ended sooner than this are no accident.
constexpr std::chrono::seconds too_brief{5};
constexpr int brief_in_a_row = 3;

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

std::vector<std::string> with(std::vector<std::string> filters, const std::string& another) {
  if (!another.empty()) filters.push_back(another);
  return filters;
}

/// Does something at the end of a scope, however that comes.
template <typename Action>
struct Finally {
  Action action;
  explicit Finally(Action what) : action(std::move(what)) {}
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;
  ~Finally() { action(); }
};

}  // namespace

/// A thread of its own, the keeper, makes one Session after another and sees to its subscriptions.
class BrokerConnection::Implementation final : private Session::Events {
 public:
  Implementation(BrokerSettings settings, std::vector<std::string> filters, OnMessage on_message,
                 Log& log)
      : settings_(std::move(settings)),
        address_(settings_.host + ":" + std::to_string(settings_.port)),
        filters_(with(std::move(filters), settings_.canary_topic)),
        on_message_(std::move(on_message)),
        log_(log),
        since_(steady_clock::now()),
        canary_(settings_.canary_topic, random_name(), settings_.keep_alive),
        lookup_(settings_.host),
        sender_({.publications = settings_.max_queued_publications,
                 .bytes = settings_.max_queued_bytes},
                log, [this](const std::string& cause) { lost(cause); }) {
    unsetenv("http_proxy");
    unsetenv("https_proxy");
  }

  Sender& sender() { return sender_; }
  const Sender& sender() const { return sender_; }

  void start() {
    keeper_ = std::thread([this] { keep_connected(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
  }

  State state() const {
    const auto counts = sender_.counts();
    const std::lock_guard lock(mutex_);
    const bool connected = connected_ && !lost_cause_;
    return {.connected = connected,
            .subscribed = connected && subscribed_,
            .flowing = connected && canary_.flowing(),
            .canary = canary_.is_on(),
            .round_trip = canary_.round_trip(),
            .since = since_,
            .connections = connections_,
            .waiting = counts.waiting,
            .unacknowledged = counts.unacknowledged,
            .bytes = counts.bytes,
            .overflowed = counts.overflowed,
            .unpublishable = counts.unpublishable,
            .refused = refused_,
            .last_fault = last_fault_};
  }

 private:
  void arrived(Message message) override {
    if (!is_canary(message)) on_message_(std::move(message));
  }
  void acknowledged(Outbox::Sequence sequence) override {
    note_life();
    sender_.acknowledged(sequence);
  }
  void refused(Outbox::Sequence sequence, const std::string& cause) override {
    note_life();
    sender_.refused(sequence, cause);
  }
  void subscribed(std::vector<std::string> refused) override {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(refused);
    changed_.notify_all();
  }
  void lost(const std::string& cause) override {
    const std::lock_guard lock(mutex_);
    if (lost_cause_) return;
    lost_cause_ = cause;
    since_ = steady_clock::now();
    changed_.notify_all();
  }
  void failed(const std::string& cause) noexcept override {
    log_.write(Severity::error, "an event of the MQTT library could not be handled",
               {{"cause", cause}});
  }

  /// The broker has answered a publication.
  void note_life() {
    const std::lock_guard lock(mutex_);
    canary_.acknowledged();
  }

  bool is_canary(const Message& message) {
    const auto now = steady_clock::now();
    const std::lock_guard lock(mutex_);
    const bool flowed = canary_.flowing();
    if (!canary_.arrived(now, message.topic, message.payload)) return false;
    if (canary_.flowing() && !flowed) changed_.notify_all();
    return true;
  }

  void keep_connected() {
    BackOff back_off(std::random_device{}());
    while (true) {
      Duration lasted{};
      try {
        lasted = connect_once();
      } catch (const std::exception& error) {
        report_fault(error.what());
      }
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, back_off.next(lasted), [&] { return stopping_; })) return;
    }
  }

  /// One connection, from its attempt to its end; says how long it held.
  Duration connect_once() {
    const auto found = lookup_.find(settings_.connect_timeout, [this] { return stopping(); });
    if (!found.fault.empty()) {
      report_fault(found.fault);
      return {};
    }
    // The next one each time: a broker may listen on one of them only.
    const auto& address = found.addresses[attempts_++ % found.addresses.size()];
    {
      const std::lock_guard lock(mutex_);
      lost_cause_.reset();
      answer_.reset();
    }
    const Finally recall([this] { sender_.recall(); });  // once the session is no more
    Session session({settings_, filters_}, address, *this);
    const Finally end([this] { sender_.end(); });
    if (const auto fault = session.connect([this] { return stopping(); })) {
      report_fault(*fault);
      return {};
    }
    if (session.server_keep_alive().value_or(settings_.keep_alive) < settings_.keep_alive) {
      settings_.keep_alive = *session.server_keep_alive();
      log_.write(Severity::info, "the broker asks for a shorter keep-alive: connecting again",
                 {{"seconds", std::to_string(settings_.keep_alive.count())}});
      return {};
    }
    const auto began = steady_clock::now();
    announce(session);
    serve(session);
    sender_.end();
    if (stopping()) session.disconnect();
    const auto lasted = steady_clock::now() - began;
    account_for_end(lasted);
    return lasted;
  }

  void announce(const Session& session) {
    std::size_t attempts = 0;
    {
      const std::lock_guard lock(mutex_);
      connected_ = true;
      if (!lost_cause_) since_ = steady_clock::now();
      ++connections_;
      last_fault_.clear();
      reported_fault_.clear();
      attempts = std::exchange(attempts_, 0);
    }
    log_.write(Severity::info, "connected to the broker",
               {{"broker", address_},
                {"attempts", std::to_string(attempts)},
                {"session", session.session_present() ? "resumed" : "new"},
                {"receive_maximum", std::to_string(session.receive_maximum())}});
  }

  /// Returns when the connection is lost or we are to stop.
  void serve(Session& session) {
    // First the subscriptions, then what waited: a device that hears a reply may ask again at once.
    auto check_at = ask(session);
    sender_.begin(session, std::min(session.receive_maximum(), settings_.max_unacknowledged));
    sender_.flush();
    std::unique_lock lock(mutex_);
    while (true) {
      const auto news = [&] {
        return lost_cause_ || stopping_ || answer_ || canary_.flowing() != told_flowing_;
      };
      const auto due = std::min(subscribed_ ? MonotonicTime::max() : check_at, canary_.due());
      if (due == MonotonicTime::max()) {
        changed_.wait(lock, news);
      } else {
        changed_.wait_until(lock, due, news);
      }
      if (lost_cause_ || stopping_) return;
      see_to_canary(lock);
      if (lost_cause_ || stopping_) return;
      if (answer_) {
        auto answer = *std::exchange(answer_, std::nullopt);
        asking_ = false;
        lock.unlock();
        take_answer(std::move(answer));
        check_at = steady_clock::now() + settings_.subscribe_again;
        lock.lock();
      } else if (subscribed_ || steady_clock::now() < check_at) {
        continue;
      } else if (asking_) {
        lost_cause_ = "no answer to SUBSCRIBE";
        since_ = steady_clock::now();
      } else {
        lock.unlock();
        check_at = ask(session);
        lock.lock();
      }
    }
  }

  /// With the lock held, which it releases meanwhile.
  void see_to_canary(std::unique_lock<std::mutex>& lock) {
    const auto now = steady_clock::now();
    const auto finding = canary_.look(now);
    auto publication = canary_.next(now);
    const bool flows = canary_.flowing() && !told_flowing_;
    told_flowing_ = canary_.flowing();
    const auto gone_since = flows ? std::exchange(gone_since_, std::nullopt) : std::nullopt;
    const auto round_trip = canary_.round_trip();
    if (finding == Canary::Finding::dead) {
      lost_cause_ = "no message comes back: the connection is dead";
      since_ = now;
      return;
    }
    lock.unlock();
    if (finding == Canary::Finding::impossible) {
      log_.write(Severity::warning,
                 "messages to ourselves do not come back: whether messages flow cannot be seen",
                 {{"topic", canary_.topic()},
                  {"cure",
                   "let the bridge publish and subscribe to it in the broker's ACL, or set "
                   "broker.canary_topic to another or to nothing"}});
    }
    if (publication) {
      sender_.queue(*std::move(publication));
      sender_.flush();
    }
    if (flows) {
      const auto milliseconds = [](Duration duration) {
        return std::to_string(
            std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
      };
      log_.write(gone_since ? Severity::info : Severity::debug,
                 gone_since ? "messages flow again" : "messages flow",
                 {{"round_trip_ms", milliseconds(round_trip)},
                  {"gone_ms", gone_since ? milliseconds(now - *gone_since) : std::string()}});
    }
    lock.lock();
  }

  /// Asks for the subscriptions; says when the answer is overdue.
  MonotonicTime ask(Session& session) {
    asking_ = true;
    if (filters_.empty()) {
      subscribed({});
      return MonotonicTime::max();
    }
    if (const auto fault = session.subscribe()) lost("subscribing: " + *fault);
    return steady_clock::now() + subscribe_limit;
  }

  void take_answer(std::vector<std::string> refused) {
    // Not being allowed a canary is no reason to ask again and again.
    const bool canary = std::erase(refused, settings_.canary_topic) == 0;
    if (!canary && !canary_refused_) {
      log_.write(Severity::warning,
                 "the broker refuses the topic of messages to ourselves: whether messages flow "
                 "cannot be seen",
                 {{"topic", settings_.canary_topic},
                  {"cure", "grant it in the broker's ACL, or set broker.canary_topic to nothing"}});
    }
    canary_refused_ = !canary;
    const bool news = refused != reported_refused_;
    for (const auto& filter : refused) {
      log_.write(news ? Severity::error : Severity::debug, "the broker refuses a subscription",
                 {{"filter", filter}, {"cure", "grant it in the broker's ACL"}});
    }
    reported_refused_ = refused;
    const bool granted = refused.empty();
    {
      const std::lock_guard lock(mutex_);
      subscribed_ = granted;
      refused_ = std::move(refused);
      canary_.begin(steady_clock::now(), canary);
    }
    if (granted) log_.write(Severity::info, "ready for requests", {{"broker", address_}});
  }

  void account_for_end(Duration lasted) {
    std::string cause;
    bool unexpected = false;
    {
      const std::lock_guard lock(mutex_);
      unexpected = !stopping_;
      cause = lost_cause_.value_or("stopped");
      connected_ = false;
      subscribed_ = false;
      canary_.end();
      told_flowing_ = false;
      if (!gone_since_) gone_since_ = lost_cause_ ? since_ : steady_clock::now();
      if (!lost_cause_) since_ = steady_clock::now();
    }
    brief_ = cause.empty() && lasted < too_brief ? brief_ + 1 : 0;
    if (cause.empty()) cause = "the connection broke";
    if (brief_ >= brief_in_a_row) {
      cause += " again at once: another client may be using the client id " + settings_.client_id;
    }
    if (!unexpected) {
      log_.write(Severity::info, "disconnected from the broker", {{"broker", address_}});
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      last_fault_ = cause;
    }
    log_.write(Severity::warning, "the connection to the broker is lost",
               {{"broker", address_}, {"cause", cause}});
  }

  void report_fault(const std::string& fault) {
    const auto now = steady_clock::now();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      last_fault_ = fault;
    }
    // A broker that is away for hours is a line now and then, not one for each attempt.
    const bool news = reported_fault_ != fault || now - fault_reported_ >= fault_again;
    if (news) {
      reported_fault_ = fault;
      fault_reported_ = now;
    }
    log_.write(news ? Severity::warning : Severity::debug, "cannot connect to the broker",
               {{"broker", address_}, {"cause", fault}});
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  BrokerSettings settings_;  ///< after the start the keeper's own
  const std::string address_;
  const std::vector<std::string> filters_;
  const OnMessage on_message_;
  Log& log_;

  mutable std::mutex mutex_;  ///< a leaf: nothing is called with it held
  std::condition_variable changed_;
  bool stopping_ = false;
  bool connected_ = false;
  bool subscribed_ = false;
  MonotonicTime since_;
  std::size_t connections_ = 0;
  Canary canary_;
  std::optional<MonotonicTime> gone_since_;  ///< no message has been seen to flow since then
  std::vector<std::string> refused_;
  std::string last_fault_;
  /// The broker's answer to a SUBSCRIBE that nobody has looked at: the filters it refuses.
  std::optional<std::vector<std::string>> answer_;
  /// Why the present session ended, also if it was lost before it was announced. The first word
  /// counts: a DISCONNECT with a reason comes before the broken connection that follows it. Empty:
  /// it broke without a word.
  std::optional<std::string> lost_cause_;

  // The keeper's own.
  HostLookup lookup_;
  std::size_t attempts_ = 0;  ///< since the last connection
  bool asking_ = false;       ///< a SUBSCRIBE is unanswered
  bool told_flowing_ = false;
  bool canary_refused_ = false;
  int brief_ = 0;  ///< connections in a row that broke at once
  std::vector<std::string> reported_refused_;
  std::string reported_fault_;
  MonotonicTime fault_reported_ = {};

  Sender sender_;
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
  implementation_->sender().queue(std::move(publication));
}
void BrokerConnection::flush() {
  implementation_->sender().flush();
}
BrokerConnection::State BrokerConnection::state() const {
  return implementation_->state();
}
bool BrokerConnection::drain(Duration patience) {
  return implementation_->sender().drain(patience);
}
void BrokerConnection::stop() {
  implementation_->stop();
}

}  // namespace jobs_bridge::mqtt

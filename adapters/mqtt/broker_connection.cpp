#include "adapters/mqtt/broker_connection.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "adapters/fibers/moment.h"
#include "adapters/mqtt/connection.h"
#include "adapters/mqtt/connection_report.h"
#include "adapters/mqtt/liveness_monitor.h"
#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/reason.h"
#include "adapters/mqtt/reconnect_delay.h"
#include "adapters/mqtt/reply_connection.h"
#include "adapters/mqtt/sender.h"
#include "adapters/net/address.h"
#include "adapters/net/resolver.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// How long the broker may take to answer a SUBSCRIBE, from the last message that it has sent.
constexpr std::chrono::seconds subscribe_limit{10};
/// Packets that are too large, each sent so soon after we have connected, until we have the broker
/// forget what it keeps for us: it would be the end of every connection.
constexpr std::chrono::seconds at_once{5};
constexpr int max_too_large_in_a_row = 3;

/// How long what is under way may take before replies go another way, so that none overtakes one
/// that was sent before it.
constexpr std::chrono::seconds change_over_limit{5};
/// A second connection that is refused, or ends the first one, is tried again after so long.
constexpr std::chrono::hours between_second_tries{1};
constexpr int max_second_ends = 2;

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
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

/// A thread of its own, named `broker`, makes one Connection after another and handles its
/// subscriptions.
class BrokerConnection::Implementation final : private Client::Events {
 public:
  Implementation(BrokerSettings settings, std::vector<std::string> filters, OnMessage on_message,
                 fibers::EventLoop& loop, Log& log)
      : settings_(std::move(settings)),
        hints_(acl_hints(settings_)),
        filters_(std::move(filters)),
        on_message_(std::move(on_message)),
        loop_(loop),
        log_(log),
        since_(steady_clock::now()),
        liveness_(settings_.canary_topic, random_name(), [this] { note_due_changed(); }),
        topic_test_(settings_.test_topics, random_name(),
                    settings_.protocol == BrokerSettings::Protocol::v5),
        report_(settings_, hints_, log),
        sender_(
            {.publications = settings_.max_queued_publications,
             .bytes = settings_.max_queued_bytes},
            log,
            [this](const std::string& cause) {
              lost({BrokerFault::Kind::library, cause}, Evidence::none);
            },
            [this] { note_due_changed(); }) {
    nodes_.emplace_back(BrokerSettings::Address{settings_.host, settings_.port, settings_.tls});
    for (const auto& address : settings_.more_addresses) nodes_.emplace_back(address);
  }

  const AclHints& hints() const { return hints_; }
  Sender& sender() { return sender_; }
  const Sender& sender() const { return sender_; }

  void report_link(LinkEvents events) {
    link_ = std::move(events);
    liveness_.report_canary_returns(link_.canary_returned);
  }

  void report_serving(std::function<void()> on_serving) { on_serving_ = std::move(on_serving); }

  void set_wanted(bool wanted) {
    const std::lock_guard lock(mutex_);
    wanted_ = wanted;
    if (!wanted) outdated_ = true;
    changed_.notify_all();
  }

  void start() {
    broker_thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "broker");
      keep_connected();
    });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    for (auto& node : nodes_) node.resolver.stop();
    if (broker_thread_.joinable()) broker_thread_.join();
  }

  State state() const {
    const auto counts = sender_.counts();
    auto flow = liveness_.state();
    const std::lock_guard lock(mutex_);
    const bool connected = connected_ && !loss_;
    return {.connected = connected,
            .address = node_,
            .subscribed = connected && subscribed_,
            .flowing = connected && flow.flowing,
            .canary = connected && flow.canary,
            .canary_fault = std::move(flow.fault),
            .flowed = flow.flowed,
            .round_trip = flow.round_trip,
            .since = since_,
            .connections = connections_,
            .waiting = counts.waiting,
            .unacknowledged = counts.unacknowledged,
            .bytes = counts.bytes,
            .overflowed = counts.overflowed,
            .unpublishable = counts.unpublishable,
            .replaced = counts.replaced,
            .unanswered = counts.unanswered,
            .retried = counts.retried,
            .last_refused = counts.last_refused,
            .refused = refused_,
            .refusal = refusal_,
            .shortcomings = shortcomings_,
            .topics = topic_test_.state(),
            .fault = fault_};
  }

 private:
  void arrived(Message message) override {
    const auto [now, suspended] = fibers::read_moment();
    last_message_at_ = now;
    if (liveness_.arrived(now, suspended, message)) return;
    if (topic_test_.arrived(now, message.topic, message.payload)) {
      liveness_.self_test_arrived(!message.arrival.empty());
      if (topic_test_.due() <= now) note_due_changed();
      return;
    }
    on_message_(std::move(message));
  }
  void acknowledged(Outbox::Sequence sequence) override {
    if (sequence == Outbox::canary) {
      liveness_.accepted(steady_clock::now());
    } else if (sequence == Outbox::topic_test) {
      topic_test_.accepted(steady_clock::now());
      note_due_changed();
    } else {
      liveness_.acknowledged();
      if (topic_test_.awaits_replies()) topic_test_.reply_accepted(sender_.topic_of(sequence));
      sender_.acknowledged(sequence);
    }
  }
  void unmatched(Outbox::Sequence sequence) override {
    acknowledged(sequence);
    if (sequence == Outbox::canary) lost({BrokerFault::Kind::unsubscribed}, Evidence::none);
  }
  void refused(Outbox::Sequence sequence, const Refusal& why) override {
    if (sequence == Outbox::canary) {
      liveness_.refused(steady_clock::now(), why.detail);
      if (topic_test_.other_refused(steady_clock::now())) note_due_changed();
    } else if (sequence == Outbox::topic_test) {
      topic_test_.refused(steady_clock::now(), why);
      note_due_changed();
    } else {
      liveness_.acknowledged();
      if (topic_test_.reply_refused(steady_clock::now(), sender_.topic_of(sequence), why)) {
        note_due_changed();
      }
      sender_.refused(sequence, why);
    }
  }
  void subscribed(std::vector<Client::SubscriptionResult> answers) override {
    const std::lock_guard lock(mutex_);
    suback_ = std::move(answers);
    changed_.notify_all();
  }
  void too_large(std::size_t bytes) override {
    {
      const std::lock_guard lock(mutex_);
      if (!loss_) too_large_ = true;
    }
    lost({BrokerFault::Kind::too_large, "a packet of " + std::to_string(bytes) +
                                            " bytes; the limit is " +
                                            std::to_string(settings_.max_packet_size)},
         Evidence::none);
  }
  void lost(BrokerFault fault, Evidence evidence) override {
    const std::lock_guard lock(mutex_);
    if (loss_) return;
    loss_ = std::move(fault);
    evidence_ = evidence;
    since_ = steady_clock::now();
    changed_.notify_all();
  }
  void failed(const std::string& cause) noexcept override {
    log_.write(Severity::error, "an event of the MQTT library could not be handled",
               {{"cause", cause}, {"hint", "check the machine's memory"}});
  }

  void note_due_changed() {
    const std::lock_guard lock(mutex_);
    due_changed_ = true;
    changed_.notify_all();
  }

  void keep_connected() {
    ReconnectDelay delay(std::random_device{}());
    while (true) {
      if (!wait_until_wanted()) return;
      Duration lasted{};
      try {
        lasted = connect_once();
      } catch (const std::exception& error) {
        report_fault({BrokerFault::Kind::library, error.what()});
      }
      std::unique_lock lock(mutex_);
      const bool another = lasted == Duration() && attempts_ % nodes_.size() != 0;
      const auto pause = another ? delay.before_another_address() : delay.next(lasted);
      if (changed_.wait_for(lock, pause, [&] { return stopping_; })) return;
    }
  }

  /// False: we are to stop.
  bool wait_until_wanted() {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || wanted_; });
      if (stopping_) return false;
      if (!std::exchange(outdated_, false)) return true;
    }
    // However old they are: another has answered these devices since.
    if (const auto dropped = sender_.drop_waiting(); dropped > 0) {
      log_.write(
          Severity::warning,
          "replies dropped: another instance has served their devices in the meantime",
          {{"replies", std::to_string(dropped)}, {"hint", "nothing to do: they are out of date"}});
    }
    return true;
  }

  /// The address of the broker, or of one node of its cluster.
  struct Node {
    explicit Node(BrokerSettings::Address where)
        : address(std::move(where)), resolver(address.host, net::look_up, Duration::zero()) {}
    BrokerSettings::Address address;
    /// Without it Paho would look the name up, on its sending thread and with its lock held: a
    /// daemon told to stop would hang in the library's clean-up until the lookup ends.
    net::Resolver resolver;
    bool accepted_before = false;
  };

  Node& next_node() {
    const auto next = (first_node_ + attempts_) % nodes_.size();
    auto& node = nodes_[next];
    settings_.host = node.address.host;
    settings_.port = node.address.port;
    settings_.tls = node.address.tls;
    const std::lock_guard lock(mutex_);
    node_ = next;
    return node;
  }

  /// One connection, from its attempt to its end; says how long it held.
  Duration connect_once() {
    auto& node = next_node();
    const auto round = attempts_++ / nodes_.size();
    auto found = node.resolver.addresses(steady_clock::now() + settings_.connect_timeout);
    if (!found) {
      report_fault({BrokerFault::Kind::unresolved, found.error().cause});
      return {};
    }
    auto& addresses = *found;
    std::stable_partition(addresses.begin(), addresses.end(), net::is_ipv4);
    // The next one each time: a broker may listen on one of them only.
    const auto& address = addresses[round % addresses.size()];
    {
      const std::lock_guard lock(mutex_);
      loss_.reset();
      evidence_ = Evidence::none;
      suback_.reset();
      too_large_ = false;
    }
    auto filters = filters_;
    const bool canary = liveness_.connecting(steady_clock::now());
    if (canary) filters.push_back(settings_.canary_topic);
    const auto& optional = settings_.optional_filters;
    filters.insert(filters.end(), optional.begin(), optional.end());
    test_filters_ = topic_test_.ask(steady_clock::now());
    filters.insert(filters.end(), test_filters_.begin(), test_filters_.end());
    const Finally recall([this] { sender_.recall(evidence()); });  // once the session is no more
    const bool clean = too_large_in_a_row_ >= max_too_large_in_a_row;
    Connection connection({.settings = settings_,
                           .filters = filters,
                           .loop = loop_,
                           .clean = clean,
                           .accepted_before = node.accepted_before,
                           .qos = qos_},
                          address, *this);
    ReplyConnection replies(settings_, loop_, *this);
    const Finally end([this] { sender_.end(); });
    if (const auto fault = connection.connect([this] { return stopping(); })) {
      report_fault(*fault);
      return {};
    }
    if (clean) {
      // Over MQTT 3.1.1 a clean session ends with its connection, so it is not the one to work in.
      too_large_in_a_row_ = 0;
      report_.session_discarded();
      connection.disconnect();
      return {};
    }
    // (A library may have a least keep-alive, and so carry more than we were told already.)
    if (connection.server_keep_alive().value_or(settings_.keep_alive) < settings_.keep_alive) {
      settings_.keep_alive = *connection.server_keep_alive();
      report_.shorter_keep_alive(settings_.keep_alive);
      return {};
    }
    const auto began = steady_clock::now();
    node.accepted_before = true;
    if (link_.connected) link_.connected();
    liveness_.connected(connection.session_present() || settings_.session_expiry > 0s);
    announce(connection);
    serve({.main = connection, .replies = replies, .address = address, .canary = canary},
          filters.empty());
    sender_.end();
    if (stopping()) {
      if (auto* second = replies.connection()) second->disconnect();
      connection.disconnect();
    }
    if (replies.connection() != nullptr) note_second_end();
    const auto lasted = steady_clock::now() - began;
    account_for_end(lasted);
    return lasted;
  }

  void announce(const Connection& connection) {
    std::size_t attempts = 0;
    {
      const std::lock_guard lock(mutex_);
      connected_ = true;
      outdated_ = false;
      if (!loss_) since_ = steady_clock::now();
      ++connections_;
      fault_.reset();
      first_node_ = (node_ + 1) % nodes_.size();
      attempts = std::exchange(attempts_, 0);
    }
    report_.connected(connection, attempts);
    if (!sees_reads()) report_.reads_bypass_us();
  }

  struct Connections {
    Connection& main;
    ReplyConnection& replies;
    const std::string& address;
    bool canary;

    /// What we publish over.
    [[nodiscard]] Connection& out() const {
      return replies.connection() != nullptr ? *replies.connection() : main;
    }
  };

  /// Returns when the connection is lost or we are to stop.
  void serve(const Connections& connections, bool nothing_to_subscribe) {
    auto& connection = connections.main;
    // First the subscriptions, then the waiting replies: a device that gets a reply may send
    // another request at once.
    auto check_at = subscribe(connection, nothing_to_subscribe);
    const auto began = steady_clock::now();
    // Where one of them may end the connection, it must not take the answer with it.
    bool sending = !sender_.has_suspects();
    if (sending) begin_sending(connections);
    std::unique_lock lock(mutex_);
    while (true) {
      const auto news = [&] { return loss_ || stopping_ || suback_ || due_changed_; };
      const auto due = std::min({subscribed_ ? MonotonicTime::max() : check_at, liveness_.due(),
                                 sender_.due(), topic_test_due()});
      if (due == MonotonicTime::max()) {
        changed_.wait(lock, news);
      } else {
        changed_.wait_until(lock, due, news);
      }
      if (loss_ || stopping_) return;
      due_changed_ = false;
      lock.unlock();
      if (sender_.due() <= steady_clock::now()) sender_.flush();
      if (sending && sender_.lags()) move_replies(connections);
      check_liveness(connections.out(), began);
      lock.lock();
      if (loss_ || stopping_) return;
      if (suback_) {
        auto answer = *std::exchange(suback_, std::nullopt);
        suback_pending_ = false;
        lock.unlock();
        handle_suback(connections, std::move(answer));
        if (!std::exchange(sending, true)) begin_sending(connections);
        check_at = steady_clock::now() + settings_.subscribe_again;
        lock.lock();
      } else if (subscribed_ || steady_clock::now() < check_at) {
        continue;
      } else if (suback_pending_ &&
                 steady_clock::now() < last_message_at_.load() + subscribe_limit) {
        // What it has kept for us comes first, however long that takes.
        check_at = last_message_at_.load() + subscribe_limit;
      } else if (suback_pending_) {
        loss_ = BrokerFault{BrokerFault::Kind::no_suback};
        since_ = steady_clock::now();
      } else {
        lock.unlock();
        check_at = subscribe(connection, nothing_to_subscribe);
        lock.lock();
      }
    }
  }

  MonotonicTime topic_test_due() const {
    // While there are suspects the flow's due time brings us back.
    return sender_.has_suspects() ? MonotonicTime::max() : topic_test_.due();
  }

  void begin_sending(const Connections& connections) {
    auto& connection = connections.out();
    const auto window =
        connection.window_beside(connections.canary, !settings_.test_topics.requests.empty());
    sender_.begin(connection, std::min(window, settings_.max_unacknowledged));
    sender_.flush();
  }

  /// From now on replies go over a connection of their own, if there can be one.
  void move_replies(const Connections& connections) {
    if (connections.replies.connection() != nullptr) return;
    const auto now = steady_clock::now();
    if (now < second_not_before_) return;
    second_not_before_ = now + between_second_tries;
    const auto over = [this] { return stopping() || is_lost(); };
    if (const auto fault = connections.replies.connect(connections.address, qos_, over)) {
      if (!over()) report_.replies_not_moved(connections.replies.client_id(), *fault);
      return;
    }
    second_began_ = steady_clock::now();
    sender_.end();
    const auto limit = second_began_ + change_over_limit;
    while (sender_.counts().unacknowledged > 0 && !over() && steady_clock::now() < limit) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(5), [&] { return loss_ || stopping_; });
    }
    report_.replies_moved(connections.replies.client_id());
    second_not_before_ = {};
    begin_sending(connections);
  }

  /// A broker that knows clients by another name than the one they give may take the second
  /// connection for the first one's successor.
  void note_second_end() {
    const auto now = steady_clock::now();
    second_ends_ = now < second_began_ + at_once ? second_ends_ + 1 : 0;
    if (second_ends_ < max_second_ends) return;
    second_ends_ = 0;
    second_not_before_ = now + between_second_tries;
  }

  bool is_lost() const {
    const std::lock_guard lock(mutex_);
    return loss_.has_value();
  }

  void check_liveness(Connection& connection, MonotonicTime began) {
    const auto [now, suspended] = fibers::read_moment();
    // A canary that is under way when the connection ends would be blamed for it, or the suspect
    // for the canary's sake. But nothing else shows that a link is dead.
    const bool hold = sender_.has_suspects() && now < began + settings_.keep_alive / 2;
    const auto step = liveness_.step(now, suspended, hold);
    if (step.dead) {
      lost(*step.dead, Evidence::weak);
      return;
    }
    if (step.flows) report_.flows(step.round_trip, step.silent_for);
    report_.canary_fault(step.fault);
    if (step.canary) connection.publish_canary(*step.canary);
    if (!hold) {
      if (const auto publication = topic_test_.next(now))
        connection.publish_topic_test(*publication);
      report_.topics(topic_test_.state());
    }
    report_serving_once();
  }

  /// Asks for the subscriptions; says when the answer is overdue.
  MonotonicTime subscribe(Connection& connection, bool nothing_to_subscribe) {
    suback_pending_ = true;
    if (nothing_to_subscribe) {
      subscribed({});
      return MonotonicTime::max();
    }
    if (auto fault = connection.subscribe()) lost(*std::move(fault), Evidence::none);
    return steady_clock::now() + subscribe_limit;
  }

  void handle_suback(const Connections& connections,
                     std::vector<Client::SubscriptionResult> answers) {
    auto& connection = connections.main;
    const auto& out = connections.out();
    const auto granted_qos_0 = note_granted_qos(connection, answers);
    std::erase_if(
        answers, [](const Client::SubscriptionResult& answer) { return !is_failure(answer.code); });
    // A refused canary subscription alone is no reason to subscribe repeatedly.
    std::string canary_refusal;
    bool test_granted = true;
    std::erase_if(answers, [&](const Client::SubscriptionResult& refusal) {
      if (std::ranges::find(test_filters_, refusal.filter) != test_filters_.end()) {
        test_granted = false;
        return true;
      }
      if (refusal.filter != settings_.canary_topic) return false;
      canary_refusal = describe_reason(refusal.code) + quote_words(refusal.words.reason_string);
      return true;
    });
    std::vector<BrokerFault> optional_refused;
    std::vector<BrokerFault> refused;
    for (const auto& answer : answers) {
      const bool optional = std::ranges::count(settings_.optional_filters, answer.filter) > 0;
      (optional ? optional_refused : refused)
          .push_back(fault_of_suback(answer.filter, answer.code, answer.words));
    }
    auto shortcomings = connection.shortcomings();
    if (granted_qos_0) shortcomings.push_back(*granted_qos_0);
    report_.optional_filters_refused(optional_refused);
    report_.refused(refused);
    report_.shortcomings(shortcomings);
    const bool granted = refused.empty();
    {
      const std::lock_guard lock(mutex_);
      subscribed_ = granted;
      refused_.clear();
      for (const auto& fault : refused) refused_.push_back(fault.detail);
      refusal_ = granted ? std::nullopt : std::optional(refused.front());
      shortcomings_ = std::move(shortcomings);
    }
    liveness_.subscribed(steady_clock::now(), {.keep_alive = settings_.keep_alive,
                                               .answers = out.canary_is_answered(),
                                               .refusal = canary_refusal});
    topic_test_.begin(steady_clock::now(), out.topic_test_is_answered(), test_granted);
    report_.canary_fault(liveness_.state().fault);
    serving_due_ = granted;
    if (granted) report_.subscribed();
    report_serving_once();
  }

  /// Not while devices' requests count as old.
  void report_serving_once() {
    if (!serving_due_ || !liveness_.caught_up() || !topic_test_.state().has_passed()) return;
    serving_due_ = false;
    if (on_serving_) on_serving_();
  }

  /// What is granted below the QoS 1 that we ask for. Over MQTT 3.1.1 a broker has no other way to
  /// say that it has QoS 0 only, and may end a connection that publishes above it.
  std::optional<BrokerFault> note_granted_qos(
      Connection& connection, const std::vector<Client::SubscriptionResult>& answers) {
    const auto below = [](const Client::SubscriptionResult& answer) { return answer.code == 0; };
    const auto first = std::ranges::find_if(answers, below);
    if (first == answers.end()) return std::nullopt;
    if (settings_.protocol == BrokerSettings::Protocol::v3_1_1 &&
        std::ranges::all_of(answers, [&](const Client::SubscriptionResult& answer) {
          return below(answer) || is_failure(answer.code);
        })) {
      qos_ = 0;
      connection.limit_qos(0);
    }
    for (const auto& known : connection.shortcomings()) {
      if (known.kind == BrokerFault::Kind::qos_0_only) return std::nullopt;
    }
    return BrokerFault{BrokerFault::Kind::qos_0_only, "it granted QoS 0 for " + first->filter};
  }

  void account_for_end(Duration lasted) {
    std::optional<BrokerFault> loss;  // none: we are to stop
    MonotonicTime lost;
    {
      const std::lock_guard lock(mutex_);
      // A packet that is too large may never come again; one that comes right after reconnecting is
      // kept by the broker in our session.
      if (!too_large_ || lasted >= at_once) too_large_in_a_row_ = 0;
      if (too_large_) ++too_large_in_a_row_;
      connected_ = false;
      subscribed_ = false;
      if (!loss_) since_ = steady_clock::now();
      if (!stopping_) loss = loss_;
      lost = since_;
    }
    if (!loss) {
      report_.disconnected();
      return;
    }
    if (link_.ended) link_.ended();
    serving_due_ = false;
    liveness_.ended(steady_clock::now(), lost);
    topic_test_.end(steady_clock::now());
    auto fault = report_.lost(*std::move(loss), lasted);
    report_.canary_fault(liveness_.state().fault);
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }

  void report_fault(const BrokerFault& fault) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      fault_ = fault;
    }
    report_.cannot_connect(steady_clock::now(), fault);
  }

  Evidence evidence() const {
    const std::lock_guard lock(mutex_);
    return stopping_ ? Evidence::none : evidence_;
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  BrokerSettings settings_;  ///< after the start used by the thread `broker` only
  const AclHints hints_;
  const std::vector<std::string> filters_;
  const OnMessage on_message_;
  fibers::EventLoop& loop_;
  Log& log_;

  /// While it is held only LivenessMonitor, TopicTest and Sender are called, which call nothing
  /// under their own locks.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool wanted_ = true;     ///< a connection, when there is none
  bool outdated_ = false;  ///< what waits to be published: there was a time without one
  bool connected_ = false;
  bool subscribed_ = false;
  MonotonicTime since_;
  std::size_t connections_ = 0;
  std::size_t node_ = 0;
  bool due_changed_ = false;
  std::vector<std::string> refused_;
  std::optional<BrokerFault> refusal_;
  std::vector<BrokerFault> shortcomings_;
  std::optional<BrokerFault> fault_;
  /// The broker's answers to the SUBSCRIBEs, not processed yet.
  std::optional<std::vector<Client::SubscriptionResult>> suback_;
  /// Why the present session ended, also if it was lost before it was announced. The first cause
  /// counts: a DISCONNECT with a reason comes before the broken connection that follows it.
  std::optional<BrokerFault> loss_;
  Evidence evidence_ = Evidence::none;  ///< whether the cause is something that we had sent
  bool too_large_ = false;              ///< a packet was too large and ended the session

  LinkEvents link_;
  std::function<void()> on_serving_;
  LivenessMonitor liveness_;
  TopicTest topic_test_;
  std::atomic<MonotonicTime> last_message_at_{MonotonicTime{}};  ///< when a message came last

  // Used by the thread `broker` only.
  std::deque<Node> nodes_;
  std::size_t first_node_ = 0;   ///< the one to begin with
  std::size_t attempts_ = 0;     ///< since the last connection
  bool suback_pending_ = false;  ///< a SUBSCRIBE is unanswered
  bool serving_due_ = false;     ///< to be reported
  std::vector<std::string> test_filters_;
  int qos_ = 1;  ///< to publish at
  int too_large_in_a_row_ = 0;
  MonotonicTime second_not_before_{};  ///< a connection for replies
  MonotonicTime second_began_{};
  int second_ends_ = 0;  ///< in a row, each at once
  ConnectionReport report_;

  Sender sender_;
  std::thread broker_thread_;
};

void remove_proxies_from_environment() {
  unsetenv("http_proxy");
  unsetenv("https_proxy");
}

BrokerConnection::BrokerConnection(BrokerSettings settings, std::vector<std::string> topic_filters,
                                   OnMessage on_message, fibers::EventLoop& loop, Log& log)
    : implementation_(std::make_unique<Implementation>(
          std::move(settings), std::move(topic_filters), std::move(on_message), loop, log)) {}

BrokerConnection::~BrokerConnection() {
  stop();
}

void BrokerConnection::report_ended_replies(Sender::OnRepliesEnded on_replies_ended) {
  implementation_->sender().report_ended_replies(std::move(on_replies_ended));
}
void BrokerConnection::report_link(LinkEvents events) {
  implementation_->report_link(std::move(events));
}
void BrokerConnection::report_serving(std::function<void()> on_serving) {
  implementation_->report_serving(std::move(on_serving));
}
void BrokerConnection::set_wanted(bool wanted) {
  implementation_->set_wanted(wanted);
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
const AclHints& BrokerConnection::hints() const {
  return implementation_->hints();
}
bool BrokerConnection::drain(Duration timeout) {
  return implementation_->sender().drain(timeout);
}
void BrokerConnection::stop() {
  implementation_->stop();
}

}  // namespace jobs_bridge::mqtt

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/mqtt/outbox.h"
#include "adapters/mqtt/presumed_limit.h"
#include "adapters/mqtt/refusal.h"
#include "bridge/jobs/message.h"
#include "bridge/ports/log.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Sends queued publications over the present connection, in the Outbox's order, and no more at
/// once than that connection allows. Any thread may call any function.
///
/// A publication that the broker refuses temporarily is sent again a few times, after pauses that
/// double. A reply that it refuses permanently is replaced, once, by a small `rejected` with the
/// reason.
///
/// Nothing is called while its lock is held, neither the link nor the log. So the order in which
/// callers and the MQTT library take their own locks does not matter.
class Sender {
 public:
  /// A connection that publications can be given to. Threads in flush() use it one at a time.
  class Link {
   public:
    enum class SendResult {
      accepted,
      link_failed,  ///< not accepted now; another link will accept it
      unsendable,   ///< this publication cannot be sent over this link
    };
    virtual ~Link() = default;
    /// Does not wait for the network. If it is not sent, `why` has the reason; its kind matters if
    /// the result is `unsendable`. The acknowledgement may come before this returns, and destroys
    /// `publication`.
    virtual SendResult hand_over(Outbox::Sequence sequence, const Publication& publication,
                                 Refusal& why) noexcept = 0;
    /// Everything available for now has been handed over: a link that gathers publications sends
    /// them. Does not wait for the network.
    virtual void send_gathered() noexcept = 0;
  };
  /// Called with the reason when a link accepts nothing any more, by a flush, which has released
  /// the link.
  using LinkFailed = std::function<void(const std::string& cause)>;

  /// Called when due() or has_suspects() has changed; may be called from any function here.
  using OnDueChanged = std::function<void()>;

  /// Called with the numbers (Publication::update) of replies that the broker has acknowledged, or
  /// that will not be sent any more. May be called from any function here except queue().
  using OnRepliesEnded = std::function<void(const std::vector<std::uint64_t>& updates)>;

  using Clock = std::function<MonotonicTime()>;

  Sender(Outbox::Limits limits, Log& log, LinkFailed link_failed, OnDueChanged on_due_changed,
         Clock clock = std::chrono::steady_clock::now);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// To be called before anything else, once.
  void report_ended_replies(OnRepliesEnded on_replies_ended) {
    on_replies_ended_ = std::move(on_replies_ended);
  }

  /// Only queues it.
  void queue(Publication publication);
  /// Sends what may be sent. If another thread is already sending, the work is left to that one:
  /// this keeps the order, and no thread waits.
  void flush();

  /// From now on flush() uses `link`; `window`: how many may be unacknowledged.
  void begin(Link& link, std::size_t window);
  /// Once this has returned, no thread uses the link, now or later.
  void end();
  /// To be called once no acknowledgement of the last link can arrive any more: unacknowledged
  /// publications will be sent again, first and in order. `evidence`: whether they may have ended
  /// the link.
  void recall(Evidence evidence);

  /// Drops what waits, since it is no longer to be delivered. Returns how many publications that
  /// were.
  std::size_t drop_waiting();

  /// Of an unacknowledged publication; empty if there is none.
  [[nodiscard]] std::string topic_of(Outbox::Sequence sequence) const;
  /// The broker has acknowledged it.
  void acknowledged(Outbox::Sequence sequence);
  /// The broker has refused it.
  void refused(Outbox::Sequence sequence, const Refusal& why);

  /// When flush() should be called for publications that were refused temporarily.
  [[nodiscard]] MonotonicTime due() const;
  /// Whether publications are sent one at a time, to see which of them ends connections. Anything
  /// else published meanwhile could be taken for the cause.
  [[nodiscard]] bool has_suspects() const;

  /// Whether the broker acknowledges, but late: what we send waits behind something else.
  [[nodiscard]] bool lags() const;

  /// Waits until everything queued has been acknowledged; false if that took too long.
  bool drain(Duration timeout);

  /// A publication that could not be sent unchanged.
  struct Refused {
    Refusal::Kind kind = Refusal::Kind::unavailable;
    std::string topic;
    std::string detail;
    MonotonicTime at{};
  };
  struct Counts {
    std::size_t waiting = 0;
    std::size_t unacknowledged = 0;
    std::size_t bytes = 0;
    std::uint64_t overflowed = 0;
    std::uint64_t unpublishable = 0;  ///< those that could not be sent unchanged
    std::uint64_t replaced = 0;       ///< replies of those that were replaced by a rejection
    std::uint64_t unanswered = 0;     ///< replies of those that were not replaced
    std::uint64_t retried = 0;        ///< temporary refusals by the broker
    std::optional<Refused> last_refused;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Turn;
  /// Called with the lock held, which these release meanwhile. False if the link accepts nothing
  /// any more.
  bool hand_over_next(std::unique_lock<std::mutex>& lock, const Outbox::Entry& entry);
  void send_gathered(std::unique_lock<std::mutex>& lock);
  void refuse_for_good(std::unique_lock<std::mutex>& lock, Outbox::Sequence sequence,
                       const Refusal& why);
  void report_overflow(std::unique_lock<std::mutex>& lock);
  /// Releases the lock and reports the updates whose replies have ended.
  void report_ended(std::unique_lock<std::mutex>& lock);

  Log& log_;
  const LinkFailed link_failed_;
  const OnDueChanged on_due_changed_;
  OnRepliesEnded on_replies_ended_;
  const Clock clock_;

  mutable std::mutex mutex_;
  std::condition_variable unused_;   ///< a flush has ended after end()
  std::condition_variable drained_;  ///< the outbox has become empty
  Outbox outbox_;
  PresumedLimit presumed_limit_;
  Link* link_ = nullptr;
  std::optional<Outbox::Sequence> sample_;  ///< the publication whose acknowledgement is timed
  MonotonicTime sampled_at_{};
  int late_ = 0;  ///< consecutive late samples
  bool flushing_ = false;
  std::uint64_t overflowed_ = 0;
  std::uint64_t unpublishable_ = 0;
  std::uint64_t replaced_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t retried_ = 0;
  std::optional<Refused> last_refused_;
  std::uint64_t overflow_reported_ = 0;
  MonotonicTime next_overflow_report_ = {};
};

}  // namespace jobs_bridge::mqtt

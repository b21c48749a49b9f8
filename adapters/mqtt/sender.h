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
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Sends what is queued over whatever connection there is, in the Outbox's order, and no more at
/// once than that connection allows. Any thread may call anything here.
///
/// What the broker refuses for now is sent again, a few times, after pauses that double. A reply
/// that it refuses for good is replaced by a small `rejected` that says so, once.
///
/// Its lock is a leaf: nothing is called with it held, neither the link nor the log. So it does not
/// matter in which order callers and the MQTT library take their own locks.
class Sender {
 public:
  /// A connection that publications can be given to. Threads of flush() use it one at a time.
  class Link {
   public:
    enum class Handed {
      over,
      later,  ///< not taken now; another link will
      never,  ///< this publication cannot be sent over this link
    };
    virtual ~Link() = default;
    /// Does not wait for the network. `why` says why not; its kind counts where it is `never`. The
    /// acknowledgement may come before this returns, and is the end of `publication`.
    virtual Handed hand_over(Outbox::Sequence sequence, const Publication& publication,
                             Refusal& why) noexcept = 0;
    /// All that there is for now has been handed over: a link that gathers sends it. Does not wait
    /// for the network.
    virtual void send_gathered() noexcept = 0;
  };
  /// Told why a link takes nothing any more; called by a flush, which has let go of the link.
  using LinkFailed = std::function<void(const std::string& cause)>;

  /// Told that due() or has_suspects() has changed; may be called from anything here.
  using OnNews = std::function<void()>;

  /// Told the numbers, Publication::update, of replies that the broker has taken, or that will not
  /// be sent any more. May be called from anything here but queue().
  using OnTaken = std::function<void(const std::vector<std::uint64_t>& updates)>;

  using Clock = std::function<MonotonicTime()>;

  Sender(Outbox::Limits limits, Log& log, LinkFailed link_failed, OnNews on_news,
         Clock clock = std::chrono::steady_clock::now);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// To be called before anything else, once.
  void report_taken(OnTaken on_taken) { on_taken_ = std::move(on_taken); }

  /// Only takes it.
  void queue(Publication publication);
  /// Sends what may be sent. A thread that finds another one at it leaves the work to that one: so
  /// the order stays, and nobody waits.
  void flush();

  /// From now on flush() uses `link`; `window`: the most that may be unacknowledged.
  void begin(Link& link, std::size_t window);
  /// When this returns no thread uses the link, nor will one.
  void end();
  /// To be called once no acknowledgement of the last link can come any more: what it left
  /// unacknowledged will be sent again, first and in order. `evidence`: whether that may have been
  /// what ended the link.
  void recall(Evidence evidence);

  /// Drops what waits: nobody is to hear it any more. Says how many that were.
  std::size_t drop_waiting();

  /// The broker has taken it.
  void acknowledged(Outbox::Sequence sequence);
  /// The broker has answered that it does not take it.
  void refused(Outbox::Sequence sequence, const Refusal& why);

  /// When flush() is worth calling for what was refused for now.
  [[nodiscard]] MonotonicTime due() const;
  /// Whether publications are sent one at a time, to see which of them ends connections. Whatever
  /// else is published meanwhile may make the wrong one look guilty.
  [[nodiscard]] bool has_suspects() const;

  /// Whether the broker acknowledges, but late: something keeps what we send from its turn.
  [[nodiscard]] bool lags() const;

  /// Waits until everything queued has been acknowledged; false if that took too long.
  bool drain(Duration patience);

  /// A publication that could not go as it was.
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
    std::uint64_t unpublishable = 0;  ///< those that could not go as they were
    std::uint64_t replaced = 0;       ///< replies of those in whose place a rejection has gone
    std::uint64_t unanswered = 0;     ///< replies of those in whose place nothing went
    std::uint64_t retried = 0;        ///< how often the broker refused one for now
    std::optional<Refused> last_refused;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Turn;
  /// With the lock held, which these release meanwhile. False: the link takes nothing any more.
  bool hand_over_next(std::unique_lock<std::mutex>& lock, const Outbox::Entry& entry);
  void send_gathered(std::unique_lock<std::mutex>& lock);
  void refuse_for_good(std::unique_lock<std::mutex>& lock, Outbox::Sequence sequence,
                       const Refusal& why);
  void report_overflow(std::unique_lock<std::mutex>& lock);
  /// Releases the lock and tells which updates' replies have ended.
  void tell_taken(std::unique_lock<std::mutex>& lock);

  Log& log_;
  const LinkFailed link_failed_;
  const OnNews on_news_;
  OnTaken on_taken_;
  const Clock clock_;

  mutable std::mutex mutex_;
  std::condition_variable unused_;   ///< a flush has ended after end()
  std::condition_variable drained_;  ///< the outbox has become empty
  Outbox outbox_;
  PresumedLimit presumed_limit_;
  Link* link_ = nullptr;
  Outbox::Sequence sample_ = Outbox::nobody;  ///< whose acknowledgement is timed
  MonotonicTime sampled_at_{};
  int late_ = 0;  ///< samples in a row
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

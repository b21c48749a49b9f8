#pragma once

#include <mosquitto.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/mosquitto/link_watch.h"
#include "adapters/mqtt/mosquitto/read_ahead.h"
#include "adapters/mqtt/property_check.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Moves the bytes of one connection of libmosquitto's, which must be in its threaded mode: it then
/// only queues packets, and its callbacks come from within the functions that are called here.
///
/// A fiber of an event loop reads. Code on that loop that has queued something also writes it,
/// unless the fiber is running, which then writes it too. So a publication needs no thread switch.
/// Other threads leave writing to the fiber: libmosquitto closes the socket when it cannot write,
/// and at that moment no thread may be about to wait for it.
///
/// libmosquitto queues the acknowledgement of a message before it hands us the message. Nothing is
/// written while the fiber reads, so a message that is acknowledged has been delivered to us
/// completely.
class Loop {
 public:
  /// Called once when the connection ends, unless we disconnected; without a fault if it broke
  /// without a reason. Called by the fiber, with no lock held.
  using OnEnd = std::function<void(std::optional<BrokerFault> fault)>;

  /// `handle` and `events` must outlive it.
  Loop(mosquitto& handle, fibers::EventLoop& events, const BrokerSettings& settings,
       std::string unused_filter, OnEnd on_end);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Waits for callbacks in progress.
  ~Loop();

  /// To be called once connecting has begun.
  void start();
  /// The broker has accepted the connection; called by a callback.
  void accepted();

  /// One more packet is queued, and will be sent with the rest; any thread may call it.
  void count_queued() noexcept { queued_.fetch_add(1); }
  /// Sends what is queued. If called from within a callback, or on another thread than the event
  /// loop's, the fiber sends it afterwards.
  void send_queued() noexcept;

  /// Whether the PUBLISH being delivered was redelivered; to be called by its callback.
  [[nodiscard]] bool is_redelivered() const { return read_ahead_.filter().redelivered(); }

  /// Whether the connection ended over a CONNACK with a limit of 0. By `on_end`.
  [[nodiscard]] bool has_zero_limit() const {
    return properties_.failed() && properties_.is_zero_limit();
  }

  /// Sends DISCONNECT, after what is queued, and waits for the end, but no longer than `limit`.
  void send_disconnect(std::chrono::milliseconds limit);

 private:
  class Turn;
  void run();
  /// Until when to wait for the socket.
  [[nodiscard]] MonotonicTime due() const;
  /// What ended the connection.
  struct End {
    std::optional<BrokerFault> fault;  ///< nothing: it broke without a reason
  };
  [[nodiscard]] End end_of(int error) const;
  /// These run in a turn of the fiber, and return what ended the connection, if something did.
  std::optional<End> serve(unsigned ready);
  std::optional<End> shake_hands(unsigned ready);
  std::optional<End> read();
  std::optional<End> check_timers();
  /// These too.
  void write_queued();
  void wait_for(unsigned interest);
  /// Runs another turn for what has been queued meanwhile.
  void write_rest() noexcept;
  void wake() noexcept;

  mosquitto& handle_;
  const Duration keep_alive_;
  const std::string unused_filter_;
  const OnEnd on_end_;
  fibers::EventLoop& events_;

  std::atomic<std::size_t> queued_{0};  ///< packets not handled yet

  // Used by the event loop's thread only.
  PropertyCheck properties_;
  ReadAhead read_ahead_;
  bool busy_ = false;            ///< reading or writing is in progress
  unsigned interest_ = 0;        ///< what the socket is waited for
  std::uint64_t socket_id_ = 0;  ///< see fibers::descriptor_id()
  bool open_ = false;            ///< TCP is connected
  bool disconnect_sent_ = false;
  std::optional<int> failure_;  ///< errno of a failed write

  // Used by the fiber only.
  std::optional<LinkWatch> watch_;  ///< once the broker has accepted us
  MonotonicTime misc_at_{};

  std::atomic<bool> stopping_{false};
  std::atomic<bool> disconnect_due_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<fibers::EventLoop::Fiber> fiber_;  ///< null: it has not run yet
  bool ended_ = true;
};

}  // namespace jobs_bridge::mqtt

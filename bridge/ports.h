#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/result.h"
#include "bridge/time.h"

/// The interfaces that the core needs and the adapters implement.
namespace jobs_bridge {

enum class Severity { trace, debug, info, warning, error };

/// The log of events that matter to an operator. Any thread may call it; it does not throw, and it
/// blocks on nothing but the write itself. Callers never pass a secret.
class Log {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(Severity severity) const = 0;
  /// `event` is a constant sentence without values; the values are fields.
  virtual void write(Severity severity, std::string_view event,
                     std::initializer_list<Field> fields) = 0;
  void write(Severity severity, std::string_view event) { write(severity, event, {}); }
};

/// The way back to the devices. Publications leave in the order in which they were queued.
///
/// There are two steps, so that a caller can fix the order while it holds a lock and send after
/// releasing it: `queue` only stores the message (it never blocks and never calls into the MQTT
/// library); `flush` sends what may be sent now. Both may be called from any thread, `flush` also
/// from a message callback, but never while holding a lock that such a callback takes.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual void queue(Publication publication) = 0;
  virtual void flush() = 0;
};

/// One connection to the endpoint: used by one caller at a time, carries out one request after
/// another and keeps the connection alive between them.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Returns when the complete answer has arrived, at the latest at `deadline`. Blocks the caller's
  /// thread until then, or its fiber if it runs on one. Never throws.
  virtual HttpOutcome perform(const HttpRequest& request, MonotonicTime deadline) = 0;
};

/// The endpoint that connections are opened to. Any thread may call it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// Cheap: connects when the first request is performed. The Endpoint outlives what it returns.
  virtual std::unique_ptr<Exchange> open() = 0;
  /// Ends every request in progress, and every later one, at once with HttpFailure::Kind::stopped.
  virtual void stop() = 0;
};

/// A server other than the endpoint that an adapter queries occasionally.
struct Origin {
  bool tls = true;
  std::string host;  ///< a DNS name or a literal address; an IPv6 one without brackets
  std::uint16_t port = 443;
  std::string ca_file = {};           ///< PEM; empty: the system's authorities
  std::string certificate_file = {};  ///< for mutual TLS, with private_key_file; empty: none
  std::string private_key_file = {};
  /// Whether it is reached through the gateway's proxy; link-local services are reached directly.
  bool through_proxy = false;
  Duration connect_timeout{};
  Duration answer_timeout{};
};

/// Opens an Origin; sends nothing yet. An error names what is wrong, such as a file. Any thread may
/// call it.
using OpenOrigin = std::function<Result<std::unique_ptr<Endpoint>, std::string>(const Origin&)>;

/// An update as the broker handed it to us.
struct JournalEntry {
  /// Entries of a thing are carried out in the order of their numbers. Never 0, nor used twice
  /// while an entry of that number is kept.
  std::uint64_t number = 0;
  /// When it was received, in seconds since 1970 by the clock of that time.
  std::int64_t received = 0;
  Message message;  ///< never a retained one
};

/// Keeps updates until the broker has the reply to them, even if the process ends, for whatever
/// reason.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Keeps an entry: it outlives the process once this has returned, and a power cut 100 ms later.
  /// Returns nothing, or a message for the device and the operator that tells why it is not kept.
  /// Then it is absent after a restart too, unless the reason is a disk that hangs and a kill or a
  /// power cut comes meanwhile. Called from a message callback: takes microseconds, or a fraction
  /// of a second, once, when a disk begins to hang; does not throw. Calls come one at a time.
  virtual std::optional<std::string> record(const JournalEntry& entry) = 0;
  /// Forgets entries whose devices have been answered; numbers that are not kept are ignored. Does
  /// not wait for the disk: for some milliseconds a kill can bring the entries back, and a power
  /// cut for 100. But they are forgotten in the order of the calls, and no entry is recorded before
  /// all entries settled until then are forgotten, unless there are thousands of them or the disk
  /// is full or hangs. So if one entry comes back, every later one that was kept does too, and the
  /// last update to be carried out again is the last one originally carried out. Does not throw.
  /// Calls come one at a time, also while another thread is in record().
  virtual void settle(const std::vector<std::uint64_t>& numbers) = 0;
};

/// What is remembered about a thing whose pending executions are polled on behalf of its device.
struct WatchedThing {
  std::string thing;
  /// When its device last asked for something, in seconds since 1970.
  std::int64_t asked = 0;
  /// What the device was last told is pending: text in a format of the core, stored unchanged.
  std::string told;
};

/// Keeps the watched things over a restart, so that a job that was queued meanwhile is still
/// announced and one that was announced is not announced again.
class WatchStore {
 public:
  virtual ~WatchStore() = default;
  /// Takes what has changed and what is to be forgotten. Returns without waiting for the disk and
  /// does not throw; what cannot be written is logged. Calls come one at a time.
  virtual void save(std::vector<WatchedThing> changed, std::vector<std::string> forgotten) = 0;
};

}  // namespace jobs_bridge

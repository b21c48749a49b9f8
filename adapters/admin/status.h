#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/admin/process_usage.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// Quantiles of durations in the last minute.
struct Latency {
  std::uint64_t count = 0;  ///< 0: the others mean nothing
  Duration p50{};
  Duration p95{};
  Duration p99{};
};

/// One of the things with the most requests, or the most rejections, lately.
struct BusyThing {
  std::string thing;
  double per_minute = 0;
  std::string last_code;  ///< of its last rejection; empty among the busiest
};

/// An error, which may have occurred several times.
struct ErrorEntry {
  std::int64_t first = 0;  ///< seconds since 1970
  std::int64_t last = 0;
  std::uint64_t count = 1;
  std::string code;
  std::string thing;      ///< the latest one affected; empty: the error concerns no thing
  bool several = false;   ///< other things were affected too
  std::string operation;  ///< empty: none
  std::string message;    ///< what the device was told; may contain untrusted text
  std::string cause;      ///< further detail for the operator
};

/// The course of the last minutes, oldest first; all of one length.
struct History {
  Duration step{};
  std::vector<double> requests_per_second;
  std::vector<std::optional<Duration>> p50;  ///< nothing: there were no requests
  std::vector<std::optional<Duration>> p99;
};

/// Everything that the page and /api/status show: plain values of one moment. Points in time are in
/// seconds since 1970 UTC. StatusSource fills in what it knows; Activity fills in the rest.
struct Status {
  std::string version;
  std::int64_t now = 0;
  std::int64_t started = 0;
  Duration uptime{};
  bool stopping = false;
  /// If a standby can take an instance's place: a word of [a-z], see Lease::State; otherwise empty.
  std::string role;

  struct Broker {
    std::string url;                ///< connected to, or tried last; without user and password
    std::vector<std::string> urls;  ///< all configured addresses
    bool connected = false;
    bool subscribed = false;  ///< every subscription granted
    bool canary = false;      ///< whether it is proven that messages flow, or not
    bool flowing = false;     ///< a canary has come back
    std::string canary_fault;
    std::string canary_hint;  ///< what to do if it does not come back
    /// The result of the self-test on the Jobs topics, for requests or for replies.
    struct Passage {
      enum class Verdict : std::uint8_t {
        off,       ///< there is no test
        untested,  ///< it is not finished
        good,
        undecided,  ///< it cannot be determined whether they pass the broker
        bad,
      };
      Verdict verdict = Verdict::off;
      std::string cause;  ///< of `undecided` and `bad`
      std::string hint;
    };
    Passage requests;  ///< whether devices' requests arrive
    Passage replies;   ///< whether our replies are delivered
    struct Fault {
      std::string kind;  ///< a word of [a-z0-9_]; empty: there is no fault
      std::string text;
      std::string hint;  ///< what the operator can do about it
    };
    Fault fault;  ///< why there is no connection
    /// What the broker does not do as it should, although requests are served.
    std::vector<Fault> shortcomings;
    Duration since{};  ///< for how long it has been connected, or not
    std::optional<Duration> flowed_ago;
    Duration round_trip{};
    std::uint64_t connections = 0;  ///< how often it has connected
    std::size_t waiting = 0;        ///< publications not sent yet
    std::size_t unacknowledged = 0;
    std::uint64_t overflowed = 0;     ///< replies dropped because the queue was full, total
    std::uint64_t unpublishable = 0;  ///< replies that the broker does not accept, total
    std::uint64_t replaced = 0;       ///< of those, replaced by a rejection
    std::uint64_t unanswered = 0;     ///< of those, not replaced by anything
    std::uint64_t retried = 0;        ///< temporary refusals by the broker, total
    /// The last reply that the broker did not accept.
    struct RefusedReply {
      Duration ago{};
      std::string kind;  ///< a word of [a-z_]
      std::string topic;
      std::string cause;
      std::string hint;
    };
    std::optional<RefusedReply> last_refused_reply;
    std::vector<std::string> refused_filters;
    Fault filter_refusal;  ///< the cause for the first of them
  } broker;

  struct Endpoint {
    std::string url;
    bool reachable = true;  ///< the circuit is closed
    bool called = false;    ///< a call has ended since the start
    bool answered = false;  ///< one has shown since the start that the endpoint works
    std::optional<Duration> down_for;
    std::string cause;  ///< while it is not reachable
    std::string kind;   ///< of that fault: a word of [a-z_]
    std::string hint;
    /// An operation that it denies the gateway, though perhaps not for every thing.
    struct Denied {
      std::string operation;
      std::string action;  ///< what a policy has to allow
      Duration since{};
      std::string cause;  ///< of the answer that showed it
    };
    std::vector<Denied> denied;
    bool denies_all = false;  ///< every operation that was tried lately
    std::size_t calls_in_flight = 0;
    std::size_t connections = 0;  ///< the most calls in flight
    Latency latency;              ///< of its answers
    double throttled = 0;         ///< throttled calls per second, lately
  } endpoint;

  struct Quota {
    double configured = 0;  ///< calls per second; 0: no limit
    double allowed = 0;     ///< the reduced rate while slowed down; 0: paused, or no limit
    bool slowed = false;
    /// How long the endpoint asked to pause, at the longest; nothing if it did not.
    std::optional<Duration> paused_for = {};
    double used = 0;  ///< calls per second, over the last ten seconds
  };
  Quota reads;
  Quota writes;

  struct Requests {
    double per_second = 0;          ///< messages received, over the last ten seconds
    double replies_per_second = 0;  ///< the rejections among them below
    double rejected_per_second = 0;
    std::size_t waiting = 0;
    std::size_t queue = 0;  ///< the most that may wait; 0: unknown
    std::size_t pausing = 0;
    std::size_t held = 0;  ///< updates past their deadline
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    std::uint64_t rejected_queue_full = 0;  ///< of those, because a queue was full
    std::uint64_t lost = 0;                 ///< updates given up after they were held
    /// Updates that the endpoint rejected after their devices had stopped waiting.
    std::uint64_t rejected_late = 0;
    Latency latency;  ///< of all but held updates
    /// The same by operation, in the order of the enumeration.
    std::array<Latency, operation_count> by_operation;
  } requests;
  History history;

  struct Journal {
    bool enabled = false;
    std::string path;
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::size_t max_bytes = 0;
    bool failing = false;
    std::string cause;  ///< completes the path: "has no space: its disk is full"
    std::string hint;
    bool takes_what_fits = false;  ///< failing for want of space: small updates are still recorded
    /// For how long the disk has not completed a write, if that is the cause of the failure.
    std::optional<Duration> disk_stalled;
    std::uint64_t not_recorded = 0;            ///< entries that could not be recorded, total
    std::optional<Duration> not_recorded_ago;  ///< the last of them
    std::string not_recorded_cause;            ///< why
    Duration longest_unsynced{};
    std::optional<Duration> oldest_held;
  } journal;

  struct Credentials {
    std::string source;                   ///< "none": requests are not signed
    bool valid = false;                   ///< there are credentials that have not expired
    std::string key_ends;                 ///< the last four characters of the access key's id
    std::optional<std::int64_t> expires;  ///< nothing: they do not expire
    std::optional<Duration> renewed_ago;
    std::string fault;  ///< why the last renewal failed; empty: it did not
    std::uint64_t renewals = 0;
    std::uint64_t failures = 0;
    std::int64_t clock_skew = 0;  ///< seconds that this clock is behind the endpoint's

    /// Whether requests are signed at all.
    [[nodiscard]] bool used() const { return !source.empty() && source != "none"; }
  } credentials;

  struct Notifier {
    bool enabled = false;
    std::size_t watched = 0;
    std::uint64_t not_watched = 0;  ///< things not watched because there are too many
    std::uint64_t polls = 0;
    std::uint64_t failed_polls = 0;
    std::uint64_t notifications = 0;
    Duration interval{};
  } notifier;

  std::vector<BusyThing> busiest;
  std::vector<BusyThing> failing;
  std::vector<ErrorEntry> errors;  ///< latest first

  ProcessUsage process;  ///< the server fills it
};

/// Called on the server's threads, one at a time; should be cheap. If it throws, the request, and
/// with it /healthz, is answered 500.
using Snapshot = std::function<Status()>;

}  // namespace jobs_bridge::admin

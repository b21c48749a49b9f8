#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/jobs/notification.h"

namespace jobs_bridge {

/// What a device knows of its pending executions: what it was notified of or learned from a reply.
/// It must be told the difference between that and what is pending now.
class NotifiedState {
 public:
  /// What the device is to be told.
  struct News {
    bool notify = false;       ///< an execution entered or left the pending set
    bool notify_next = false;  ///< another execution is at the head
  };

  /// A reply to the device's own request named the head. Only what was unknown is taken from it:
  /// the service announces a change even to a device that has already seen it in a reply. This and
  /// the next two functions return whether anything was unknown.
  bool observe(const NextExecution& next);
  bool observe(const PendingExecutions& pending);
  /// An execution of that job ended by the device's own update.
  bool observe_ended(const std::string& job);

  /// A notify-next named the head. Whether that was not known.
  bool tell(const NextExecution& next);

  /// Whether what is pending now can be compared with what is known. If nothing is known yet about
  /// a device, the first comparison yields no news and is only remembered.
  [[nodiscard]] bool knows_head() const { return head_.has_value(); }

  /// Whether the head must be looked up to know the news. It is not when the list has the same head
  /// as before and has lost nothing.
  [[nodiscard]] bool must_see_head(const PendingExecutions& pending) const;

  /// The news, given the list alone, when the head need not be seen.
  News update(const PendingExecutions& pending);
  News update(const PendingExecutions& pending, const NextExecution& next);

  /// Whether that job's execution is the one that the device knows as the head.
  [[nodiscard]] bool has_head(const std::string& job) const;

  /// For keeping over a restart. From text that cannot be read, from_text() makes a state in which
  /// nothing is known.
  [[nodiscard]] std::string to_text() const;
  static NotifiedState from_text(std::string_view text);

  friend bool operator==(const NotifiedState&, const NotifiedState&) = default;

 private:
  [[nodiscard]] bool has_changed(const PendingExecutions& pending) const;
  void take(const PendingExecutions& pending);

  std::optional<std::string> head_;
  /// The first entry of the list when it was last seen. The endpoint chooses the list's order,
  /// which need not be that of the queue.
  std::optional<std::string> listed_first_;
  std::optional<std::vector<std::string>> executions_;  ///< sorted
};

}  // namespace jobs_bridge

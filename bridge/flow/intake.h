#pragma once

#include <cstddef>
#include <variant>

#include "bridge/flow/partition.h"
#include "bridge/flow/publish_reply.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/topic.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Turns messages into requests: a message that is not a request is ignored, an invalid request is
/// rejected with the reason. The result depends on the message alone. Not thread-safe.
class Intake {
 public:
  /// `max_payload`: the longest payload of a request, in bytes.
  Intake(TopicGrammar topics, Partition partition, std::size_t max_payload);

  /// Not a request for this instance: no reply is due.
  struct Ignored {};
  struct Rejected {
    ReplyAddress address;
    Rejection rejection;
  };
  struct Valid {
    ReplyAddress address;
    Request request;
  };
  using Read = std::variant<Ignored, Rejected, Valid>;

  void set_max_payload(std::size_t max_payload) { max_payload_ = max_payload; }

  [[nodiscard]] Read read(Now now, const Message& message) const;

 private:
  [[nodiscard]] bool allows_response(const Message& message) const;

  TopicGrammar topics_;
  Partition partition_;
  std::size_t max_payload_;
};

}  // namespace jobs_bridge

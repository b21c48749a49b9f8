#pragma once

#include <cstddef>
#include <variant>

#include "bridge/flow/partition.h"
#include "bridge/flow/respond.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/topic.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Makes requests of messages: what is none is ignored, what is wrong is refused with the reason.
/// Nothing here depends on what else is going on. Not thread-safe.
class Intake {
 public:
  /// `max_payload`: the longest payload of a request, in bytes.
  Intake(TopicGrammar topics, Partition partition, std::size_t max_payload);

  /// No request for this instance: there is nobody to answer.
  struct Ignored {};
  struct Refused {
    ReplyAddress address;
    Rejection rejection;
  };
  struct Taken {
    ReplyAddress address;
    Request request;
  };
  using Read = std::variant<Ignored, Refused, Taken>;

  void set_max_payload(std::size_t max_payload) { max_payload_ = max_payload; }

  [[nodiscard]] Read read(Now now, const Message& message) const;
  /// The thing that a message which was taken is about.
  [[nodiscard]] std::string thing_of(const Message& message) const {
    return std::string(topics_.thing_level(message.topic));
  }

 private:
  [[nodiscard]] bool allows_response(const Message& message) const;

  TopicGrammar topics_;
  Partition partition_;
  std::size_t max_payload_;
};

}  // namespace jobs_bridge

#include "adapters/store/journal_checksum.h"

#include <bit>
#include <chrono>
#include <string>

#include "bridge/flow/partition.h"

namespace jobs_bridge::store {

std::int64_t checksum(const JournalEntry& entry) {
  const auto& message = entry.message;
  std::string row;
  row.reserve(message.payload.size() + message.topic.size() + 256);
  row.append(std::to_string(entry.number)).append(1, ' ').append(std::to_string(entry.received));
  row += ' ';
  if (message.expires_after) {
    row += std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(*message.expires_after).count());
  }
  // With their lengths, so that no two rows are the same text.
  for (const auto* part : {&message.topic, &message.payload, &message.response_topic,
                           &message.correlation_data, &message.content_type}) {
    row.append(1, ' ').append(std::to_string(part->size())).append(1, ':').append(*part);
  }
  return std::bit_cast<std::int64_t>(name_hash(row));
}

}  // namespace jobs_bridge::store

#include "adapters/mqtt/publication_check.h"

#include <algorithm>
#include <string_view>

#include "bridge/text/ascii.h"

namespace jobs_bridge::mqtt {
namespace {

/// What a two-byte length can say (MQTT 5, section 1.5.4).
constexpr std::size_t max_field = 65535;
/// What a remaining length can say (section 2.1.4).
constexpr std::size_t max_remaining_length = 268435455;

/// How many bytes a variable byte integer takes (section 1.5.5).
std::size_t size_of_length(std::size_t length) {
  std::size_t size = 1;
  for (; length >= 128; length /= 128) ++size;
  return size;
}

std::size_t properties_size(const Publication& publication) {
  std::size_t size = 0;
  for (const auto* value : {&publication.correlation_data, &publication.content_type}) {
    if (!value->empty()) size += 1 + 2 + value->size();
  }
  return size;
}

std::optional<std::string> fault_of_properties(const Publication& publication) {
  if (publication.correlation_data.size() > max_field) {
    return "the correlation data is longer than 65535 bytes";
  }
  if (publication.content_type.size() > max_field) {
    return "the content type is longer than 65535 bytes";
  }
  // What every media type is made of (RFC 9110, section 8.3.1); MQTT itself allows more.
  if (!std::ranges::all_of(publication.content_type, is_printable)) {
    return "the content type is not printable ASCII";
  }
  return std::nullopt;
}

std::size_t remaining_length(const Publication& publication, bool mqtt_5) {
  auto length = 2 + publication.topic.size() + 2 + publication.payload.size();
  if (mqtt_5) {
    const auto properties = properties_size(publication);
    length += size_of_length(properties) + properties;
  }
  return length;
}

}  // namespace

std::size_t packet_size(const Publication& publication, bool mqtt_5) {
  const auto remaining = remaining_length(publication, mqtt_5);
  return 1 + size_of_length(remaining) + remaining;
}

namespace {

/// Why no broker accepts it.
std::optional<std::string> fault_in(const Publication& publication, bool mqtt_5) {
  if (publication.topic.empty()) return "the topic is empty";
  if (publication.topic.size() > max_field) return "the topic is longer than 65535 bytes";
  if (publication.topic.find_first_of(std::string_view("+#\0", 3)) != std::string::npos) {
    return "the topic contains a wildcard or a null character";
  }
  if (mqtt_5) {
    if (auto fault = fault_of_properties(publication)) return fault;
  }
  if (remaining_length(publication, mqtt_5) > max_remaining_length) {
    return "it is longer than MQTT allows";
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_publication(const Publication& publication, bool mqtt_5,
                                         std::size_t maximum_packet_size) {
  if (auto fault = fault_in(publication, mqtt_5)) {
    return Refusal{.kind = Refusal::Kind::malformed, .detail = *std::move(fault)};
  }
  const auto size = packet_size(publication, mqtt_5);
  if (size > maximum_packet_size) {
    return Refusal{.kind = Refusal::Kind::too_large,
                   .detail = "its packet of " + std::to_string(size) +
                             " bytes is larger than the broker's maximum, " +
                             std::to_string(maximum_packet_size)};
  }
  return std::nullopt;
}

}  // namespace jobs_bridge::mqtt

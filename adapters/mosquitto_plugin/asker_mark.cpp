#include "adapters/mosquitto_plugin/asker_mark.h"

namespace jobs_bridge::mosquitto_plugin {
namespace {

constexpr std::string_view magic = "\xffJB\x01";
constexpr std::size_t head_size = magic.size() + 3;
constexpr unsigned qos_bits = 0b011;
constexpr unsigned has_correlation_data = 0b100;

unsigned byte_at(std::string_view bytes, std::size_t position) {
  return static_cast<unsigned char>(bytes[position]);
}

}  // namespace

std::optional<std::string> encode(const AskerMark& mark) {
  const auto own_size = mark.correlation_data ? mark.correlation_data->size() : 0;
  if (mark.client_id.size() > max_correlation_data || own_size > max_correlation_data ||
      head_size + mark.client_id.size() + own_size > max_correlation_data) {
    return std::nullopt;
  }
  const auto flags =
      static_cast<unsigned>(mark.qos) | (mark.correlation_data ? has_correlation_data : 0U);
  std::string bytes;
  bytes.reserve(head_size + mark.client_id.size() + own_size);
  bytes += magic;
  bytes += static_cast<char>(flags);
  bytes += static_cast<char>(mark.client_id.size() >> 8U);
  bytes += static_cast<char>(mark.client_id.size() & 0xffU);
  bytes += mark.client_id;
  if (mark.correlation_data) bytes += *mark.correlation_data;
  return bytes;
}

std::optional<AskerMark> decode(std::string_view correlation_data) {
  if (correlation_data.size() < head_size || correlation_data.size() > max_correlation_data ||
      !correlation_data.starts_with(magic)) {
    return std::nullopt;
  }
  const auto flags = byte_at(correlation_data, magic.size());
  const std::size_t id_size = byte_at(correlation_data, magic.size() + 1) << 8U |
                              byte_at(correlation_data, magic.size() + 2);
  const auto rest = correlation_data.substr(head_size);
  const auto qos = flags & qos_bits;
  const bool has_own = (flags & has_correlation_data) != 0;
  if ((flags & ~(qos_bits | has_correlation_data)) != 0 || qos > 2 || id_size > rest.size()) {
    return std::nullopt;
  }
  const auto client_id = rest.substr(0, id_size);
  const auto own = rest.substr(id_size);
  // mosquitto's interface takes client ids that end at a NUL.
  if (client_id.empty() || client_id.find('\0') != client_id.npos || (!has_own && !own.empty())) {
    return std::nullopt;
  }
  return AskerMark{.client_id = std::string(client_id),
                   .qos = static_cast<int>(qos),
                   .correlation_data = has_own ? std::optional(std::string(own)) : std::nullopt};
}

}  // namespace jobs_bridge::mosquitto_plugin

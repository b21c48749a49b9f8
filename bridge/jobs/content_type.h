#pragma once

#include <string_view>

/// The content types of requests and replies over MQTT 5.
namespace jobs_bridge {

inline constexpr std::string_view json_content_type = "application/json";
inline constexpr std::string_view cbor_content_type = "application/cbor";  // RFC 8949, section 9.3

/// Whether a content type is CBOR's, in any case and with any parameters.
bool is_cbor(std::string_view content_type);

}  // namespace jobs_bridge

#pragma once

#include <string_view>

/// The syntax rules for strings of the configuration.
namespace jobs_bridge::config {

/// 1 to 128 bytes.
bool is_client_id(std::string_view text);

/// Empty, or 1 to 256 printable ASCII characters that form a topic, not a filter, outside the
/// broker's reserved topics ('$').
bool is_canary_topic(std::string_view text);

/// Empty, or 1 to 128 bytes without a character that is special in a topic filter (MQTT 5.0,
/// section 4.8.2).
bool is_share_group(std::string_view text);

/// At most 1 KiB. (The password is in a file.)
bool is_username(std::string_view text);

/// Empty, or 1 to 32 of `[a-z0-9-]` without a '-' at either end: it becomes part of a host name.
bool is_region(std::string_view text);

/// A host name, an address, `*`, or a domain with or without a dot or `*.` before it.
bool is_no_proxy_pattern(std::string_view text);

/// 1 to 128 bytes, without ']' (AWS CLI configuration file).
bool is_profile(std::string_view text);

/// Empty, or 1 to 128 of `[a-zA-Z0-9_=,@-]` (AWS IoT CreateRoleAlias).
bool is_role_alias(std::string_view text);

}  // namespace jobs_bridge::config

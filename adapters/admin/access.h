#pragma once

#include <string_view>

namespace jobs_bridge::admin {

/// Whether a Host header (`host` or `host:port`) names this machine's loopback interface, as the
/// requests of a browser do only if the person typed such a name.
bool names_loopback(std::string_view host_header);

/// Whether an Authorization header shows the token. Compares in constant time, except that the time
/// depends on the length.
bool shows_token(std::string_view authorization, std::string_view token);

/// Whether a text can be a token: too long to be guessed, and valid in a header.
bool is_token(std::string_view text);
/// What to say of a text for which is_token() is false.
inline constexpr std::string_view no_token =
    "the token is too short or contains other than visible characters";
inline constexpr std::string_view token_hint =
    "use 16 or more visible ASCII characters, such as the output of: openssl rand -hex 16";

}  // namespace jobs_bridge::admin

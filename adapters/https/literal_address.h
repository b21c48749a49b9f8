#pragma once

#include <string>

namespace jobs_bridge::https {

/// Whether `host` is an IPv4 or IPv6 address (without brackets) and so needs no lookup.
bool is_literal_address(const std::string& host);

/// `host:port` as it stands in a Host header or a CONNECT target: IPv6 in brackets.
std::string authority(const std::string& host, unsigned port);

}  // namespace jobs_bridge::https

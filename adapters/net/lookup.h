#pragma once

#include <netdb.h>

#include <memory>
#include <string>
#include <vector>

#include "bridge/result.h"

namespace jobs_bridge::net {

struct FreeAddressInfo {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};
using AddressInfo = std::unique_ptr<addrinfo, FreeAddressInfo>;

/// getaddrinfo() for TCP; `port` may be null. Blocks for half a minute and more when no name server
/// answers, but not at all with AI_NUMERICHOST.
Result<AddressInfo, std::string> address_info(const std::string& host, const char* port, int flags);

/// The addresses of a host in text form ("192.0.2.1", "2001:db8::1"), the one to try first at the
/// front, without duplicates. Blocks as address_info() does, unless the host is an address.
Result<std::vector<std::string>, std::string> look_up(const std::string& host);

}  // namespace jobs_bridge::net

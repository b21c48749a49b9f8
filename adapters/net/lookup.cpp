#include "adapters/net/lookup.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "adapters/files/system_text.h"

namespace jobs_bridge::net {

Result<AddressInfo, std::string> address_info(const std::string& host, const char* port,
                                              int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port, &hints, &found)) {
    return Failure{error == EAI_SYSTEM ? files::system_text(errno)
                                       : std::string(gai_strerror(error))};
  }
  return AddressInfo(found);
}

Result<std::vector<std::string>, std::string> look_up(const std::string& host) {
  const auto found = address_info(host, nullptr, 0);
  if (!found) return Failure{found.error()};
  std::vector<std::string> addresses;
  for (const auto* info = found->get(); info != nullptr; info = info->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0 &&
        std::ranges::find(addresses, text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

}  // namespace jobs_bridge::net

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "adapters/https/https_endpoint.h"
#include "adapters/https/tcp_connection.h"

namespace jobs_bridge::https {

Result<std::vector<std::string>, std::string> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found)) {
    return Failure{error == EAI_SYSTEM ? system_error_text(errno)
                                       : std::string(gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, decltype([](addrinfo* info) { freeaddrinfo(info); })> owner(
      found);
  std::vector<std::string> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0 &&
        std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

}  // namespace jobs_bridge::https

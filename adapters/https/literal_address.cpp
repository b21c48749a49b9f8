#include "adapters/https/literal_address.h"

#include <arpa/inet.h>

namespace jobs_bridge::https {

bool is_literal_address(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::string authority(const std::string& host, unsigned port) {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return name + ":" + std::to_string(port);
}

}  // namespace jobs_bridge::https

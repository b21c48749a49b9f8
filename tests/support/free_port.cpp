#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>

namespace jobs_bridge::testing_support {

unsigned short free_port() {
  std::random_device random;
  std::uniform_int_distribution<int> some_port(10000, 32000);
  int cause = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto port = static_cast<unsigned short>(some_port(random));
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free =
        bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    cause = errno;
    close(descriptor);
    if (is_free) return port;
  }
  throw std::system_error(cause, std::generic_category(), "no free port");
}

}  // namespace jobs_bridge::testing_support

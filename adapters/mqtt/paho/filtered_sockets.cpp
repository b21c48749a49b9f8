#include "adapters/mqtt/paho/filtered_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace jobs_bridge::mqtt {
namespace {

struct Peer {
  std::string address;
  std::string port;
  bool operator==(const Peer&) const = default;
};
struct PeerEntry {
  Peer peer;
  PacketFilter::Limits limits;
};

std::mutex peers_mutex;
std::map<std::uint64_t, PeerEntry> peer_entries;
std::uint64_t next_peer_id = 1;
std::atomic<std::size_t> peer_count{0};

std::optional<Peer> peer_of(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  if (getpeername(socket, address, &size) != 0) return std::nullopt;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return std::nullopt;
  }
  return Peer{host.data(), port.data()};
}

struct KnownSocket {
  ino_t inode = 0;  ///< tells a socket from a later one of the same number
  std::unique_ptr<PacketFilter> filter;
};
thread_local std::unordered_map<int, KnownSocket> known_sockets;

}  // namespace

FilteredPeer::FilteredPeer(const std::string& address, std::uint16_t port,
                           PacketFilter::Limits limits)
    : id_([&] {
        const std::lock_guard lock(peers_mutex);
        peer_entries.emplace(next_peer_id,
                             PeerEntry{.peer = {address, std::to_string(port)}, .limits = limits});
        peer_count = peer_entries.size();
        return next_peer_id++;
      }()) {}

FilteredPeer::~FilteredPeer() {
  const std::lock_guard lock(peers_mutex);
  peer_entries.erase(id_);
  peer_count = peer_entries.size();
}

PacketFilter* filter_of(int socket) {
  if (peer_count == 0) return nullptr;
  const int error = errno;
  struct stat status {};
  if (fstat(socket, &status) != 0) {
    errno = error;
    return nullptr;
  }
  auto& known = known_sockets[socket];
  if (known.inode != status.st_ino) {
    known = {};
    if (const auto peer = peer_of(socket)) {
      known.inode = status.st_ino;
      const std::lock_guard lock(peers_mutex);
      for (const auto& [id, entry] : peer_entries) {
        if (entry.peer == *peer) known.filter = std::make_unique<PacketFilter>(entry.limits);
      }
      if (known.filter) {
        const int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      }
    }
  }
  errno = error;
  return known.filter.get();
}

}  // namespace jobs_bridge::mqtt

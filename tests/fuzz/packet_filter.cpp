// What a broker sends, on its way to the MQTT library. Input: a byte of flags (bit 0: MQTT 5; the
// others: how many bytes arrive at a time, and are asked for), and then the bytes.

#include "adapters/mqtt/packet_filter.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

namespace {

using jobs_bridge::fuzz::promise;
using jobs_bridge::mqtt::PacketFilter;

constexpr std::size_t max_payload = 20;

/// All that comes out of a new filter, in such pieces.
std::string filtered(std::string_view bytes, bool mqtt_5, std::size_t arriving, std::size_t asked) {
  PacketFilter filter({.payload = max_payload, .mqtt_5 = mqtt_5});
  std::size_t there = 0;
  const auto source = [&](void* piece, std::size_t most) -> ssize_t {
    const auto part = std::min({most, there, bytes.size()});
    if (part == 0) {
      errno = EAGAIN;
      return -1;
    }
    std::copy_n(bytes.data(), part, static_cast<char*>(piece));
    bytes.remove_prefix(part);
    there -= part;
    return static_cast<ssize_t>(part);
  };
  std::string result;
  std::string buffer(asked, '\0');
  while (true) {
    const auto got = filter.read(source, buffer.data(), buffer.size());
    promise(got <= static_cast<ssize_t>(asked), "no more than is asked for");
    if (got > 0) {
      result.append(buffer, 0, static_cast<std::size_t>(got));
    } else if (bytes.empty()) {
      return result;
    } else {
      there = arriving;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  jobs_bridge::fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  const bool mqtt_5 = (flags & 1U) != 0;
  const auto piece = std::size_t{1} + (flags >> 1U);
  const std::string bytes(input.rest());
  constexpr std::size_t all = 4096;
  const auto once = filtered(bytes, mqtt_5, all, all);
  promise(filtered(bytes, mqtt_5, piece, all) == once, "how bytes arrive changes nothing");
  promise(filtered(bytes, mqtt_5, all, piece) == once, "nor does how they are asked for");
  // A length may be written in more bytes than it needs.
  promise(once.size() <= bytes.size(), "nothing is added");
  promise(filtered(once, mqtt_5, all, all) == once, "what has passed passes as it is");
  return 0;
}

#pragma once

#include <mosquitto.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/mqtt/packet_filter.h"
#include "adapters/mqtt/property_check.h"

namespace jobs_bridge::mqtt {

/// What a connection's socket had for us beyond what libmosquitto asked for: it reads a packet in
/// three or four calls, its first bytes one by one, and then once more to see that there is
/// nothing. With this all that has arrived is one call of the system.
///
/// Not thread-safe.
class ReadAhead {
 public:
  /// `connection` must outlive it.
  /// `check`: null, or what looks at the bytes before libmosquitto does; must outlive it.
  ReadAhead(mosquitto& connection, PropertyCheck* check, PacketFilter::Limits limits = {})
      : connection_(connection), check_(check), filter_(limits) {}

  /// As read(2) of `socket`. Once the system has had no more than was asked of it, nothing is asked
  /// of it again during the same Use: what comes meanwhile makes the socket readable.
  ssize_t read(int socket, void* buffer, std::size_t size);

  /// The same, as libmosquitto may see it.
  ssize_t read_packets(int socket, void* buffer, std::size_t size);

  [[nodiscard]] const PacketFilter& filter() const { return filter_; }

  /// How many bytes are kept. They make no socket readable.
  [[nodiscard]] std::size_t kept() const { return end_ - begin_; }
  /// How many bytes have been given away, in all: whether a reader gets on.
  [[nodiscard]] std::uint64_t given() const { return given_; }

  /// While it lives, this thread reads the connection's socket by read(). The latest counts: while
  /// one connection is read, what comes of it may be sent over another.
  class Use {
   public:
    explicit Use(ReadAhead& ahead);
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

   private:
    ReadAhead* const outer_;
  };
  /// The one in use that is responsible for `descriptor`; null: none is.
  static ReadAhead* in_use_for(int descriptor);
  /// Whether libmosquitto may see these bytes that TLS has had for it.
  static bool passes(std::string_view bytes);
  /// What TLS has for libmosquitto has to go through it; null: no connection is being read.
  static PacketFilter* filter_in_use();

 private:
  mosquitto& connection_;
  PropertyCheck* const check_;
  PacketFilter filter_;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;  ///< in buffer_: what has not been given away
  std::size_t end_ = 0;
  std::uint64_t given_ = 0;
  bool drained_ = false;  ///< the system has had no more
};

}  // namespace jobs_bridge::mqtt

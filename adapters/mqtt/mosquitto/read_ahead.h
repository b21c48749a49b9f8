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

/// Buffers what a connection's socket delivered beyond what libmosquitto asked for: libmosquitto
/// reads a packet in three or four calls, its first bytes one by one, and then once more to find
/// that there is nothing. With this buffer everything that has arrived takes one system call.
///
/// Not thread-safe.
class ReadAhead {
 public:
  /// `connection` must outlive it. `check`: null, or a check of the bytes before libmosquitto gets
  /// them; must outlive it.
  ReadAhead(mosquitto& connection, PropertyCheck* check, PacketFilter::Limits limits = {})
      : connection_(connection), check_(check), filter_(limits) {}

  /// Like read(2) of `socket`. Once the system has returned less than requested, it is not asked
  /// again during the same Use: later data makes the socket readable.
  ssize_t read(int socket, void* buffer, std::size_t size);

  /// The same, filtered for libmosquitto.
  ssize_t read_packets(int socket, void* buffer, std::size_t size);

  [[nodiscard]] const PacketFilter& filter() const { return filter_; }

  /// The number of buffered bytes. They do not make the socket readable.
  [[nodiscard]] std::size_t kept() const { return end_ - begin_; }
  /// The total number of bytes delivered, which shows whether the reader makes progress.
  [[nodiscard]] std::uint64_t given() const { return given_; }

  /// While it lives, this thread reads the connection's socket by read(). The innermost one
  /// applies: while one connection is read, the result may be sent over another.
  class Use {
   public:
    explicit Use(ReadAhead& ahead);
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

   private:
    ReadAhead* const outer_;
  };
  /// The one in use for `descriptor`; null if there is none.
  static ReadAhead* in_use_for(int descriptor);
  /// Whether libmosquitto may get these bytes, read through TLS.
  static bool passes(std::string_view bytes);
  /// The filter for data that libmosquitto reads through TLS; null if no connection is being read.
  static PacketFilter* filter_in_use();

 private:
  mosquitto& connection_;
  PropertyCheck* const check_;
  PacketFilter filter_;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;  ///< in buffer_: the bytes not delivered yet
  std::size_t end_ = 0;
  std::uint64_t given_ = 0;
  bool drained_ = false;  ///< the system has no more data
};

}  // namespace jobs_bridge::mqtt

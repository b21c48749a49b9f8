#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "adapters/mqtt/packet_filter.h"

/// A bound on what a broker can make us keep of one packet, and why a connection really ended.
///
/// Neither MQTT library has such a bound: each asks the system for all of a packet at once, as long
/// as the packet says that it is, and keeps it three to four times over: a gibibyte for the longest
/// that MQTT allows. Nor does Paho say what ended a connection. A broker that speaks MQTT 5 keeps
/// to the Maximum Packet Size that we ask for; over MQTT 3.1.1 there is none to ask for, and any
/// device can publish such a packet if the broker passes it on.
///
/// So this program puts itself between the library and its source of bytes: recv() for Paho, read()
/// for libmosquitto, and SSL_read() for both are defined here, which in a dynamically linked
/// program count for its libraries as well. What a library reads of a broker goes through a
/// PacketFilter, which bounds a PUBLISH. A read that asks for more than the bound, for a packet of
/// another type, fails; every other one is passed on as it is.
namespace jobs_bridge::mqtt {

/// From now on a read of up to so many bytes passes; at least a mebibyte, and what any earlier call
/// has said. Any thread.
void bound_reads(std::size_t largest);

/// What the last read by this thread came to.
struct LastRead {
  enum class Outcome {
    none,      ///< there has been none
    data,      ///< or the news that there is none for now
    end,       ///< the other side has closed the connection, or it broke
    too_large  ///< it was refused
  };
  Outcome outcome = Outcome::none;
  std::size_t asked = 0;                         ///< if too_large: for so many bytes
  std::chrono::steady_clock::time_point came{};  ///< when there was data last
};
LastRead last_read();

// For those who stand before the system.

/// Whether so much may be read at once.
bool is_within_bound(std::size_t size);
/// The same, said by a read by this thread; if not, it has to fail with EMSGSIZE.
bool may_read(std::size_t size);
/// A read by this thread has come to this, with errno as it is, which stays.
void note_read(std::ptrdiff_t result);
/// What an MQTT library's folder has to say of the reads over TLS of the calling thread.
struct TlsReads {
  /// What stands between that connection and the library; null: nothing.
  PacketFilter* (*filter_of)(SSL* tls);
  /// Whether the library may see what has been read for it; null: it may see all.
  bool (*may_pass)(std::string_view bytes);
};
/// From now on these are asked as well; they must live for ever. Any thread, also again.
void inspect_tls_reads(const TlsReads& reads);

}  // namespace jobs_bridge::mqtt

#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "adapters/mqtt/packet_filter.h"

/// Bounds the memory that a broker can make us use for one packet, and finds out why a connection
/// really ended.
///
/// Neither MQTT library has such a bound: each reads a whole packet at once, of whatever length it
/// announces, and keeps three to four copies: a gibibyte for the longest packet that MQTT allows.
/// Nor does Paho report what ended a connection. A broker that speaks MQTT 5 respects the Maximum
/// Packet Size that we request; MQTT 3.1.1 has none, and any device can publish such a packet if
/// the broker passes it on.
///
/// So this program puts itself between the library and its source of bytes: recv() for Paho, read()
/// for libmosquitto, and SSL_read() for both are defined here, which in a dynamically linked
/// program count for its libraries as well. What a library reads from a broker goes through a
/// PacketFilter, which bounds a PUBLISH. A read of more than the bound, for a packet of another
/// type, fails; every other read is passed on unchanged.
namespace jobs_bridge::mqtt {

/// From now on a read of up to so many bytes passes; the bound is at least a mebibyte and never
/// less than in an earlier call. Any thread may call it.
void bound_reads(std::size_t largest);

/// The result of the last read by this thread.
struct LastRead {
  enum class Outcome {
    none,      ///< there has been none
    data,      ///< or no data for now (EAGAIN)
    end,       ///< the other side has closed the connection, or it broke
    too_large  ///< the read was refused
  };
  Outcome outcome = Outcome::none;
  std::size_t asked = 0;                         ///< if too_large: the number of bytes
  std::chrono::steady_clock::time_point came{};  ///< when data last arrived
};
LastRead last_read();

/// Whether a read has ever come through here. If none has although there was a connection, this
/// program has been linked in a way in which its libraries do not call its functions: then there is
/// no bound, and no cause of an end. Any thread may call it.
bool sees_reads();

// For the functions that replace the system's.

/// Whether so much may be read at once.
bool is_within_bound(std::size_t size);
/// The same, to be called by a read of this thread; if false, it has to fail with EMSGSIZE.
bool may_read(std::size_t size);
/// Notes the result of a read by this thread; reads errno and leaves it unchanged.
void note_read(std::ptrdiff_t result);
/// How the code of an MQTT library handles TLS reads of the calling thread.
struct TlsReads {
  /// The filter between that connection and the library; null if there is none.
  PacketFilter* (*filter_of)(SSL* tls);
  /// Whether the library may get what has been read for it; null: it may get everything.
  bool (*may_pass)(std::string_view bytes);
};
/// Adds these functions; the object must never be destroyed. Any thread may call it, also
/// repeatedly.
void inspect_tls_reads(const TlsReads& reads);

}  // namespace jobs_bridge::mqtt

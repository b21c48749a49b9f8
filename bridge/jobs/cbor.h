#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bridge/result.h"

/// CBOR (RFC 8949) in place of JSON, for devices that need compact payloads. The two are converted
/// directly, without a tree, in a few passes and without recursion, whatever depth or length the
/// input declares. Order and repeated keys of maps stay. Any thread may call anything here; nothing
/// is thrown but std::bad_alloc.
namespace jobs_bridge {

/// How deep arrays and maps may be nested, either way. Decoders on microcontrollers have such a
/// limit too, mostly a lower one.
inline constexpr std::size_t max_cbor_nesting = 64;

/// One CBOR item as JSON text, which is at most eight times as long, or the reason why it is not
/// one, as a message for the device. No data at all is not an item.
///
/// Exact: text, all integers (-2^64 to 2^64 - 1) and the value of every finite float of any size;
/// one without a fraction keeps its type (`1.0`). Lengths may be definite or not. As RFC 8949,
/// section 6.1, advises, a tag is dropped and its content kept, so that self-described CBOR (55799)
/// is understood; what encoders write for a member that is not set, `undefined`, becomes null.
///
/// Refused: what JSON does not have (byte strings, and so big integers; NaN and infinity; keys that
/// are not text; other simple values), more nesting than the limit, and what is not CBOR: truncated
/// input, trailing bytes, text that is not UTF-8, reserved values, a misplaced break code, a
/// length beyond the end of the data.
Result<std::string, std::string> json_from_cbor(std::string_view cbor);

/// JSON text as one CBOR item in the preferred serialization (RFC 8949, section 4.1; half floats
/// are not used), or the reason why it cannot be converted, as a message for the operator that
/// quotes nothing of the text.
///
/// Exact: text, `true`, `false`, `null`, integers from -2^64 + 1 to 2^64 - 1. Any other number
/// becomes the nearest double, or a single where that has the same value: integers beyond 64 bits
/// lose their last digits, and `1.10` and `1.1` come to the same.
///
/// Refused: what is not JSON, half of a surrogate pair as an escape (which UTF-8 cannot represent),
/// a number beyond the range of a double, more nesting than the limit.
Result<std::string, std::string> cbor_from_json(std::string_view json);

}  // namespace jobs_bridge

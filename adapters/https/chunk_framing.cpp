#include "adapters/https/chunk_framing.h"

#include <algorithm>
#include <limits>

#include "bridge/text/hex.h"

namespace jobs_bridge::https {
namespace {

constexpr const char* not_a_size = "malformed chunked body: a chunk size is not a number";

}  // namespace

bool ChunkFraming::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (next_ == Next::data) {
      const auto of_chunk = std::min<std::uint64_t>(left_, bytes.size());
      bytes.remove_prefix(static_cast<std::size_t>(of_chunk));
      left_ -= of_chunk;
      if (left_ == 0) next_ = Next::carriage_return;
    } else {
      if (!take(bytes.front())) return false;
      bytes.remove_prefix(1);
    }
  }
  return true;
}

bool ChunkFraming::take(char byte) {
  switch (next_) {
    case Next::first_digit:
      left_ = 0;
      next_ = Next::size;
      return hex_digit_value(byte) >= 0 ? take_digit(byte) : fail(not_a_size);
    case Next::size:
      if (hex_digit_value(byte) >= 0) return take_digit(byte);
      if (byte != ';' && byte != '\r') return fail(not_a_size);
      next_ = byte == ';' ? Next::extension : Next::end_of_line;
      return true;
    case Next::extension:
      if (byte == '\r') next_ = Next::end_of_line;
      return byte != '\n' || fail(not_a_size);
    case Next::end_of_line:
      next_ = left_ == 0 ? Next::trailers : Next::data;
      return byte == '\n' || fail(not_a_size);
    case Next::carriage_return:
      next_ = Next::line_feed;
      return byte == '\r' || fail("malformed chunked body: a chunk is longer than its size");
    case Next::line_feed:
      next_ = Next::first_digit;
      return byte == '\n' || fail("malformed chunked body: a chunk is longer than its size");
    case Next::data:
    case Next::trailers:
      break;
  }
  return true;
}

bool ChunkFraming::take_digit(char byte) {
  if (left_ > std::numeric_limits<std::uint64_t>::max() >> 4) {
    return fail("malformed chunked body: a chunk size has too many digits");
  }
  left_ = left_ << 4 | static_cast<std::uint64_t>(hex_digit_value(byte));
  return true;
}

bool ChunkFraming::fail(const char* fault) {
  fault_ = fault;
  return false;
}

}  // namespace jobs_bridge::https

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jobs_bridge::https {

/// Follows a chunked body (RFC 9112, section 7.1) while cpp-httplib reads it. The library takes a
/// size with strtoul(), for which "0x5", "+5" and " 5" are numbers too: it could then see the end
/// of the body elsewhere than the server, or a proxy on the way, does. And the version in Debian 12
/// does not support trailers.
class ChunkFraming {
 public:
  /// The next bytes of the body, up to the line of the last chunk. False: they are malformed; see
  /// fault().
  bool take(std::string_view bytes);

  /// The last chunk's line has been taken: what follows are trailers, up to a blank line.
  [[nodiscard]] bool at_trailers() const { return next_ == Next::trailers; }

  /// Describes what is malformed.
  [[nodiscard]] const char* fault() const { return fault_; }

 private:
  enum class Next {
    first_digit,
    size,
    extension,
    end_of_line,  ///< the line feed of a chunk's first line
    data,
    carriage_return,  ///< after the data
    line_feed,
    trailers,
  };
  bool take(char byte);
  bool take_digit(char byte);
  bool fail(const char* fault);

  Next next_ = Next::first_digit;
  std::uint64_t left_ = 0;  ///< of the present chunk
  const char* fault_ = "";
};

}  // namespace jobs_bridge::https

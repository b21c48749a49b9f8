#include "adapters/store/write_ahead_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>

#include "adapters/files/file_descriptor.h"
#include "adapters/files/system_text.h"

/// The format is documented: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
namespace jobs_bridge::store {
namespace {

constexpr std::size_t header_size = 32;
constexpr std::size_t frame_header_size = 24;
/// The page sizes of the journal, the second of an earlier version. Other logs are not examined.
constexpr std::array<std::uint32_t, 2> our_page_sizes = {512, 1024};
/// The last bit says in which byte order the checksums read.
constexpr std::uint32_t magic = 0x377f0682;
constexpr std::uint32_t version = 3007000;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool operator==(const Checksum&) const = default;
};

Checksum checksum_at(std::string_view bytes, std::size_t at) {
  return {number_at(bytes, at), number_at(bytes, at + 4)};
}

void put_checksum(std::string& bytes, std::size_t at, Checksum sum) {
  put_number(bytes, at, sum.first);
  put_number(bytes, at + 4, sum.second);
}

Checksum add(Checksum sum, std::string_view bytes, bool big_endian) {
  const auto word = [&](std::size_t at) {
    const auto value = number_at(bytes, at);
    return big_endian ? value : __builtin_bswap32(value);
  };
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum.first += word(at) + sum.second;
    sum.second += word(at + 4) + sum.first;
  }
  return sum;
}

class LogFile {
 public:
  explicit LogFile(std::string bytes) : bytes_(std::move(bytes)) {}

  /// False if it is too short or damaged to be a header.
  bool read_header() {
    if (bytes_.size() < header_size) return false;
    header_is_whole_ =
        (number_at(bytes_, 0) & ~1U) == magic && number_at(bytes_, 4) == version &&
        add({}, std::string_view(bytes_).substr(0, 24), is_big_endian()) == checksum_at(bytes_, 24);
    if (header_is_whole_)
      return std::ranges::find(our_page_sizes, page_size()) != our_page_sizes.end();
    const std::string damaged = bytes_;
    for (const auto size : our_page_sizes) {
      bytes_ = damaged;
      if (guess_header(size)) return true;
    }
    return false;
  }

  std::optional<LogDamage> damage() {
    const std::size_t count = (bytes_.size() - header_size) / frame_size();
    LogDamage damage;
    if (!header_is_whole_) damage.bits_corrected = 1;
    std::size_t end = 0;  // of what can be used
    Checksum before = checksum_at(bytes_, 24);
    while (end < count && is_of_this_log(end)) {
      if (is_whole(end, before)) {
        before = checksum_at(bytes_, at(end) + 16);
      } else if (const auto corrected = correct(end, before)) {
        before = *corrected;
        ++damage.bits_corrected;
      } else {
        break;
      }
      ++end;
    }
    for (std::size_t frame = end; frame < count; ++frame) {
      if (is_of_this_log(frame) && is_commit(frame)) ++damage.writes_lost;
    }
    if (damage.bits_corrected > 0) damage.repaired = repaired(end);
    if (damage.bits_corrected + damage.writes_lost == 0) return std::nullopt;
    return damage;
  }

 private:
  [[nodiscard]] bool is_big_endian() const { return (number_at(bytes_, 0) & 1U) != 0; }
  [[nodiscard]] std::size_t page_size() const { return number_at(bytes_, 8); }
  [[nodiscard]] std::size_t frame_size() const { return frame_header_size + page_size(); }
  [[nodiscard]] std::size_t at(std::size_t frame) const {
    return header_size + frame * frame_size();
  }
  [[nodiscard]] bool is_commit(std::size_t frame) const {
    return number_at(bytes_, at(frame) + 4) != 0;
  }
  /// But for a bit or two.
  [[nodiscard]] bool is_of_this_log(std::size_t frame) const {
    const auto differing = [&](std::size_t field) {
      return std::popcount(number_at(bytes_, at(frame) + 8 + field) ^
                           number_at(bytes_, 16 + field));
    };
    return differing(0) + differing(4) <= 2;
  }
  [[nodiscard]] Checksum sum_of(std::size_t frame, Checksum before) const {
    const std::string_view all(bytes_);
    before = add(before, all.substr(at(frame), 8), is_big_endian());
    return add(before, all.substr(at(frame) + frame_header_size, page_size()), is_big_endian());
  }
  [[nodiscard]] bool has_salts(std::size_t frame) const {
    const std::string_view all(bytes_);
    return all.substr(at(frame) + 8, 8) == all.substr(16, 8);
  }
  /// Puts one bit right, unless it is in what is written anew or does not matter. Returns the
  /// frame's checksum as it was written; nothing if it was not one bit.
  std::optional<Checksum> correct(std::size_t frame, Checksum before) {
    const auto stored = checksum_at(bytes_, at(frame) + 16);
    const auto sum = sum_of(frame, before);
    if (sum == stored) return sum;
    const bool may_be_checksum =
        std::popcount(sum.first ^ stored.first) + std::popcount(sum.second ^ stored.second) == 1;
    // The checksum is a sum: for the higher bits of a word it does not say which word it was.
    std::size_t fitting = 0;
    std::size_t last_fitting = 0;
    bool may_be_header = false;
    for (std::size_t bit = 0; bit < (8 + page_size()) * 8; ++bit) {
      flip(frame, bit);
      if (sum_of(frame, before) == stored) {
        ++fitting;
        last_fitting = bit;
        may_be_header = may_be_header || bit < 64;
      }
      flip(frame, bit);
    }
    if (may_be_checksum && fitting == 0) return sum;
    if (fitting == 1 && !may_be_checksum) {
      flip(frame, last_fitting);
      return stored;
    }
    if (fitting == 0 || may_be_header || !is_written_again(frame)) return std::nullopt;
    return may_be_checksum && !is_whole(frame + 1, stored) ? sum : stored;
  }
  /// A bit that the checksum covers.
  void flip(std::size_t frame, std::size_t bit) {
    const auto byte = bit / 8 < 8 ? bit / 8 : frame_header_size + bit / 8 - 8;
    bytes_[at(frame) + byte] ^= static_cast<char>(1U << (bit % 8));
  }
  /// Whether the same page comes again, whole.
  [[nodiscard]] bool is_written_again(std::size_t frame) const {
    const auto page = number_at(bytes_, at(frame));
    for (auto later = frame + 1; at(later + 1) <= bytes_.size(); ++later) {
      const auto before = checksum_at(bytes_, at(later - 1) + 16);
      if (number_at(bytes_, at(later)) == page && is_whole(later, before)) return true;
    }
    return false;
  }
  [[nodiscard]] bool is_whole(std::size_t frame, Checksum before) const {
    return at(frame + 1) <= bytes_.size() && has_salts(frame) &&
           sum_of(frame, before) == checksum_at(bytes_, at(frame) + 16);
  }
  /// A header that is not as it was written, from what the first frame says, if that fits.
  bool guess_header(std::uint32_t page_size) {
    if (bytes_.size() < header_size + frame_header_size + page_size) return false;
    put_number(bytes_, 0, magic | (std::endian::native == std::endian::big ? 1U : 0U));
    put_number(bytes_, 4, version);
    put_number(bytes_, 8, page_size);
    bytes_.replace(16, 8, bytes_, at(0) + 8, 8);
    const auto fits = [&] {
      return sum_of(0, checksum_at(bytes_, 24)) == checksum_at(bytes_, at(0) + 16);
    };
    if (fits()) return true;
    put_checksum(bytes_, 24, add({}, std::string_view(bytes_).substr(0, 24), is_big_endian()));
    return fits();
  }
  [[nodiscard]] std::string repaired(std::size_t frames) const {
    std::string log = bytes_.substr(0, at(frames));
    auto sum = add({}, std::string_view(log).substr(0, 24), is_big_endian());
    put_checksum(log, 24, sum);
    for (std::size_t frame = 0; frame < frames; ++frame) {
      sum = sum_of(frame, sum);
      log.replace(at(frame) + 8, 8, log, 16, 8);
      put_checksum(log, at(frame) + 16, sum);
    }
    return log;
  }

  std::string bytes_;
  bool header_is_whole_ = true;
};

}  // namespace

std::optional<LogDamage> damage_of_log(const std::string& database_path) {
  std::ifstream file(database_path + "-wal", std::ios::binary);
  if (!file) return std::nullopt;
  LogFile log(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!log.read_header()) return std::nullopt;
  return log.damage();
}

std::optional<std::string> overwrite_log(const std::string& database_path, std::string_view log) {
  const files::FileDescriptor file(::open((database_path + "-wal").c_str(), O_WRONLY | O_CLOEXEC));
  int error = file.valid() ? 0 : errno;
  std::size_t done = 0;
  while (error == 0 && done < log.size()) {
    const auto written =
        ::pwrite(file.get(), log.data() + done, log.size() - done, static_cast<off_t>(done));
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::ftruncate(file.get(), static_cast<off_t>(log.size())) != 0) error = errno;
  if (error == 0 && ::fdatasync(file.get()) != 0) error = errno;
  if (error == 0) return std::nullopt;
  return files::system_text(error);
}

}  // namespace jobs_bridge::store

// A database's log of writes that was changed on the disk. Input: edits of a whole log, four bytes
// each: where (three bytes, the low one first), and which bits are inverted there. An input that
// begins as a log does is the log itself.

#include <bit>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

#include "adapters/store/journal_file.h"
#include "adapters/store/write_ahead_log.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tests/support/temporary_directory.h"

namespace {

using namespace jobs_bridge;
using fuzz::promise;
using store::JournalFile;

std::string whole_log() {
  const testing_support::TemporaryDirectory directory;
  const auto path = directory.file("journal");
  const auto file = JournalFile::open(path, std::size_t{1} << 20U);
  promise(file.has_value(), "a journal can be begun");
  for (std::uint64_t number = 1; number <= 8; ++number) {
    const JournalEntry entry{.number = number, .message = {.topic = "t", .payload = "{}"}};
    promise(!file.value()->write(&entry, {}), "an update can be recorded");
  }
  std::ifstream log(path + "-wal", std::ios::binary);
  return {std::istreambuf_iterator<char>(log), {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string whole = whole_log();
  std::string log = whole;
  int bits = 0;
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  if (given.starts_with(std::string_view(whole).substr(0, 3))) {
    log = given;
  } else {
    fuzz::Input input(data, size);
    for (int edits = 0; edits < 16 && !input.is_empty(); ++edits) {
      std::size_t where = input.byte();
      where |= static_cast<std::size_t>(input.byte()) << 8U;
      where |= static_cast<std::size_t>(input.byte()) << 16U;
      const auto with = input.byte();
      log[where % log.size()] ^= static_cast<char>(with);
      bits += std::popcount(with);
    }
  }
  const testing_support::TemporaryDirectory directory;
  const auto path = directory.file("journal");
  std::ofstream(path + "-wal", std::ios::binary) << log;
  const auto damage = store::damage_of_log(path);
  promise(log != whole || !damage, "a whole log is none");
  promise(bits != 1 || damage, "one wrong bit is said");
  if (!damage || damage->repaired.empty()) return 0;
  promise(damage->repaired.size() <= log.size(), "a repaired log fits where the damaged one was");
  promise(!store::overwrite_log(path, damage->repaired), "a log can be written over");
  const auto again = store::damage_of_log(path);
  promise(!again || again->bits_corrected == 0, "what was repaired is whole");
  return 0;
}

// A journal whose file was changed behind the bridge's back. Input: edits of a whole file with 40
// updates, five bytes each: what is done (low bits: put a byte, invert a bit, zero 16 bytes, cut
// off, insert), where (three bytes), and with what. After a first byte 'v' they are edits of a file
// of the previous version. An input that begins with SQLite's own first bytes is the file itself.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/database.h"
#include "adapters/store/journal_file.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tests/support/recording_log.h"
#include "tests/support/temporary_directory.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::store;
using fuzz::promise;

constexpr std::size_t max_size = std::size_t{1} << 20U;
constexpr std::uint64_t count = 40;

JournalEntry entry_of(std::uint64_t number) {
  const auto text = std::to_string(number);
  return {.number = number,
          .received = 1'700'000'000 + static_cast<std::int64_t>(number),
          .message = {.topic = "$aws/things/pump-" + text + "/jobs/job/update",
                      .payload = R"({"status":"FAILED"})" + std::string(number * 13 % 400, ' '),
                      .response_topic = number % 2 == 0 ? "" : "replies/" + text,
                      .correlation_data = text,
                      .content_type = "application/json"}};
}

bool same(const JournalEntry& left, const JournalEntry& right) {
  return left.number == right.number && left.received == right.received &&
         left.message.topic == right.message.topic &&
         left.message.payload == right.message.payload &&
         left.message.response_topic == right.message.response_topic &&
         left.message.correlation_data == right.message.correlation_data &&
         left.message.content_type == right.message.content_type &&
         left.message.expires_after == right.message.expires_after;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_whole_file(const std::string& path) {
  auto file = JournalFile::open(path, max_size);
  promise(file.has_value(), "a journal can be begun");
  const auto write = [&](const JournalEntry* entry, std::vector<std::uint64_t> removed) {
    promise(!file.value()->write(entry, removed), "an update can be recorded");
  };
  // In places that others have left, and between them.
  for (std::uint64_t number = 1; number <= 4; ++number) {
    const auto former = entry_of(1000 + number);
    write(&former, {});
  }
  for (std::uint64_t number = 1; number <= count; ++number) {
    const auto entry = entry_of(number);
    write(&entry,
          number == 20 ? std::vector<std::uint64_t>{1001, 1003} : std::vector<std::uint64_t>());
  }
  write(nullptr, {1002, 1004});
  promise(file.value()->checkpoint().has_value(), "a journal can be brought into its file");
}

std::string whole_file() {
  const testing_support::TemporaryDirectory directory;
  const auto path = directory.file("journal");
  write_whole_file(path);
  return content_of(path);
}

/// The same updates, as version 1 had them: see journal.md.
std::string whole_file_of_previous_version() {
  const testing_support::TemporaryDirectory directory;
  const auto path = directory.file("journal");
  write_whole_file(path);
  {
    auto database = Database::open(path);
    promise(database.has_value(), "a journal is a database");
    const auto fault = database.value().run(
        "PRAGMA journal_mode=DELETE; ALTER TABLE updates RENAME TO newer; "
        "CREATE TABLE updates(number INTEGER PRIMARY KEY, received INTEGER NOT NULL, "
        "expires_after INTEGER, topic BLOB NOT NULL, payload BLOB NOT NULL, "
        "response_topic BLOB NOT NULL, correlation_data BLOB NOT NULL, "
        "content_type BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT; "
        "INSERT INTO updates SELECT number, received, expires_after, topic, payload, "
        "response_topic, correlation_data, content_type, checksum FROM newer; DROP TABLE newer; "
        "PRAGMA user_version=1; PRAGMA page_size=1024; VACUUM; PRAGMA journal_mode=WAL");
    promise(!fault, "a journal can be written as the previous version's");
  }
  return content_of(path);
}

/// Without what SQLite itself writes into a file's header when it is to have a log of writes and
/// the header denies it: the format's two bytes, the change counter twice and the library's
/// version.
std::string without_header_upkeep(std::string file) {
  constexpr std::pair<std::size_t, std::size_t> upkeep[] = {{18, 2}, {24, 4}, {92, 8}};
  for (const auto& [at, length] : upkeep) {
    if (at + length <= file.size()) file.replace(at, length, length, '\0');
  }
  return file;
}

std::string edited(std::string file, fuzz::Input& input) {
  for (int edits = 0; edits < 32 && !input.is_empty(); ++edits) {
    const auto what = input.byte();
    std::size_t where = input.byte();
    where |= static_cast<std::size_t>(input.byte()) << 8U;
    where |= static_cast<std::size_t>(input.byte()) << 16U;
    const auto with = input.byte();
    if (file.empty()) break;
    where %= file.size();
    switch (what % 5U) {
      case 0:
        file[where] = static_cast<char>(with);
        break;
      case 1:
        file[where] =
            static_cast<char>(static_cast<unsigned char>(file[where]) ^ (1U << with % 8U));
        break;
      case 2:
        file.replace(where, 16, 16, '\0');
        break;
      case 3:
        file.resize(where);
        break;
      default:
        file.insert(where, 1, static_cast<char>(with));
    }
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string whole = whole_file();
  static const std::string previous = whole_file_of_previous_version();
  const bool is_previous = size > 0 && data[0] == 'v';
  if (is_previous) ++data, --size;
  fuzz::Input input(data, size);
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  const bool is_file = given.starts_with("SQLite format 3");
  const auto content = is_file ? std::string(given) : edited(is_previous ? previous : whole, input);

  const testing_support::TemporaryDirectory directory;
  const auto path = directory.file("journal");
  std::ofstream(path, std::ios::binary) << content;
  testing_support::RecordingLog log;
  std::vector<JournalEntry> entries;
  {
    auto opened = JournalFile::open_or_recover(path, max_size, log);
    if (!opened) {
      promise(!opened.error().message.empty(), "a file that is refused has a reason");
      promise(content_of(path) == content, "a file that is refused stays as it is");
      return 0;
    }
    promise(opened->file != nullptr, "a disk with space is no full one");
    std::uint64_t last = 0;
    for (const auto& entry : opened->content.rows) {
      promise(entry.number > last, "entries come by their number, none twice");
      promise(is_file || same(entry, entry_of(entry.number)), "no entry is invented or changed");
      last = entry.number;
    }
    const bool told = log.count("damaged journal was set aside") > 0;
    // SQLite takes a file of one byte for an empty one, and an empty one is a journal to begin.
    promise(is_file || content.size() <= 1 || told || opened->content.rows.size() == count,
            "what is lost is told");
    promise(is_file || !told ||
                without_header_upkeep(content_of(path + ".damaged-1")) ==
                    without_header_upkeep(content),
            "a damaged file is kept as it was");
    const auto next = entry_of(last + 1);
    promise(!opened->file->write(&next, {}), "a journal goes on after damage");
    entries = std::move(opened->content.rows);
    entries.push_back(entry_of(last + 1));
  }
  auto again = JournalFile::open_or_recover(path, max_size, log);
  promise(again.has_value(), "what was written can be opened");
  promise(again->content.rows.size() == entries.size(), "what was taken over is kept");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    promise(same(entries[i], again->content.rows[i]), "what was taken over is kept as it was");
  }
  return 0;
}

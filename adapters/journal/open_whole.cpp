#include <string>
#include <utility>

#include "adapters/journal/journal_file.h"
#include "adapters/sqlite/set_aside.h"

namespace jobs_bridge::journal {
namespace {

std::optional<FileFault> copy(const std::vector<JournalEntry>& entries, JournalFile& file) {
  for (const auto& entry : entries) {
    if (auto fault = file.write(&entry, {})) return fault;
  }
  if (auto cause = file.sync()) return FileFault{FileFault::Kind::unusable, *cause};
  return std::nullopt;
}

}  // namespace

Result<OpenedJournal, FileFault> open_whole(const std::string& path, std::size_t max_size,
                                            Log& log) {
  JournalContent content;
  {
    auto file = JournalFile::open(path, max_size);
    if (file) {
      content = file.value()->read();
      if (!content.damage) {
        return OpenedJournal{.file = std::move(file).value(),
                             .entries = std::move(content.entries)};
      }
      file.value()->leave_as_it_is();
    } else if (file.error().kind == FileFault::Kind::full) {
      auto unwritable = JournalFile::read_unwritable(path);
      if (unwritable && !unwritable.value().damage) {
        return OpenedJournal{.file = nullptr, .entries = std::move(unwritable.value().entries)};
      }
      if (!unwritable && unwritable.error().kind != FileFault::Kind::damaged) {
        return Failure{unwritable.error()};
      }
      if (unwritable) content = std::move(unwritable).value();
      if (!unwritable) content.damage = unwritable.error().message;
    } else if (file.error().kind == FileFault::Kind::damaged) {
      content.damage = file.error().message;
    } else {
      return Failure{file.error()};
    }
  }
  const auto name = sqlite::set_aside(path);
  if (!name) {
    return Failure{FileFault{FileFault::Kind::unusable,
                             "is damaged (" + *content.damage + ") and " + name.error()}};
  }
  log.write(Severity::error, "a damaged journal was set aside: updates in it may be lost",
            {{"path", path},
             {"set_aside", *name},
             {"damage", *content.damage},
             {"updates_damaged", std::to_string(content.damaged_rows)},
             {"updates_saved", std::to_string(content.entries.size())}});
  auto file = JournalFile::open(path, max_size);
  if (!file && file.error().kind != FileFault::Kind::full) return Failure{file.error()};
  if (!file || copy(content.entries, *file.value())) {
    return OpenedJournal{.file = nullptr, .entries = std::move(content.entries), .saved = false};
  }
  return OpenedJournal{.file = std::move(file).value(), .entries = std::move(content.entries)};
}

}  // namespace jobs_bridge::journal

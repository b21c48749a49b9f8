#include <string>
#include <utility>
#include <vector>

#include "adapters/store/journal_file.h"
#include "adapters/store/quarantine.h"

namespace jobs_bridge::store {
namespace {

std::optional<FileFault> copy(const std::vector<JournalEntry>& entries, JournalFile& file) {
  for (const auto& entry : entries) {
    if (auto fault = file.write(&entry, {})) return fault;
  }
  if (auto cause = file.sync()) return FileFault{FileFault::Kind::unusable, *cause};
  return std::nullopt;
}

void report(const std::string& path, const LogDamage& damage, Log& log) {
  // A write holds one update at most.
  log.write(Severity::error,
            damage.writes_lost == 0
                ? "the journal's log of writes was damaged and has been mended: no update is lost"
                : "the journal's log of writes is damaged or incomplete: updates may be lost",
            {{"path", path},
             {"bits_corrected", std::to_string(damage.bits_corrected)},
             {"updates_lost_at_most", std::to_string(damage.writes_lost)}});
}

}  // namespace

Result<OpenedJournal, FileFault> open_whole(const std::string& path, std::size_t max_size,
                                            Log& log) {
  auto mended = JournalFile::mend_log(path);
  if (!mended) return Failure{mended.error()};
  if (mended.value()) report(path, *mended.value(), log);
  JournalContent content;
  {
    auto file = JournalFile::open(path, max_size);
    if (!file && file.error().kind == FileFault::Kind::full && !JournalFile::empty_log(path)) {
      file = JournalFile::open(path, max_size);
    }
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
  const auto name = quarantine(path);
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

}  // namespace jobs_bridge::store

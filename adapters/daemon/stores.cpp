#include "adapters/daemon/stores.h"

#include <chrono>
#include <cstddef>

#include "adapters/daemon/clocks.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// How long a disk that does not answer may delay the end.
constexpr Duration patience_for_store = 500ms;

}  // namespace

Result<MaybeStore, std::string> open_watch_store(const config::Configuration::Notify& notify,
                                                 Log& log) {
  if (!notify.enabled) return MaybeStore();
  if (notify.path.empty()) {
    log.write(
        Severity::info,
        "what devices were notified of is held in memory only: a job that is queued while the "
        "bridge is away is not announced",
        {{"cure", "set notify.path"}});
    return MaybeStore();
  }
  return watch::SqliteWatchStore::open(notify.path, log, {.closing = patience_for_store});
}

void watch_things(Engine& engine, const config::Configuration::Notify& notify,
                  watch::SqliteWatchStore* store) {
  if (!notify.enabled) return;
  const auto now = read_clocks();
  for (const auto& thing : notify.things) engine.always_watch(now, *ThingName::parse(thing));
  if (store == nullptr) return;
  for (const auto& thing : store->take_loaded()) engine.remember(now, thing);
}

Result<MaybeJournal, std::string> open_journal(const config::Configuration::Journal& journal,
                                               Log& log) {
  if (journal.path.empty()) {
    log.write(Severity::info,
              "updates are held in memory only: those that wait for the endpoint are lost if the "
              "bridge ends",
              {{"cure", "set journal.path"}});
    return MaybeJournal();
  }
  return journal::SqliteJournal::open(
      journal.path, log, {.max_size = journal.max_size, .closing = patience_for_store});
}

void take_over(Engine& engine, journal::SqliteJournal& journal, Log& log) {
  const auto now = read_clocks();
  std::size_t taken = 0;
  std::size_t strange = 0;
  for (const auto& entry : journal.take_loaded()) {
    if (engine.restore(now, entry)) {
      ++taken;
      continue;
    }
    ++strange;
    log.write(Severity::error,
              "an update in the journal is not for this configuration: it stays there",
              {{"topic", entry.message.topic}});
  }
  if (taken + strange == 0) return;
  log.write(Severity::info, "updates were taken over from the journal",
            {{"updates", std::to_string(taken)}, {"left", std::to_string(strange)}});
}

}  // namespace jobs_bridge

#include "adapters/daemon/stores.h"

#include <chrono>
#include <cstddef>

#include "adapters/daemon/clocks.h"
#include "adapters/daemon/dispatcher.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// How long a disk that does not answer may delay the end.
constexpr Duration store_timeout = 500ms;

}  // namespace

void report_what_is_not_kept(const config::Configuration& configuration, Log& log) {
  const bool updates = configuration.journal.path.empty();
  const bool watched = configuration.notify.enabled && configuration.notify.path.empty();
  if (updates && watched) {
    log.write(Severity::info,
              "nothing is kept across a restart: updates that wait for the endpoint are lost, and "
              "a device hears of new jobs only after it has asked again",
              {{"hint", "set journal.path and notify.path"}});
  } else if (updates) {
    log.write(Severity::info,
              "updates are held in memory only: those that wait for the endpoint are lost when the "
              "bridge ends",
              {{"hint", "set journal.path"}});
  } else if (watched) {
    log.write(Severity::info,
              "watched things are kept in memory only: after a restart a device hears of new jobs "
              "only after it has asked again",
              {{"hint", "set notify.path"}});
  }
}

Result<MaybeStore, std::string> open_watch_store(const config::Configuration::Notify& notify,
                                                 Log& log) {
  if (!notify.enabled || notify.path.empty()) return MaybeStore();
  return store::SqliteWatchStore::open(notify.path, log, {.closing = store_timeout});
}

void watch_things(Engine& engine, const config::Configuration::Notify& notify,
                  store::SqliteWatchStore* store) {
  if (!notify.enabled) return;
  const auto now = Dispatcher::drivers_time(read_clocks());
  for (const auto& thing : notify.things) engine.always_watch(now, *ThingName::parse(thing));
  if (store == nullptr) return;
  for (const auto& thing : store->take_loaded()) engine.restore_watched(now, thing);
}

Result<MaybeJournal, std::string> open_journal(const config::Configuration::Journal& journal,
                                               Log& log) {
  if (journal.path.empty()) return MaybeJournal();
  return store::SqliteJournal::open(journal.path, log,
                                    {.max_size = journal.max_size, .closing = store_timeout});
}

void take_over(Engine& engine, store::SqliteJournal& journal, Log& log) {
  const auto now = Dispatcher::drivers_time(read_clocks());
  std::size_t taken = 0;
  std::size_t foreign = 0;
  for (const auto& entry : journal.take_loaded()) {
    if (engine.restore(now, entry)) {
      ++taken;
      continue;
    }
    ++foreign;
    log.write(
        Severity::error,
        "an update in the journal belongs to another configuration and stays there",
        {{"topic", entry.message.topic},
         {"hint",
          "start the bridge once more with the former topics.base and broker.partition, until "
          "\"jobs-bridge status\" says 0 held"}});
  }
  if (taken + foreign == 0) return;
  log.write(Severity::info, "updates were taken over from the journal",
            {{"updates", std::to_string(taken)}, {"left", std::to_string(foreign)}});
}

}  // namespace jobs_bridge

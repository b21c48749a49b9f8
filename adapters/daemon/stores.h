#pragma once

#include <memory>
#include <string>

#include "adapters/config/configuration.h"
#include "adapters/store/sqlite_journal.h"
#include "adapters/store/sqlite_watch_store.h"
#include "bridge/flow/engine.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

/// The stores that outlive the process, and how the engine restores their contents. A store is null
/// if the configuration names no file for it, which is not a fault; errors tell why a file cannot
/// be used.
namespace jobs_bridge {

/// Logs what a restart would lose because no file is configured for it.
void report_what_is_not_kept(const config::Configuration& configuration, Log& log);

using MaybeStore = std::unique_ptr<store::SqliteWatchStore>;
Result<MaybeStore, std::string> open_watch_store(const config::Configuration::Notify& notify,
                                                 Log& log);
/// `store` may be null.
void watch_things(Engine& engine, const config::Configuration::Notify& notify,
                  store::SqliteWatchStore* store);

using MaybeJournal = std::unique_ptr<store::SqliteJournal>;
Result<MaybeJournal, std::string> open_journal(const config::Configuration::Journal& journal,
                                               Log& log);
void take_over(Engine& engine, store::SqliteJournal& journal, Log& log);

}  // namespace jobs_bridge

#include "adapters/store/sqlite_watch_store.h"

#include <exception>
#include <thread>
#include <utility>

#include "adapters/store/canonical_path.h"
#include "adapters/store/watch_file.h"
#include "adapters/store/watch_writer.h"

namespace jobs_bridge::store {
Result<std::unique_ptr<SqliteWatchStore>, std::string> SqliteWatchStore::open(
    const std::string& path, Log& log, Pace pace) {
  try {
    const std::string place = canonical_path(path);
    auto opened = open_whole(place, log);
    if (!opened) return Failure{path + " " + opened.error().message};
    auto& [file, things, is_replacement] = opened.value();
    auto writer = std::make_shared<Writer>(place, std::move(file), pace, log);
    if (is_replacement) writer->add_older(things);
    std::unique_ptr<SqliteWatchStore> store(new SqliteWatchStore(writer, std::move(things)));
    return store;
  } catch (const std::exception& error) {  // no memory, no thread
    return Failure{path + " cannot be kept: " + error.what()};
  }
}

SqliteWatchStore::SqliteWatchStore(std::shared_ptr<Writer> writer, std::vector<WatchedThing> loaded)
    : writer_(std::move(writer)), loaded_(std::move(loaded)) {
  thread_ = std::thread([writer = writer_] { writer->run(); });
}

SqliteWatchStore::~SqliteWatchStore() {
  if (writer_->stop()) {
    thread_.join();
  } else {
    writer_->abandon();
    thread_.detach();
  }
}

std::vector<WatchedThing> SqliteWatchStore::take_loaded() {
  return std::exchange(loaded_, {});
}

void SqliteWatchStore::save(std::vector<WatchedThing> changed, std::vector<std::string> forgotten) {
  writer_->add(std::move(changed), std::move(forgotten));
}

}  // namespace jobs_bridge::store

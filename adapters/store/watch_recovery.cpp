#include <utility>

#include "adapters/store/quarantine.h"
#include "adapters/store/watch_file.h"

namespace jobs_bridge::store {

Result<OpenedFile, FileFault> open_whole(const std::string& path, Log& log) {
  OpenedFile opened;
  std::string damage;
  {
    auto file = WatchFile::open(path);
    if (file) {
      auto content = file.value()->read();
      opened.things = std::move(content.things);
      if (!content.damage) {
        opened.file = std::move(file).value();
        return opened;
      }
      damage = *content.damage;
      file.value()->leave_as_it_is();
    } else if (file.error().kind == FileFault::Kind::damaged) {
      damage = file.error().message;
    } else {
      return Failure{file.error()};
    }
  }
  const auto name = quarantine(path);
  if (!name) {
    return Failure{
        FileFault{FileFault::Kind::unusable, "is damaged (" + damage + ") and " + name.error()}};
  }
  log.write(Severity::warning, "A damaged file of watched things was set aside, a new one is begun",
            {{"path", path},
             {"set_aside", *name},
             {"damage", damage},
             {"things_saved", std::to_string(opened.things.size())}});
  auto file = WatchFile::open(path);
  if (!file) return Failure{file.error()};
  opened.file = std::move(file).value();
  opened.is_replacement = true;
  return opened;
}

}  // namespace jobs_bridge::store

#include "adapters/https/current_tls_context.h"

#include <sys/stat.h>

#include <chrono>
#include <utility>

namespace jobs_bridge::https {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 1s;

}  // namespace

CurrentTlsContext::Stamp CurrentTlsContext::stamp_of(const std::string& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

CurrentTlsContext::Stamps CurrentTlsContext::stamps_of(const TlsSettings& settings) {
  return {stamp_of(settings.ca_file.empty() ? system_authorities_file() : settings.ca_file),
          stamp_of(settings.certificate_file), stamp_of(settings.private_key_file)};
}

Result<std::unique_ptr<CurrentTlsContext>, std::string> CurrentTlsContext::load(
    TlsSettings settings, Log& log) {
  // Before the files are read: what is replaced while they are is then seen as a change.
  const auto stamps = stamps_of(settings);
  auto context = TlsContext::load(settings, log);
  if (!context) return Failure{context.error()};
  return std::unique_ptr<CurrentTlsContext>(
      new CurrentTlsContext(std::move(settings), stamps, std::move(context).value(), log));
}

std::shared_ptr<const TlsContext> CurrentTlsContext::get() {
  look_at_files();
  const std::lock_guard lock(mutex_);
  return context_;
}

std::uint64_t CurrentTlsContext::generation() {
  look_at_files();
  return generation_.load();
}

void CurrentTlsContext::look_at_files() {
  const auto now = std::chrono::steady_clock::now();
  auto next = next_look_.load();
  // One of those who find that it is time does it, and the others go on with what there is.
  if (now < next || !next_look_.compare_exchange_strong(next, now + between_looks)) return;
  const auto found = stamps_of(settings_);
  const std::lock_guard lock(mutex_);
  if (found != stamps_) reload(found);
}

void CurrentTlsContext::reload(const Stamps& found) {
  auto context = TlsContext::load(settings_, log_);
  if (context) {
    context_ = std::move(context).value();
    stamps_ = found;
    refused_ = {};
    ++generation_;
    log_.write(Severity::info, "certificate files were replaced: new connections use them",
               {{"host", settings_.host}});
    return;
  }
  // Certificate and key are replaced one after the other, so one look may fall in between.
  const bool second_time = refused_ == found;
  if (second_time && !reported_) {
    log_.write(Severity::warning,
               "certificate files were replaced, but cannot be used: the old ones stay in use",
               {{"host", settings_.host}, {"cause", context.error()}});
  }
  reported_ = second_time;
  refused_ = found;
}

}  // namespace jobs_bridge::https

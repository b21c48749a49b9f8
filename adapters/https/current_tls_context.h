#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "adapters/https/tls_context.h"
#include "bridge/ports.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::https {

/// The TLS context that new connections are made with. It is loaded anew when one of its files was
/// replaced on disk; files that cannot be used (a certificate whose key is still to come) leave the
/// one before in place. Any thread may call it.
class CurrentTlsContext {
 public:
  /// An error names the setting, the file and the cause. `log` must outlive the object.
  static Result<std::unique_ptr<CurrentTlsContext>, std::string> load(TlsSettings settings,
                                                                      Log& log);

  [[nodiscard]] std::shared_ptr<const TlsContext> get();

  /// Grows with every context; a connection made with an older one had better not be used again.
  /// Looks at the files, once a second at the most.
  [[nodiscard]] std::uint64_t generation();

 private:
  /// What tells a file from its successor; all zero: there is no file.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;
  static Stamp stamp_of(const std::string& path);
  static Stamps stamps_of(const TlsSettings& settings);

  CurrentTlsContext(TlsSettings settings, Stamps stamps, std::shared_ptr<const TlsContext> context,
                    Log& log)
      : settings_(std::move(settings)), log_(log), stamps_(stamps), context_(std::move(context)) {}
  void look_at_files();
  void reload(const Stamps& found);

  const TlsSettings settings_;
  Log& log_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<MonotonicTime> next_look_{MonotonicTime::min()};

  std::mutex mutex_;
  Stamps stamps_;          ///< of the files that context_ is made of
  Stamps refused_{};       ///< of the files that could not be used
  bool reported_ = false;  ///< that they could not
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace jobs_bridge::https

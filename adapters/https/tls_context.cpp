#include "adapters/https/tls_context.h"

#include <sys/stat.h>

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "adapters/tls/identity.h"

namespace jobs_bridge::https {
namespace {

constexpr auto kServesFor = std::chrono::hours(1);
/// Index 0 is the application's own place on a context.
constexpr int kPlace = 0;

struct SessionDeleter {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPointer = std::unique_ptr<SSL_SESSION, SessionDeleter>;

}  // namespace

void TlsSessionMemory::attach(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, kPlace, this);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
}

int TlsSessionMemory::on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* const memory =
      static_cast<TlsSessionMemory*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), kPlace));
  try {
    memory->remember(session, SSL_session_reused(ssl) == 0);
  } catch (const std::exception&) {
    // Without memory for it the next handshake is a full one.
  }
  return 0;  // OpenSSL keeps its reference
}

void TlsSessionMemory::remember(const SSL_SESSION* session, bool verified_anew) {
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0) return;
  std::vector<unsigned char> serialised(static_cast<std::size_t>(size));
  unsigned char* end = serialised.data();
  i2d_SSL_SESSION(session, &end);

  const std::lock_guard lock(mutex_);
  if (given_up_) return;
  latest_ = std::move(serialised);
  // A session that was itself resumed keeps the age of the verification that it relies on.
  if (verified_anew) serves_until_ = std::chrono::steady_clock::now() + kServesFor;
}

bool TlsSessionMemory::offer_to(SSL* ssl) {
  SessionPointer session;
  {
    const std::lock_guard lock(mutex_);
    if (latest_.empty() || std::chrono::steady_clock::now() >= serves_until_) return false;
    const unsigned char* begin = latest_.data();
    session.reset(d2i_SSL_SESSION(nullptr, &begin, static_cast<long>(latest_.size())));
  }
  return session && SSL_set_session(ssl, session.get()) == 1;
}

void TlsSessionMemory::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  latest_.clear();
}

Result<std::unique_ptr<TlsContext>, std::string> TlsContext::load(const tls::Settings& settings,
                                                                  Log& log) {
  if (settings.ca_file.empty() && !tls::system_has_authorities()) {
    log.write(Severity::warning,
              "this system has no certificate authorities, so no endpoint will be trusted: "
              "install ca-certificates or set ca_file");
  }
  auto loaded = tls::client_context(settings);
  if (!loaded) {
    auto& [kind, text] = loaded.error();
    return Failure{
        kind == tls::ContextFault::Kind::encrypted ? text + ": " + tls::encrypted_key_hint : text};
  }
  tls::Context context = std::move(loaded).value();
  // One read for a record's header and body together; and an idle connection, of which there may be
  // a thousand, does not keep 32 KiB of buffers.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  auto memory = std::make_unique<TlsSessionMemory>();
  memory->attach(context.get());
  return std::unique_ptr<TlsContext>(
      new TlsContext(std::move(memory), std::move(context), settings.host));
}

SslPointer TlsContext::session() const {
  SslPointer ssl(SSL_new(context_.get()));
  if (ssl && !tls::ask_for_name(*ssl, host_)) return nullptr;
  return ssl;
}

namespace {

using namespace std::chrono_literals;

constexpr auto check_interval = 1s;

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

CurrentTlsContext::Stamps CurrentTlsContext::stamps_of(const tls::Settings& settings) {
  return {stamp_of(settings.ca_file.empty() ? tls::system_authorities_file() : settings.ca_file),
          stamp_of(settings.certificate_file), stamp_of(settings.private_key_file)};
}

Result<std::unique_ptr<CurrentTlsContext>, std::string> CurrentTlsContext::load(
    tls::Settings settings, Log& log) {
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
  auto next = next_check_.load();
  // Only one of the threads that find the check due does it; the others go on with the present
  // context.
  if (now < next || !next_check_.compare_exchange_strong(next, now + check_interval)) return;
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
  // Certificate and key are replaced one after the other, so one check may fall in between.
  const bool second_time = refused_ == found;
  if (second_time && !reported_) {
    log_.write(Severity::warning,
               "certificate files were replaced, but cannot be used: the old ones stay in use",
               {{"host", settings_.host},
                {"cause", context.error()},
                {"hint", "correct the files that the cause names; no restart is needed"}});
  }
  reported_ = second_time;
  refused_ = found;
}

}  // namespace jobs_bridge::https

#include "adapters/https/tls_session_memory.h"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

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

}  // namespace jobs_bridge::https

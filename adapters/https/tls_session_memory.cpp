#include "adapters/https/tls_session_memory.h"

#include <chrono>

namespace jobs_bridge::https {
namespace {

constexpr auto kServesFor = std::chrono::hours(1);
/// Index 0 is the application's own place on a context.
constexpr int kPlace = 0;

}  // namespace

void TlsSessionMemory::attach(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, kPlace, this);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
}

int TlsSessionMemory::on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* const memory =
      static_cast<TlsSessionMemory*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), kPlace));
  const std::lock_guard lock(memory->mutex_);
  // A session that was itself resumed keeps the age of the verification that it relies on.
  if (SSL_session_reused(ssl) == 0) {
    memory->serves_until_ = std::chrono::steady_clock::now() + kServesFor;
  }
  memory->latest_.reset(session);
  return 1;  // the reference is ours now
}

bool TlsSessionMemory::offer_to(SSL* ssl) {
  const std::lock_guard lock(mutex_);
  return !given_up_ && latest_ && std::chrono::steady_clock::now() < serves_until_ &&
         SSL_set_session(ssl, latest_.get()) == 1;
}

void TlsSessionMemory::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  latest_.reset();
}

}  // namespace jobs_bridge::https

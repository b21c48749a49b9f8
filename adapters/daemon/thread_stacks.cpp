#include "adapters/daemon/thread_stacks.h"

#include <pthread.h>

#include <cstddef>

namespace jobs_bridge {

void fix_thread_stacks() {
  constexpr std::size_t size = std::size_t{8} << 20;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setstacksize(&attributes, size);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

}  // namespace jobs_bridge

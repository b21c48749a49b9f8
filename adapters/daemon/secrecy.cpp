#include "adapters/daemon/secrecy.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace jobs_bridge {

void forbid_memory_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // Tools that look for leaks attach to the process themselves.
#if !defined(__SANITIZE_ADDRESS__)
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace jobs_bridge

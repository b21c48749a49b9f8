#include "adapters/daemon/spare_memory.h"

#include <malloc.h>

namespace jobs_bridge {

void return_spare_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace jobs_bridge

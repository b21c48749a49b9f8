#pragma once

namespace jobs_bridge {

/// Gives memory that was freed back to the system. By itself the allocator keeps what lies between
/// blocks still in use, so that after an outage, with its thousands of requests waiting, the
/// process would stay near its largest size for good, on a gateway where others need the memory.
///
/// Any thread, but not from one that devices wait for: takes from tens of microseconds to some
/// milliseconds, and blocks allocations for parts of that.
void return_spare_memory();

}  // namespace jobs_bridge

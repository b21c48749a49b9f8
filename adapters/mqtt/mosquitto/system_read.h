#pragma once

namespace jobs_bridge::mqtt {

/// Has this program's read() linked, beside which it stands: for libmosquitto it is a ReadAhead's,
/// bounded as reads.h says, and for everybody else the system's. What libmosquitto reads over TLS
/// is looked at likewise.
void stand_before_system_read();

}  // namespace jobs_bridge::mqtt

#pragma once

#include <vector>

#include "tests/interop/devices/program.h"

namespace jobs_bridge::testing_support {

/// The programs of AWS's and others' device code, each with where in its sources it was read.
std::vector<DeviceProgram> device_programs();

}  // namespace jobs_bridge::testing_support

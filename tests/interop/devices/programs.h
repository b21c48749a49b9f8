#pragma once

#include <string_view>
#include <vector>

#include "tests/interop/devices/program.h"

namespace jobs_bridge::testing_support {

/// The thing that they are played for: documents are as large as its name lets them be.
inline constexpr std::string_view thing_of_the_programs = "a-thing-with-a-long-name";

/// The programs of AWS's and others' device code, each with where in its sources it was read.
std::vector<DeviceProgram> device_programs();

}  // namespace jobs_bridge::testing_support

# Cross-compiles to arm64 Debian with Debian's own compiler. deploy/arm64/build drives it; by hand:
#
#   cmake --toolchain deploy/arm64/aarch64-linux-gnu.cmake -DCMAKE_SYSROOT=/path/to/arm64/root ...
#
# CMAKE_SYSROOT holds the arm64 development packages. The C and C++ libraries come with the compiler
# (libc6-dev-arm64-cross, libstdc++-*-dev-arm64-cross), so the sysroot should be of its release.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

if(NOT CMAKE_SYSROOT)
  message(FATAL_ERROR "CMAKE_SYSROOT must name a directory with the arm64 development packages: "
    "see deploy/arm64/build")
endif()
# The compiler checks run in projects of their own, which get only the variables named here.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CMAKE_SYSROOT)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Programs are this machine's, all else is the sysroot's: an amd64 package must never stand in for
# a missing arm64 one.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_PATH} "")

# What ctest and gtest_discover_tests start the tests with, where it is installed. The second name is
# Debian 13's.
find_program(QEMU_AARCH64 NAMES qemu-aarch64-static qemu-aarch64)
if(QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${QEMU_AARCH64} -L ${CMAKE_SYSROOT})
endif()

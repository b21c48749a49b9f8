# What the presets asan and tsan build otherwise. -O1 and line numbers alone: that is what makes
# reports readable and the build no dearer than it must be.
set(JOBS_BRIDGE_SANITIZER "" CACHE STRING "Build with a sanitizer: address (and undefined), or thread")
set_property(CACHE JOBS_BRIDGE_SANITIZER PROPERTY STRINGS "" address thread)

if(JOBS_BRIDGE_SANITIZER STREQUAL "address")
  # Left out is what AddressSanitizer finds as well when it happens (null, object-size), and what
  # doubles the time to compile beside (alignment, vptr).
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-sanitize=null,object-size,alignment,vptr -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
elseif(JOBS_BRIDGE_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(JOBS_BRIDGE_SANITIZER)
  message(FATAL_ERROR "JOBS_BRIDGE_SANITIZER: ${JOBS_BRIDGE_SANITIZER} is neither address nor thread")
endif()

if(JOBS_BRIDGE_SANITIZER)
  # Many sources in one unit are parsed and instantiated once. What such a unit warns of (a name that
  # hides another file's) is no fault of any file: warnings are the other presets' business.
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
  add_compile_options(-w)
endif()

# What switches stacks tells the sanitizers of every switch, and is compiled without them: its own
# functions are entered on one stack and left on another. ThreadSanitizer would read before the
# beginning of a stack's list of functions; AddressSanitizer keep the frame where a fiber begins in
# memory of the thread that made it, which may end before the fiber does.
function(jobs_bridge_stack_switch_tells)
  if(JOBS_BRIDGE_SANITIZER)
    string(TOUPPER ${JOBS_BRIDGE_SANITIZER} sanitizer)
    set_source_files_properties(adapters/fibers/stack_switch.cpp
      DIRECTORY adapters/fibers PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON
      COMPILE_OPTIONS
      "-fno-sanitize=${JOBS_BRIDGE_SANITIZER};-DJOBS_BRIDGE_${sanitizer}_SANITIZER=1")
  endif()
endfunction()

# Those that use a name in their unnamed namespace as a neighbour does, and so are compiled alone: what
# such a unit says is "redefinition" or "ambiguous", and the cure a line here. At the end of the
# top-level CMakeLists.txt, since the folders must be known.
function(jobs_bridge_separate_sources)
  set_source_files_properties(
    bridge/flow/delivery.cpp
    bridge/flow/notifier_polls.cpp
    bridge/flow/quota.cpp
    DIRECTORY bridge PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    adapters/admin/status_client.cpp
    DIRECTORY adapters/admin PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    adapters/aws/instance_source.cpp
    DIRECTORY adapters/aws PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    adapters/daemon/daemon.cpp
    DIRECTORY adapters/daemon PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    adapters/https/resolver.cpp
    DIRECTORY adapters/https PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    adapters/mqtt/host_lookup.cpp
    DIRECTORY adapters/mqtt PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/endpoint/status.cpp
    DIRECTORY tests/endpoint PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/integration/hostile/endpoint_test.cpp
    DIRECTORY tests/integration/hostile PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/integration/mqtt/half_open_test.cpp
    DIRECTORY tests/integration/mqtt PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/unit/admin/windows_test.cpp
    DIRECTORY tests/unit/admin PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/unit/flow/engine_retry_test.cpp
    DIRECTORY tests/unit/flow PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/unit/jobs/cbor_test.cpp
    tests/unit/jobs/settlement_test.cpp
    DIRECTORY tests/unit/jobs PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_source_files_properties(
    tests/unit/mqtt/mosquitto/link_watch_test.cpp
    DIRECTORY tests/unit/mqtt PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

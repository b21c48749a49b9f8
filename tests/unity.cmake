# jobs_bridge_in_units(TARGET): compiles eight of its sources in one unit. What they include is parsed
# once, which takes half off and more. -DCMAKE_UNITY_BUILD=OFF: each by itself.
function(jobs_bridge_in_units target)
  if(NOT DEFINED CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# Of what is compiled so (the tests, and with the presets quickstart, fuzz, asan and tsan everything),
# those sources that use a name in their unnamed namespace as a neighbour does are compiled alone: what
# a unit says otherwise is "redefinition" or "ambiguous", and the cure a line here. Called at the end of
# the top-level CMakeLists.txt, since the folders must be known.
function(jobs_bridge_separate_sources)
  set(separate
    bridge/flow/delivery.cpp
    bridge/flow/notifier_polls.cpp
    bridge/flow/quota.cpp
    adapters/daemon/status_client.cpp
    adapters/aws/instance_source.cpp
    adapters/daemon/daemon.cpp)
  if(JOBS_BRIDGE_TESTS AND NOT JOBS_BRIDGE_FUZZ)
    list(APPEND separate
      tests/integration/hostile/endpoint_test.cpp
      tests/integration/mqtt/half_open_test.cpp
      tests/unit/admin/windows_test.cpp
      tests/unit/flow/engine_retry_test.cpp
      tests/unit/jobs/cbor_test.cpp
      tests/unit/mqtt/mosquitto/link_watch_test.cpp)
  endif()
  foreach(source ${separate})
    cmake_path(GET source PARENT_PATH folder)
    while(NOT EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      cmake_path(GET folder PARENT_PATH folder)
    endwhile()
    set_source_files_properties(${source} DIRECTORY ${folder}
      PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

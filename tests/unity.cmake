# Where many sources are compiled as one unit (the tests', and everything with a sanitizer), those that
# use a name in their unnamed namespace as a neighbour does are compiled alone: what such a unit says
# is "redefinition" or "ambiguous", and the cure a line here. Called at the end of the top-level
# CMakeLists.txt, since the folders must be known.
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

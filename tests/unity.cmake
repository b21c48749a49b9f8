# jobs_bridge_in_units(TARGET): compiles eight of its sources in one unit. What they include is parsed
# once, which takes half off and more. -DCMAKE_UNITY_BUILD=OFF: each by itself.
function(jobs_bridge_in_units target)
  if(NOT DEFINED CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

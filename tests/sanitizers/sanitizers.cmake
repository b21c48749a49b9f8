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

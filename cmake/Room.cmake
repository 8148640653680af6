# onnxop_room(NAME [ROOMS room...] [LIBRARIES target...]): one room of src/onnxop as the static library
# onnxop_NAME. Sources are all *.cpp of the folder; *_test.cpp make NAME_test (GoogleTest, run by ctest) and
# *_bench.cpp make NAME_bench (Google Benchmark). ROOMS are the rooms it may include; LIBRARIES its third-party ones.
# TEST_ROOMS and TEST_LIBRARIES are what only its tests use. POSTGRESQL: they need the server that tests/ starts.

add_library(onnxop_options INTERFACE)
target_include_directories(onnxop_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(onnxop_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
  # It takes the assignment of an initializer list to a vector for an overflow.
  target_compile_options(onnxop_options INTERFACE -Wno-array-bounds -Wno-stringop-overflow)
endif()
target_link_options(onnxop_options INTERFACE -Wl,--as-needed)
if(ONNXOP_SANITIZE)
  target_compile_options(onnxop_options INTERFACE -fsanitize=${ONNXOP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(onnxop_options INTERFACE -fsanitize=${ONNXOP_SANITIZE})
  target_compile_definitions(onnxop_options INTERFACE ONNXOP_SANITIZED)
endif()
if(ONNXOP_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Boost.Asio has fences for what is ordered by locks besides; GCC says that it does not follow them. Under the compiler's
  # own macro Protobuf's maps have members that its library, built without, knows nothing of.
  target_compile_options(onnxop_options INTERFACE -Wno-tsan -U__SANITIZE_THREAD__)
endif()

# Where the tests' PostgreSQL server lives: a short path, for that of a socket has a limit.
string(MD5 build_id ${CMAKE_BINARY_DIR})
string(SUBSTRING ${build_id} 0 12 build_id)
set(ONNXOP_TEST_POSTGRESQL /tmp/onnxop-pg-${build_id})

# The one place that knows where the sources lie, so that what is compiled elsewhere can come from ccache.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/source_dir.cpp @ONLY CONTENT [[
#include "onnxop/base/test_source_dir.h"

std::filesystem::path onnxop::source_dir() { return "@CMAKE_SOURCE_DIR@"; }
]])
add_library(onnxop_source_dir STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/generated/source_dir.cpp)
target_link_libraries(onnxop_source_dir PUBLIC onnxop_options)

add_custom_target(room_tests)  # the tests of all rooms, without what crosses them

function(onnxop_room name)
  cmake_parse_arguments(ARG "POSTGRESQL" "" "ROOMS;LIBRARIES;TEST_ROOMS;TEST_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")

  list(TRANSFORM ARG_ROOMS PREPEND onnxop_)
  list(TRANSFORM ARG_TEST_ROOMS PREPEND onnxop_)
  if(sources)
    add_library(onnxop_${name} STATIC ${sources})
    target_link_libraries(onnxop_${name} PUBLIC onnxop_options ${ARG_ROOMS} ${ARG_LIBRARIES})
  else()
    add_library(onnxop_${name} INTERFACE)
    target_link_libraries(onnxop_${name} INTERFACE onnxop_options ${ARG_ROOMS} ${ARG_LIBRARIES})
  endif()

  if(tests AND ONNXOP_TESTS)
    add_executable(${name}_test ${tests})
    add_dependencies(room_tests ${name}_test)
    target_link_libraries(${name}_test PRIVATE onnxop_${name} ${ARG_TEST_ROOMS} ${ARG_TEST_LIBRARIES} onnxop_source_dir GTest::gmock GTest::gtest_main)
    if(ARG_POSTGRESQL)
      set(properties PROPERTIES FIXTURES_REQUIRED postgresql ENVIRONMENT ONNXOP_TEST_POSTGRESQL=${ONNXOP_TEST_POSTGRESQL})
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 ${properties})
  endif()
  if(benches AND ONNXOP_BENCHMARKS)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE onnxop_${name} ${ARG_TEST_ROOMS} benchmark::benchmark_main)
  endif()
endfunction()

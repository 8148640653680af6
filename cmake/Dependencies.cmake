# Third-party libraries, each as an imported target; the room that may use it is in docs/architecture.md.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(Protobuf REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(simdjson REQUIRED CONFIG)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(spng REQUIRED IMPORTED_TARGET spng)
pkg_check_modules(jpeg REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(webp REQUIRED IMPORTED_TARGET libwebp)
pkg_check_modules(stb REQUIRED IMPORTED_TARGET stb)

# libonnx comes without a CMake package or a pkg-config file.
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
find_library(ONNX_LIBRARY onnx REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
add_library(onnx_library INTERFACE IMPORTED)
target_include_directories(onnx_library SYSTEM INTERFACE ${ONNX_INCLUDE_DIR})
target_compile_definitions(onnx_library INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(onnx_library INTERFACE ${ONNX_LIBRARY} ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)

if(ONNXOP_FUZZ)
  return()  # the fuzz targets stand on nothing else
endif()

find_package(CLI11 REQUIRED)

# Static only. Other systems than Debian put its headers elsewhere.
find_path(AGG_INCLUDE_DIR agg_gsv_text.h PATH_SUFFIXES agg2 REQUIRED)
find_library(AGG_LIBRARY NAMES agg_pic agg REQUIRED)
add_library(agg_library INTERFACE IMPORTED)
target_include_directories(agg_library SYSTEM INTERFACE ${AGG_INCLUDE_DIR})
target_link_libraries(agg_library INTERFACE ${AGG_LIBRARY})

find_package(prometheus-cpp REQUIRED CONFIG)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3>=3.38)  # json_each
pkg_check_modules(yaml_cpp REQUIRED IMPORTED_TARGET yaml-cpp)

# The CMake package of Debian's oneDNN wants OpenCL's headers, which only its GPU engine needs.
find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(dnnl_library INTERFACE IMPORTED)
target_include_directories(dnnl_library SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(dnnl_library INTERFACE ${DNNL_LIBRARY} OpenMP::OpenMP_CXX)

find_path(SOCI_INCLUDE_DIR soci/soci.h REQUIRED)
find_library(SOCI_CORE_LIBRARY soci_core REQUIRED)
find_library(SOCI_SQLITE3_LIBRARY soci_sqlite3 REQUIRED)
# Of PostgreSQL, headers alone: SOCI's library for it, and libpq, are loaded when a store needs them.
find_path(LIBPQ_INCLUDE_DIR libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
add_library(soci_library INTERFACE IMPORTED)
target_include_directories(soci_library SYSTEM INTERFACE ${SOCI_INCLUDE_DIR} ${LIBPQ_INCLUDE_DIR})
target_link_libraries(soci_library INTERFACE ${SOCI_SQLITE3_LIBRARY} ${SOCI_CORE_LIBRARY} PkgConfig::sqlite3)

include(OnnxRuntime)

if(ONNXOP_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(ONNXOP_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
if(ONNXOP_TESTS OR ONNXOP_BENCHMARKS)
  pkg_check_modules(grpc REQUIRED IMPORTED_TARGET grpc++)  # its client
  find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
endif()

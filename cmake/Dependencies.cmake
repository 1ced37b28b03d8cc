# Required: CMake and libtorch. Header-only libraries come from packages or, on a machine without packages, from
# INFOSCISSORS_DEPS_DIR (scripts/collect-headers fills such a directory). Everything else is an optional component.

find_package(Torch REQUIRED)

add_library(infoscissors_headers INTERFACE)
find_package(Threads REQUIRED)
target_link_libraries(infoscissors_headers INTERFACE Threads::Threads)

if(INFOSCISSORS_DEPS_DIR)
  target_include_directories(infoscissors_headers SYSTEM INTERFACE ${INFOSCISSORS_DEPS_DIR})
  target_compile_definitions(infoscissors_headers INTERFACE FMT_HEADER_ONLY SPDLOG_FMT_EXTERNAL)
else()
  find_package(fmt REQUIRED)
  find_package(spdlog REQUIRED)
  target_link_libraries(infoscissors_headers INTERFACE fmt::fmt spdlog::spdlog)
endif()

foreach(header CLI/CLI.hpp toml++/toml.h nlohmann/json.hpp spdlog/spdlog.h fmt/format.h xxhash.h)
  string(MAKE_C_IDENTIFIER ${header} id)
  find_path(INFOSCISSORS_HAVE_${id} ${header} HINTS ${INFOSCISSORS_DEPS_DIR})
  if(NOT INFOSCISSORS_HAVE_${id})
    message(FATAL_ERROR "${header} was not found: install its package (scripts/install-packages) or set "
                        "INFOSCISSORS_DEPS_DIR to a directory made by scripts/collect-headers")
  endif()
endforeach()

# Component "codecs": gzip, PNG and JPEG. Without it the toolkit reads plain IDX and CIFAR binaries and stores
# images as .npy; image folders, contact sheets and the HTML report need it.
find_package(ZLIB)
find_package(PNG)
find_package(JPEG)
if(ZLIB_FOUND AND PNG_FOUND AND JPEG_FOUND)
  set(INFOSCISSORS_CODECS ON)
else()
  set(INFOSCISSORS_CODECS OFF)
endif()

# Component "fetch": downloads of data sets.
find_package(CURL)
find_package(OpenSSL)
find_package(LibArchive)
if(CURL_FOUND AND OPENSSL_FOUND AND LibArchive_FOUND)
  set(INFOSCISSORS_FETCH ON)
else()
  set(INFOSCISSORS_FETCH OFF)
endif()

# Component "pki": keys and certificates for mutual TLS.
if(OPENSSL_FOUND)
  set(INFOSCISSORS_PKI ON)
else()
  set(INFOSCISSORS_PKI OFF)
endif()

# Component "grpc": the server's and the device's side of the Open Inference Protocol.
find_package(Protobuf QUIET)
find_path(INFOSCISSORS_GRPC_INCLUDE grpcpp/grpcpp.h)
foreach(library grpc++ grpc gpr grpc++_reflection)
  find_library(INFOSCISSORS_GRPC_LIBRARY_${library} ${library})
  list(APPEND grpc_found ${INFOSCISSORS_GRPC_LIBRARY_${library}})
endforeach()
find_program(INFOSCISSORS_GRPC_PLUGIN grpc_cpp_plugin)
if(Protobuf_FOUND AND TARGET protobuf::protoc AND OPENSSL_FOUND AND INFOSCISSORS_GRPC_INCLUDE AND INFOSCISSORS_GRPC_PLUGIN
   AND NOT grpc_found MATCHES "NOTFOUND")
  set(INFOSCISSORS_GRPC ON)
  add_library(infoscissors_grpc INTERFACE)
  target_include_directories(infoscissors_grpc SYSTEM INTERFACE ${INFOSCISSORS_GRPC_INCLUDE})
  target_link_libraries(infoscissors_grpc INTERFACE
    ${INFOSCISSORS_GRPC_LIBRARY_grpc++} ${INFOSCISSORS_GRPC_LIBRARY_grpc++_reflection} ${INFOSCISSORS_GRPC_LIBRARY_grpc}
    ${INFOSCISSORS_GRPC_LIBRARY_gpr} protobuf::libprotobuf OpenSSL::SSL OpenSSL::Crypto)
  # gRPC's headers call it inline, so it must be linked by name.
  find_library(INFOSCISSORS_ABSL_SYNCHRONIZATION absl_synchronization)
  if(INFOSCISSORS_ABSL_SYNCHRONIZATION)
    target_link_libraries(infoscissors_grpc INTERFACE ${INFOSCISSORS_ABSL_SYNCHRONIZATION})
  endif()
else()
  set(INFOSCISSORS_GRPC OFF)
endif()

# Component "http": the server's REST front.
find_path(INFOSCISSORS_MICROHTTPD_INCLUDE microhttpd.h)
find_library(INFOSCISSORS_MICROHTTPD_LIBRARY microhttpd)
find_package(GnuTLS QUIET)
if(INFOSCISSORS_MICROHTTPD_INCLUDE AND INFOSCISSORS_MICROHTTPD_LIBRARY AND GNUTLS_FOUND)
  set(INFOSCISSORS_HTTP ON)
else()
  set(INFOSCISSORS_HTTP OFF)
endif()

# Component "gloo": one model trained by several processes, over libtorch's process groups; "nccl": between GPUs.
find_path(INFOSCISSORS_GLOO_INCLUDE gloo/rendezvous/store.h HINTS ${TORCH_INCLUDE_DIRS})
find_path(INFOSCISSORS_C10D_INCLUDE torch/csrc/distributed/c10d/ProcessGroupGloo.hpp HINTS ${TORCH_INCLUDE_DIRS})
find_library(INFOSCISSORS_GLOO_LIBRARY gloo PATHS /usr/lib)
if(INFOSCISSORS_GLOO_INCLUDE AND INFOSCISSORS_C10D_INCLUDE AND INFOSCISSORS_GLOO_LIBRARY)
  set(INFOSCISSORS_GLOO ON)
else()
  set(INFOSCISSORS_GLOO OFF)
endif()
option(INFOSCISSORS_NCCL "Ranks on GPUs over NCCL: libtorch must be built with it, and nccl.h be at hand" OFF)

if(INFOSCISSORS_TESTS)
  find_package(GTest)
  if(NOT GTest_FOUND)
    message(STATUS "GoogleTest was not found: the tests are not built")
  endif()
endif()
message(STATUS "InfoScissors components: codecs ${INFOSCISSORS_CODECS}, fetch ${INFOSCISSORS_FETCH}, pki ${INFOSCISSORS_PKI}, "
               "grpc ${INFOSCISSORS_GRPC}, http ${INFOSCISSORS_HTTP}, gloo ${INFOSCISSORS_GLOO}")

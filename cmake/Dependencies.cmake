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

if(INFOSCISSORS_TESTS)
  find_package(GTest)
  if(NOT GTest_FOUND)
    message(STATUS "GoogleTest was not found: the tests are not built")
  endif()
endif()
message(STATUS "InfoScissors components: codecs ${INFOSCISSORS_CODECS}, fetch ${INFOSCISSORS_FETCH}")

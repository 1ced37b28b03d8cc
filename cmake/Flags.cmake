# One interface target holds every flag: a precompiled header is only usable where the flags are identical.
add_library(infoscissors_flags INTERFACE)
target_compile_features(infoscissors_flags INTERFACE cxx_std_20)
target_include_directories(infoscissors_flags INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_compile_options(infoscissors_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(INFOSCISSORS_WERROR)
  target_compile_options(infoscissors_flags INTERFACE -Werror)
endif()
if(INFOSCISSORS_SANITIZE)
  target_compile_options(infoscissors_flags INTERFACE
    -fsanitize=${INFOSCISSORS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # GCC itself says that this warning is unreliable under sanitizers; it fires inside <regex>.
  target_compile_options(infoscissors_flags INTERFACE -Wno-maybe-uninitialized)
  target_link_options(infoscissors_flags INTERFACE -fsanitize=${INFOSCISSORS_SANITIZE})
endif()
target_link_libraries(infoscissors_flags INTERFACE infoscissors_headers)

add_library(infoscissors_torch_flags INTERFACE)
target_link_libraries(infoscissors_torch_flags INTERFACE infoscissors_flags)
# libtorch's headers do not survive our warnings, so they are system headers here.
target_include_directories(infoscissors_torch_flags SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(infoscissors_torch_flags INTERFACE ${TORCH_LIBRARIES})
separate_arguments(infoscissors_torch_cxx_flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(infoscissors_torch_flags INTERFACE ${infoscissors_torch_cxx_flags})

# All our code is position independent and compiled in object libraries, tests included, so that the flags of the
# precompiled header match everywhere.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(INFOSCISSORS_PCH)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/torch_pch.cpp CONTENT "// Carries the shared precompiled header.\n")
  add_library(torch_pch OBJECT ${CMAKE_BINARY_DIR}/torch_pch.cpp)
  target_link_libraries(torch_pch PRIVATE infoscissors_torch_flags)
  target_precompile_headers(torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/infoscissors/tensor/torch.h <fmt/format.h> <nlohmann/json.hpp>)
endif()

# What every test runs with. One OpenMP thread each: ctest runs several at once, and two processes with two threads on
# two cores take several times longer than one after the other.
set(INFOSCISSORS_TEST_ENVIRONMENT OMP_NUM_THREADS=1)
set(INFOSCISSORS_TEST_TIMEOUT 900)
if(INFOSCISSORS_SANITIZE)
  set(INFOSCISSORS_TEST_TIMEOUT 3600)
  # A server must not keep memory after an attack; what ASan itself holds back would count there, so that is little.
  string(JOIN ":" asan_options detect_stack_use_after_return=1 check_initialization_order=1 quarantine_size_mb=4
    thread_local_quarantine_size_kb=16 allocator_release_to_os_interval_ms=100 max_uar_stack_size_log=16)
  list(APPEND INFOSCISSORS_TEST_ENVIRONMENT
    ASAN_OPTIONS=${asan_options}
    LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp:print_suppressions=0)
endif()

# Compiler settings shared by every target: link `intra_flags` PRIVATE.
add_library(intra_flags INTERFACE)
target_compile_options(intra_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wdouble-promotion
  -Wno-double-promotion # float samples are summed in double on purpose
  $<$<BOOL:${INTRADOS_WERROR}>:-Werror>
  # Same bytes on every machine: no fused multiply-add behind our back.
  -ffp-contract=off -fno-math-errno)
target_compile_definitions(intra_flags INTERFACE _GNU_SOURCE=1)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(intra_flags INTERFACE -O3)
endif()
if(INTRADOS_SANITIZE)
  target_compile_options(intra_flags INTERFACE -fsanitize=${INTRADOS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(intra_flags INTERFACE -fsanitize=${INTRADOS_SANITIZE})
endif()
if(INTRADOS_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "INTRADOS_FUZZ needs clang (Debian: apt-get install clang): cmake --preset fuzz")
  endif()
  target_compile_options(intra_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(INTRADOS_OPENMP)
  find_package(OpenMP REQUIRED C)
  target_link_libraries(intra_flags INTERFACE OpenMP::OpenMP_C)
else()
  # Without OpenMP its pragmas mean nothing and team sizes have no taker.
  target_compile_options(intra_flags INTERFACE -Wno-unknown-pragmas -Wno-unused-parameter)
endif()

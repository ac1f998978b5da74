# Makes lockstep_cuda_options, what .cu files are compiled with, if an nvcc is found; else the target is
# absent. The bits rest on -fmad=false and on exact division, square root and subnormals. Finds the
# toolkit's headers (CUDAToolkit_FOUND) where they are without nvcc, too.
set(LOCKSTEP_CUDA auto CACHE STRING "CUDA kernels: auto (if nvcc is found), on, or off")
set_property(CACHE LOCKSTEP_CUDA PROPERTY STRINGS auto on off)

find_package(CUDAToolkit QUIET)
if(NOT LOCKSTEP_CUDA STREQUAL "off")
  find_program(LOCKSTEP_NVCC nvcc PATHS /usr/local/cuda/bin)
endif()
if(LOCKSTEP_NVCC AND NOT LOCKSTEP_CUDA STREQUAL "off" AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(CMAKE_CUDA_COMPILER "${LOCKSTEP_NVCC}")
  # Machine code for Ampere and Hopper, and PTX for what comes after.
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "CUDA architectures")
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know it of every nvcc
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  endif()
  find_package(CUDAToolkit REQUIRED)  # this nvcc's
  add_library(lockstep_cuda_options INTERFACE)
  # Headers with CUDA's types lie beside the sources, as <core/cuda.cuh>: the public ones name none.
  target_include_directories(lockstep_cuda_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
  target_compile_options(lockstep_cuda_options INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:\
--expt-relaxed-constexpr -fmad=false -ftz=false -prec-div=true -prec-sqrt=true \
-Xcompiler=-Wall,-Wextra,-ffp-contract=off>")
  target_link_libraries(lockstep_cuda_options INTERFACE CUDA::cudart_static)
  message(STATUS "CUDA: ${LOCKSTEP_NVCC}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
elseif(LOCKSTEP_CUDA STREQUAL "on")
  message(FATAL_ERROR "No nvcc found: put it into PATH, or say -DLOCKSTEP_CUDA=off")
else()
  message(STATUS "CUDA: none")
endif()

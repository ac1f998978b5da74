# Makes lockstep::nccl if NCCL and the CUDA headers, which its own wants, are found; else the target
# is absent.
set(LOCKSTEP_NCCL_DIR "" CACHE PATH
  "Folder with NCCL's include/ and lib/ (empty: the wheel in LOCKSTEP_PREFIX, else the system's; off: none)")

set(nccl_missing "")
if(LOCKSTEP_NCCL_DIR STREQUAL "off")
  set(nccl_missing "LOCKSTEP_NCCL_DIR is off")
else()
  set(nccl_places "${LOCKSTEP_NCCL_DIR}")
  if(NOT nccl_places)
    file(GLOB nccl_places "${LOCKSTEP_PREFIX}/lib/python3*/site-packages/nvidia/nccl")
    list(APPEND nccl_places ${CUDAToolkit_TARGET_DIR} /usr /usr/local)
  endif()
  # Python's wheels have no libnccl.so without its number.
  find_path(LOCKSTEP_NCCL_INCLUDE nccl.h HINTS ${nccl_places} PATH_SUFFIXES include NO_DEFAULT_PATH)
  find_library(LOCKSTEP_NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${nccl_places}
    PATH_SUFFIXES lib lib64 lib/x86_64-linux-gnu lib/aarch64-linux-gnu NO_DEFAULT_PATH)
  mark_as_advanced(LOCKSTEP_NCCL_INCLUDE LOCKSTEP_NCCL_LIBRARY)
  if(NOT LOCKSTEP_NCCL_INCLUDE OR NOT LOCKSTEP_NCCL_LIBRARY)
    list(JOIN nccl_places " " nccl_missing)
    set(nccl_missing "no include/nccl.h and lib/libnccl.so.2 in ${nccl_missing}")
  elseif(NOT CUDAToolkit_FOUND)
    set(nccl_missing "it wants the CUDA toolkit's headers, which are not found")
  endif()
endif()

if(NOT nccl_missing)
  add_library(lockstep::nccl SHARED IMPORTED GLOBAL)
  set_target_properties(lockstep::nccl PROPERTIES
    IMPORTED_LOCATION "${LOCKSTEP_NCCL_LIBRARY}" IMPORTED_SONAME libnccl.so.2
    INTERFACE_INCLUDE_DIRECTORIES "${LOCKSTEP_NCCL_INCLUDE};${CUDAToolkit_INCLUDE_DIRS}")
  message(STATUS "NCCL: ${LOCKSTEP_NCCL_LIBRARY}")
elseif(LOCKSTEP_NCCL_DIR)
  message(FATAL_ERROR "NCCL: ${nccl_missing}")
else()
  message(STATUS "NCCL: none, so GPUs' sums go over MPI: ${nccl_missing}")
endif()

# Makes lockstep::mpi, the MPI that src/comm is built on (its C interface only), and sets
#   LOCKSTEP_MPIRUN  the mpirun that belongs to it; launch/run reads it from <build>/mpirun.txt.
# A run needs the mpirun of the MPI that it was built with, so the two are chosen together here.
set(LOCKSTEP_MPI auto CACHE STRING
  "MPI: wheel (in LOCKSTEP_PREFIX), system (find_package), auto (the wheel if it is there), or off")
set_property(CACHE LOCKSTEP_MPI PROPERTY STRINGS auto wheel system off)

set(wheel_library "${LOCKSTEP_PREFIX}/lib/libmpi.so.40")
set(chosen "${LOCKSTEP_MPI}")
if(chosen STREQUAL "auto")
  if(EXISTS "${wheel_library}")
    set(chosen wheel)
  else()
    set(chosen system)
  endif()
endif()

if(chosen STREQUAL "wheel")
  if(NOT EXISTS "${wheel_library}")
    message(FATAL_ERROR "No Open MPI wheel in ${LOCKSTEP_PREFIX}: run launch/setup, or say -DLOCKSTEP_MPI=system")
  endif()
  add_library(lockstep::mpi SHARED IMPORTED GLOBAL)
  set_target_properties(lockstep::mpi PROPERTIES
    IMPORTED_LOCATION "${wheel_library}"
    IMPORTED_SONAME libmpi.so.40
    INTERFACE_INCLUDE_DIRECTORIES "${LOCKSTEP_PREFIX}/include"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  set(LOCKSTEP_MPIRUN "${LOCKSTEP_PREFIX}/bin/mpirun")
elseif(chosen STREQUAL "system")
  enable_language(C)
  find_package(MPI QUIET COMPONENTS C)
  if(NOT MPI_C_FOUND)
    message(FATAL_ERROR "No MPI found: run launch/setup, or install libopenmpi-dev and openmpi-bin")
  endif()
  add_library(lockstep::mpi INTERFACE IMPORTED GLOBAL)
  target_link_libraries(lockstep::mpi INTERFACE MPI::MPI_C)
  # Open MPI 4 and MPICH: leave out the C++ bindings, which their headers add by default.
  target_compile_definitions(lockstep::mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
  set(LOCKSTEP_MPIRUN "${MPIEXEC_EXECUTABLE}")
elseif(chosen STREQUAL "off")
  set(LOCKSTEP_MPIRUN "")  # no lockstep::mpi: src/comm builds no_mpi.cpp
else()
  message(FATAL_ERROR "LOCKSTEP_MPI is '${LOCKSTEP_MPI}': say auto, wheel, system or off")
endif()

file(WRITE "${CMAKE_BINARY_DIR}/mpirun.txt" "${LOCKSTEP_MPIRUN}\n")
message(STATUS "MPI: ${chosen}, ${LOCKSTEP_MPIRUN}")

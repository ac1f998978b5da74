# Makes lockstep::torch (libtorch_cpu and libc10) if LibTorch is found; else the target is absent.
# Not by find_package(Torch): that of the CUDA wheel wants the CUDA toolkit and a GPU architecture.
set(LOCKSTEP_TORCH_DIR "" CACHE PATH
  "Folder with LibTorch's include/ and lib/ (empty: the wheel in LOCKSTEP_PREFIX, if there; off: none)")

set(torch_dir "${LOCKSTEP_TORCH_DIR}")
if(NOT torch_dir)
  file(GLOB torch_dir "${LOCKSTEP_PREFIX}/lib/python3*/site-packages/torch")
endif()

set(torch_missing "")
if(LOCKSTEP_TORCH_DIR STREQUAL "off")
  set(torch_missing "LOCKSTEP_TORCH_DIR is off")
elseif(NOT torch_dir)
  set(torch_missing "not in ${LOCKSTEP_PREFIX} (launch/setup puts it there)")
elseif(NOT EXISTS "${torch_dir}/lib/libtorch_cpu.so" OR NOT EXISTS "${torch_dir}/include/torch")
  set(torch_missing "no lib/libtorch_cpu.so and include/torch in ${torch_dir}")
elseif(EXISTS "${torch_dir}/share/cmake/Torch/TorchConfig.cmake")
  # Its std::string must be ours, or nothing links.
  file(STRINGS "${torch_dir}/share/cmake/Torch/TorchConfig.cmake" old_strings
    REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(old_strings)
    set(torch_missing "${torch_dir} is built for the old C++ ABI")
  endif()
endif()

if(NOT torch_missing)
  add_library(lockstep::c10 SHARED IMPORTED GLOBAL)
  set_target_properties(lockstep::c10 PROPERTIES
    IMPORTED_LOCATION "${torch_dir}/lib/libc10.so" IMPORTED_SONAME libc10.so)
  add_library(lockstep::torch SHARED IMPORTED GLOBAL)
  set_target_properties(lockstep::torch PROPERTIES
    IMPORTED_LOCATION "${torch_dir}/lib/libtorch_cpu.so" IMPORTED_SONAME libtorch_cpu.so
    INTERFACE_INCLUDE_DIRECTORIES
      "${torch_dir}/include;${torch_dir}/include/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES lockstep::c10)
  message(STATUS "LibTorch: ${torch_dir}")
elseif(LOCKSTEP_TORCH_DIR)
  message(FATAL_ERROR "LibTorch: ${torch_missing}")
else()
  message(STATUS "LibTorch: none, so no engine 'torch': ${torch_missing}")
endif()

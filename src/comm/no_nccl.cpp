#include <lockstep/comm/device_reducer.hpp>

// nccl_is_built_in() is asked first, so that nothing else is ever called.

namespace lockstep {

bool nccl_is_built_in() noexcept {
  return false;
}
std::string nccl_description() {
  return "no NCCL";
}
bool nccl_shares_gpus() {
  return false;
}
std::unique_ptr<DeviceReducer> make_nccl_reducer(Communicator&, const NcclConfig&) {
  return nullptr;
}

}  // namespace lockstep

#include <lockstep/core/error.hpp>

#include <system_error>

namespace lockstep {

std::string system_error_text(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace lockstep

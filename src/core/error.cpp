#include <lockstep/core/error.hpp>

#include <system_error>

namespace lockstep {

ExitCode exit_code_of(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.code();
  } catch (...) {
    return ExitCode::internal;
  }
}

std::string system_error_text(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace lockstep

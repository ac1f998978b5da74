#include "failure.hpp"

#include <cstdio>
#include <new>

namespace lockstep {

Failure describe(std::exception_ptr exception) noexcept {
  constexpr int internal = static_cast<int>(ExitCode::internal);
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.what(), error.code() != ExitCode::lost_rank};
  } catch (const std::bad_alloc&) {
    return {internal, "out of memory"};
  } catch (const std::exception& error) {
    return {internal, std::string("internal error: ") + error.what()};
  } catch (...) {
    return {internal, "internal error"};
  }
}

void print_error(const Failure& failure) noexcept {
  if (failure.line.empty()) return;
  std::string text = "lockstep: " + failure.line;
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace lockstep

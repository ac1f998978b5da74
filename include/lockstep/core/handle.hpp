#pragma once

#include <utility>

namespace lockstep {

/// Owns one C handle. Traits gives `Type`, `static Type null()` and `static void destroy(Type)
/// noexcept`.
template <typename Traits>
class Handle {
 public:
  using Type = typename Traits::Type;

  Handle() noexcept : value_(Traits::null()) {}
  explicit Handle(Type value) noexcept : value_(value) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, Traits::null())) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.value_, Traits::null()));
    return *this;
  }
  ~Handle() { reset(); }

  Type get() const noexcept { return value_; }
  explicit operator bool() const noexcept { return value_ != Traits::null(); }

  /// Destroys what is held before it takes over `value`.
  void reset(Type value = Traits::null()) noexcept {
    if (value_ != Traits::null()) Traits::destroy(value_);
    value_ = value;
  }

 private:
  Type value_;
};

}  // namespace lockstep

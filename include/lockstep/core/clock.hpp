#pragma once

namespace lockstep {

/// Seconds of a clock that only goes forward; from an arbitrary start.
double seconds_now() noexcept;

}  // namespace lockstep

#pragma once

namespace lockstep {

/// From here on SIGINT, SIGTERM and SIGUSR1 no longer end the process but ask it to stop after the
/// current step; a second one ends it, though not SIGTERM or SIGUSR1 within two seconds: a cluster may
/// ask by several ways at once. SIGUSR1 is what mpirun hands on: after the other two it kills the ranks
/// within a second.
void catch_stop_signals();

/// True once such a signal has come, or request_stop() was called. Any thread.
bool stop_requested() noexcept;
void request_stop() noexcept;

}  // namespace lockstep

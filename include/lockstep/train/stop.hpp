#pragma once

namespace lockstep {

/// From here on SIGINT and SIGTERM no longer end the process but ask it to stop after the current
/// step; a second one ends it.
void catch_stop_signals();

/// True once such a signal has come, or request_stop() was called. Any thread.
bool stop_requested() noexcept;
void request_stop() noexcept;

}  // namespace lockstep

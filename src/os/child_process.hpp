// A program that is run for what it prints.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

struct ChildLimits {
  Duration time = seconds(60);
  std::size_t bytes = std::size_t{16} << 20U;  // of stdout; of stderr as well
};

struct ChildResult {
  enum class End : std::uint8_t { exited, killed, timed_out, too_much, stopped };
  End end = End::exited;
  int status = 0;  // exit status, or the signal that killed it
  std::string out, err;
};

// Runs words[0], found by PATH, in a session of its own without a terminal, stdin empty, with these
// NAME=VALUE added to the environment, and waits for its end; what is left of it then is killed with its
// session. Fails with Code::environment when it cannot be started. Any thread.
Result<ChildResult> run_child(const std::vector<std::string>& words,
                              const std::vector<std::string>& environment, const ChildLimits& limits,
                              const std::atomic<bool>& stop);

}  // namespace weir

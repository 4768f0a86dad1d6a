// What has to be done when this process is over, however it ends, with a privilege that it gives up before.
#pragma once

#include <sys/types.h>

#include <functional>

#include "core/result.hpp"
#include "os/descriptor.hpp"

namespace weir {

// A child process that waits for the end of this one, or of the object; it keeps the privileges of now. Its
// parent waits for it.
class Afterwards {
 public:
  // For before any thread is started. `act` is called in the child, which has none of this process's open
  // files. Fails with Code::environment.
  static Result<Afterwards> arrange(const std::function<void()>& act);
  Afterwards(Afterwards&& other) noexcept;
  Afterwards& operator=(Afterwards&&) = delete;
  ~Afterwards();

 private:
  Afterwards(pid_t child, Descriptor alive) noexcept : child_(child), alive_(std::move(alive)) {}
  pid_t child_;
  Descriptor alive_;  // its other end is closed when this process is no more
};

}  // namespace weir

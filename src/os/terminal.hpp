// What stdout and stderr are connected to.
#pragma once

namespace weir {

struct Terminal {
  bool present = false;  // false: a pipe or a file
  bool colour = false;   // present, TERM is not dumb, and the user has not set NO_COLOR (no-color.org)
  unsigned width = 0;    // columns; 0 when not present
};
Terminal stdout_terminal() noexcept;
Terminal stderr_terminal() noexcept;

}  // namespace weir

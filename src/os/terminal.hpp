// What stdout and stderr are connected to, and a terminal that is never waited for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "os/descriptor.hpp"

namespace weir {

struct Terminal {
  bool present = false;  // false: a pipe or a file
  bool colour = false;   // present, TERM is not dumb, and the user has not set NO_COLOR (no-color.org)
  bool cursor = false;   // present, TERM is set and not dumb: text can be put in another's place
  unsigned width = 0;    // columns; 0 when not present
  unsigned height = 0;   // lines; 0 when not present
};
Terminal stdout_terminal() noexcept;
Terminal stderr_terminal() noexcept;

// While one lives, keys that are typed are not shown: they would be in the middle of what is drawn. Nothing
// when stdin and stdout are not the same terminal, which somebody else then talks with (less, a password),
// nor in the background. Shown again when the last one is destroyed, the process is stopped (Ctrl-Z) or a
// signal ends it, SIGKILL aside. Any thread.
class HiddenKeys {
 public:
  HiddenKeys() noexcept;
  ~HiddenKeys();
  HiddenKeys(const HiddenKeys&) = delete;
  HiddenKeys& operator=(const HiddenKeys&) = delete;
};
// For handlers of signals that end the process.
void show_keys_again() noexcept;

// The terminal behind stdout. One that is slow, or stopped by Ctrl-S, takes what it was given when it can;
// whoever has something newer to show asks ready() first. One thread.
class TerminalWriter {
 public:
  // Nothing when stdout is no terminal, or one that cannot be opened once more.
  static std::optional<TerminalWriter> open();

  // Everything written so far has been taken.
  bool ready() noexcept;
  void write(std::string_view text);
  // Waits so long at most until it is ready.
  void drain(Duration most) noexcept;

 private:
  explicit TerminalWriter(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;  // apart from stdout, which others use and expect to wait
  std::string waiting_;
};

}  // namespace weir

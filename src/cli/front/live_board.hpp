// A table in place on a terminal, what happens scrolling away above it.
#pragma once

#include <functional>

#include "cli/front/board_line.hpp"
#include "cli/front/live_frame.hpp"
#include "os/terminal.hpp"

namespace weir {

// One thread at a time.
class LiveBoard {
 public:
  // The table's lines, for a window of this size, so long after the start.
  using Lines = std::function<std::vector<std::string>(Duration running, const BoardSize& size)>;
  LiveBoard(TerminalWriter terminal, Lines lines);

  // A line that scrolls away: "eth0 is down".
  void note(Time time, std::string_view text, bool bad);
  // Leaves a frame out that the terminal does not take yet.
  void draw();
  // The last state, which stays.
  void finish();

 private:
  TerminalWriter terminal_;
  const HiddenKeys keys_;
  Lines lines_;
  LiveFrame frame_;
  std::vector<std::string> notes_;
  const Time start_;
};

}  // namespace weir

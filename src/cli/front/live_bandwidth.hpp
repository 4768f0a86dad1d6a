// weir bandwidth on a terminal: the table of interfaces in place, what happens to them above it.
#pragma once

#include "cli/front/bandwidth_board.hpp"
#include "cli/front/live_frame.hpp"
#include "os/terminal.hpp"

namespace weir {

class LiveBandwidth {
 public:
  explicit LiveBandwidth(TerminalWriter terminal);

  void take(const std::vector<Counter>& counters, std::optional<Addr> device) {
    board_.take(counters, device);
  }
  // A line that scrolls away: "eth0 is down".
  void note(Time time, std::string_view text, bool bad);
  // Leaves a frame out that the terminal does not take yet.
  void draw();
  // The last state, which stays.
  void finish();

 private:
  TerminalWriter terminal_;
  LiveFrame frame_;
  BandwidthBoard board_;
  std::vector<std::string> notes_;
  const Time start_;
};

}  // namespace weir

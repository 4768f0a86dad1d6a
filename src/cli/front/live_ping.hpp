// weir ping on a terminal: the table of targets in place, outages above it as they happen.
#pragma once

#include "cli/front/live_frame.hpp"
#include "cli/front/ping_board.hpp"
#include "engine/ping_recorder.hpp"
#include "os/terminal.hpp"

namespace weir {

class LivePing final : public PingListener {
 public:
  // Passes everything on to the recorder; all borrowed. Targets may become more. One thread, that of the
  // pinger, which never waits for the terminal: a frame that it does not take yet is left out.
  LivePing(PingRecorder& recorder, const std::vector<ProbeTarget>& targets, std::string_view probe,
           TerminalWriter terminal);

  void happened(const PingEvent& event) override;
  void burst_ended(std::uint32_t target) override { recorder_.burst_ended(target); }
  void joined() override { recorder_.joined(); }
  bool idle() override { return recorder_.idle(); }
  Time tick(Time now) override;
  // A line above the table.
  void say(std::string line) { notes_.push_back(std::move(line)); }
  // The last state, which stays.
  void finish();

 private:
  void note(const PingEvent& event, const PingSilence& silence);
  void draw(Time now);

  PingRecorder& recorder_;
  const std::vector<ProbeTarget>& targets_;
  TerminalWriter terminal_;
  const HiddenKeys keys_;
  LiveFrame frame_;
  PingBoard board_;
  std::vector<std::string> notes_;
  std::uint64_t more_down_ = 0, more_up_ = 0;  // outages and returns for which there was no room
  const Time start_;
  Time next_draw_{}, next_tick_{};
};

}  // namespace weir

// The line at the bottom of the terminal that says how a program that runs on is doing. It gives way to what
// is written to the same terminal. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "os/terminal.hpp"

namespace weir {

class StatusLine {
 public:
  // Silent unless wanted and stderr is a terminal.
  explicit StatusLine(bool wanted);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool present() const noexcept { return wanted_; }
  // Replaces the text, cut to the terminal's width.
  void show(std::string text);
  // Takes the line away until resume() or show(), for other output.
  void pause();
  void resume();
  // Takes it away for good.
  void clear();

 private:
  void draw();
  const bool wanted_;
  std::optional<HiddenKeys> keys_;
  std::mutex mutex_;  // guards the rest
  std::string text_;
  bool shown_ = false;
};

}  // namespace weir

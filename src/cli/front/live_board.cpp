#include "cli/front/live_board.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/human.hpp"
#include "os/kernel_clock.hpp"

namespace weir {

LiveBoard::LiveBoard(TerminalWriter terminal, Lines lines)
    : terminal_(std::move(terminal)), lines_(std::move(lines)), start_(steady_now()) {}

void LiveBoard::note(Time time, std::string_view text, bool bad) {
  constexpr std::size_t most = 100;  // between two frames
  if (notes_.size() >= most) return;
  std::string clean;
  append_printable(clean, text);
  if (stdout_terminal().colour)
    notes_.push_back(
        fmt::format("\x1b[2m{}\x1b[0m  {}{}\x1b[0m", human_time(time), bad ? "\x1b[1;31m" : "", clean));
  else
    notes_.push_back(human_time(time) + "  " + clean);
}

void LiveBoard::draw() {
  if (!terminal_.ready()) return;
  const Terminal window = stdout_terminal();
  const BoardSize size{.width = window.width > 1 ? window.width - 1 : 1,
                       .height = window.height > 1 ? window.height - 1 : 1,
                       .colour = window.colour};
  terminal_.write(frame_.next(notes_, lines_(steady_now() - start_, size), window.width, window.height));
  notes_.clear();
}

void LiveBoard::finish() {
  constexpr Duration patience = seconds(1);
  terminal_.drain(patience);
  draw();
  terminal_.drain(patience);
}

}  // namespace weir

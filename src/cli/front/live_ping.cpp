#include "cli/front/live_ping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/human.hpp"

namespace weir {
namespace {

using Outcome = PingEvent::Kind;

constexpr Duration between_frames = milliseconds(250);
// Drawing takes so much of the time at most: one part in so many.
constexpr std::int64_t share_of_time = 100;
// Outages that are told one by one, of those between two frames.
constexpr std::size_t most_notes = 10;

}  // namespace

LivePing::LivePing(PingRecorder& recorder, const std::vector<ProbeTarget>& targets, std::string_view probe,
                   TerminalWriter terminal)
    : recorder_(recorder),
      targets_(targets),
      terminal_(std::move(terminal)),
      board_(targets, probe),
      start_(steady_now()) {}

void LivePing::happened(const PingEvent& event) {
  const PingSilence before = recorder_.silence(event.target);
  recorder_.happened(event);
  switch (event.kind) {
    case Outcome::late:
    case Outcome::duplicate: return;
    case Outcome::reply: board_.replied(event.target, event.rtt); break;
    default: board_.lost(event.target);
  }
  const PingSilence after = recorder_.silence(event.target);
  if (after.down == before.down) return;
  if (after.down)
    board_.fell_silent(event.target, after.since);
  else
    board_.came_back(event.target);
  note(event, after.down ? after : before);
}

// A line of its own, or one among others.
void LivePing::note(const PingEvent& event, const PingSilence& silence) {
  const bool up = event.kind == Outcome::reply;
  if (notes_.size() >= most_notes) {
    ++(up ? more_up_ : more_down_);
    return;
  }
  const auto painted = [colour = stdout_terminal().colour](std::string_view text, std::string_view style) {
    return colour ? fmt::format("{}{}\x1b[0m", style, text) : std::string(text);
  };
  const ProbeTarget& target = targets_[event.target];
  std::string what;
  if (up) {
    what = fmt::format("{} after {}", painted("up again", "\x1b[32m"),
                       human_duration(event.time - silence.since));
  } else {
    what = fmt::format("{}: {}", painted("down", "\x1b[1;31m"), silence.reason);
    if (silence.from != Addr{} && silence.from != target.address) what += " from " + to_string(silence.from);
  }
  what += fmt::format(", {} {} lost", silence.probes, silence.probes == 1 ? "probe" : "probes");
  notes_.push_back(
      fmt::format("{}  {}  {}", painted(human_time(event.known), "\x1b[2m"), shown_name(target), what));
}

Time LivePing::tick(Time now) {
  if (now >= next_tick_) next_tick_ = recorder_.tick(now);
  if (now >= next_draw_) draw(now);
  return std::min(next_tick_, next_draw_);
}

void LivePing::draw(Time now) {
  next_draw_ = now + between_frames;
  if (!terminal_.ready()) return;
  const Terminal window = stdout_terminal();
  const BoardSize size{.width = window.width > 1 ? window.width - 1 : 1,
                       .height = window.height > 1 ? window.height - 1 : 1,
                       .colour = window.colour};
  if (const auto downs = std::exchange(more_down_, 0))
    notes_.push_back(fmt::format("… {} more down", human_count(downs)));
  if (const auto ups = std::exchange(more_up_, 0))
    notes_.push_back(fmt::format("… {} more up again", human_count(ups)));
  terminal_.write(
      frame_.next(notes_, board_.lines(wall_now(), now - start_, size), window.width, window.height));
  notes_.clear();
  const Time done = steady_now();
  next_draw_ = std::max(next_draw_, done + Duration{(done - now).ns * share_of_time});
}

void LivePing::finish() {
  constexpr Duration patience = seconds(1);
  terminal_.drain(patience);
  draw(steady_now());
  terminal_.drain(patience);
}

}  // namespace weir

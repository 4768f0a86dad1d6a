#include "cli/front/ping_board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/human.hpp"

namespace weir {
namespace {

using style::bold, style::dim, style::green, style::red, style::yellow;

constexpr std::string_view loss_mark = "×";
constexpr unsigned state_width = 8, loss_width = 5, number_width = 8, count_width = 6;
constexpr unsigned least_recent = 10, least_name = 9;
constexpr std::size_t longest_name = 46;  // an IPv6 address and a bit

std::uint16_t sample_of(Duration rtt) noexcept {
  constexpr std::uint32_t half = 1U << 15U;  // rounded
  return static_cast<std::uint16_t>(
      (std::bit_cast<std::uint32_t>(static_cast<float>(std::max<std::int64_t>(rtt.ns, 1))) + half) >> 16);
}
float value_of(std::uint16_t sample) noexcept {
  return std::bit_cast<float>(std::uint32_t{sample} << 16);
}

double loss_of(std::uint64_t sent, std::uint64_t received) noexcept {
  return sent == 0 ? 0 : 100.0 * static_cast<double>(sent - received) / static_cast<double>(sent);
}

// 0 % and 100 % are nothing and all, never rounded to.
std::string loss_text(std::uint64_t sent, std::uint64_t received) {
  const double loss = loss_of(sent, received);
  if (received == sent) return "0 %";
  if (loss < 9.95) return fmt::format("{:.1f} %", std::max(loss, 0.1));
  return fmt::format("{:.0f} %", received == 0 ? 100 : std::min(loss, 99.0));
}

}  // namespace

std::string shown_name(const ProbeTarget& target) {
  std::string name;
  append_printable(name, target.name);
  const std::string address = to_string(target.address);
  return target.name == address || target.name.starts_with(address + "%")
             ? name
             : fmt::format("{} ({})", name, address);
}

std::string brief_duration(Duration duration) {
  const std::int64_t s = std::max<std::int64_t>(duration.ns / 1'000'000'000, 0);
  if (s < 100) return fmt::format("{}s", s);
  if (s < 6'000) return fmt::format("{}m", s / 60);
  if (s < 360'000) return fmt::format("{}h", s / 3'600);
  return fmt::format("{}d", s / 86'400);
}

PingBoard::PingBoard(const std::vector<ProbeTarget>& targets, std::string_view what)
    : targets_(targets), what_(what), rows_(targets.size()) {}

PingBoard::Row& PingBoard::row(std::uint32_t target) noexcept {
  if (target >= rows_.size()) rows_.resize(targets_.size());
  return rows_[target];
}

void PingBoard::remember(Row& r, std::uint16_t sample) noexcept {
  r.recent[r.next] = sample;
  r.next = static_cast<std::uint16_t>((r.next + 1U) % history);
}

void PingBoard::replied(std::uint32_t target, Duration rtt) noexcept {
  Row& r = row(target);
  constexpr float gain = 16;
  if (r.received != 0) r.jitter += (std::abs(static_cast<float>(rtt.ns - r.last)) - r.jitter) / gain;
  ++r.sent;
  ++r.received;
  r.silent = 0;
  r.sum += rtt.ns;
  r.last = rtt.ns;
  r.max = std::max(r.max, rtt.ns);
  remember(r, sample_of(rtt));
}

void PingBoard::lost(std::uint32_t target) noexcept {
  Row& r = row(target);
  ++r.sent;
  if (r.silent < UINT16_MAX) ++r.silent;
  remember(r, was_lost);
}

void PingBoard::Totals::add(const Row& r) noexcept {
  ++targets;
  sent += r.sent;
  received += r.received;
  const bool is_down = r.down_since.ns != 0, is_up = !is_down && r.received != 0;
  down += is_down ? 1 : 0;
  up += is_up ? 1 : 0;
  unheard += is_down || is_up ? 0 : 1;
}

void PingBoard::Totals::remove(const Totals& t) noexcept {
  targets -= t.targets;
  up -= t.up;
  down -= t.down;
  unheard -= t.unheard;
}

// Greater is worse. Shares and round trips are rounded, lest rows change places with every probe.
std::uint64_t PingBoard::trouble(const Row& r) noexcept {
  constexpr std::uint64_t is_down = std::uint64_t{1} << 63U;
  if (r.down_since.ns != 0) return is_down | (is_down - 1 - static_cast<std::uint64_t>(r.down_since.ns));
  const auto loss = static_cast<std::uint64_t>(std::ceil(loss_of(r.sent, r.received)));
  const std::uint64_t avg = r.received == 0 ? 0 : static_cast<std::uint64_t>(r.sum) / r.received;
  return loss << 8U | static_cast<std::uint64_t>(std::bit_width(avg));
}

// The worst come first in ranks_, in order.
PingBoard::Totals PingBoard::rank(std::size_t shown) {
  rows_.resize(targets_.size());
  ranks_.resize(rows_.size());
  Totals all;
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    all.add(rows_[i]);
    ranks_[i] = {trouble(rows_[i]), i};
  }
  const auto end = ranks_.begin() + static_cast<std::ptrdiff_t>(std::min(shown, ranks_.size()));
  if (end != ranks_.end()) std::nth_element(ranks_.begin(), end, ranks_.end());
  std::sort(ranks_.begin(), end);
  return all;
}

PingBoard::Layout PingBoard::layout(unsigned width) const noexcept {
  Layout l{.name = static_cast<unsigned>(std::min(longest_, longest_name)),
           .sent = count_width,
           .received = count_width,
           .last = number_width,
           .avg = number_width,
           .p95 = number_width,
           .max = number_width,
           .jitter = number_width,
           .recent = 0};
  constexpr unsigned fixed = 2 + state_width + 1 + loss_width;
  const auto used = [&] {
    return l.name + fixed + l.sent + l.received + l.last + l.avg + l.p95 + l.max + l.jitter;
  };
  // What gives way to what. A name takes half of the line at most.
  for (unsigned* column : {&l.received, &l.sent, &l.jitter, &l.max, &l.p95, &l.avg, &l.last}) {
    const unsigned over = used() + 2 + least_recent > width ? used() + 2 + least_recent - width : 0;
    if (over == 0) break;
    const unsigned shorter = std::min(over, l.name - std::min(l.name, width / 2));
    if (shorter == over)
      l.name -= shorter;
    else
      *column = 0;
  }
  if (used() > width) l.name = std::max(least_name, l.name - std::min(l.name, used() - width));
  if (used() + 2 < width) l.recent = std::min(width - used() - 2, unsigned{history});
  return l;
}

std::string PingBoard::totals_line(const Totals& t, Duration running, const BoardSize& size) const {
  BoardLine line(size);
  line.put(what_, bold).put(" " + clock_text(running), dim);
  line.put(fmt::format("  {} {}", human_count(t.targets), t.targets == 1 ? "target" : "targets"));
  line.put("  ").put(human_count(t.up) + " up", t.up > 0 ? green : std::string_view{});
  line.put("  ").put(human_count(t.down) + " down", t.down > 0 ? "\x1b[1;31m" : std::string_view{});
  if (t.unheard > 0) line.put("  ").put(human_count(t.unheard) + " unheard", dim);
  line.put("  ").put(loss_text(t.sent, t.received) + " lost",
                     t.received < t.sent ? yellow : std::string_view{});
  return line.put(fmt::format("  {} sent", human_count(t.sent))).take();
}

std::string PingBoard::names_line(const Layout& l, const BoardSize& size) {
  BoardLine line(size);
  line.left("target", l.name, dim).put("  ").left("state", state_width, dim);
  const auto name = [&](std::string_view text, unsigned width) {
    if (width != 0) line.right(text, width, dim);
  };
  name("sent", l.sent);
  name("rcvd", l.received);
  line.put(" ").right("loss", loss_width, dim);
  name("last", l.last);
  name("avg", l.avg);
  name("p95", l.p95);
  name("max", l.max);
  name("jitter", l.jitter);
  if (l.recent != 0) line.put("  ").put(l.recent < least_recent ? "" : "recent", dim);
  return line.take();
}

std::string PingBoard::row_line(std::uint32_t target, Time now, const Layout& l,
                                const BoardSize& size) const {
  const Row& r = rows_[target];
  BoardLine line(size);
  const bool down = r.down_since.ns != 0;
  line.left(shown_name(targets_[target]), l.name, down ? red : std::string_view{}).put("  ");
  if (down)
    line.left("down " + brief_duration(now - r.down_since), state_width, "\x1b[1;31m");
  else if (r.silent > 0)
    line.left(fmt::format("lost {}", r.silent), state_width, yellow);
  else
    line.left(r.sent == 0 ? "…" : "up", state_width, r.sent == 0 ? dim : green);
  if (l.sent != 0) line.right(fmt::format("{}", r.sent), l.sent);
  if (l.received != 0) line.right(fmt::format("{}", r.received), l.received);
  const bool lossy = r.received < r.sent;
  line.put(" ").right(r.sent == 0 ? "-" : loss_text(r.sent, r.received), loss_width,
                      r.sent == 0 ? dim
                      : down      ? red
                      : lossy     ? yellow
                                  : std::string_view{});
  const auto round_trip = [&](unsigned width, std::uint32_t replies, auto ns) {
    if (width == 0) return;
    const bool known = r.received >= replies;
    line.right(known ? human_duration({static_cast<std::int64_t>(ns())}) : "-", width,
               known ? std::string_view{} : dim);
  };
  round_trip(l.last, 1, [&] { return r.last; });
  round_trip(l.avg, 1, [&] { return r.sum / r.received; });
  round_trip(l.p95, 1, [&] { return recent_p95(r).ns; });
  round_trip(l.max, 1, [&] { return r.max; });
  round_trip(l.jitter, 2, [&] { return r.jitter; });
  if (l.recent != 0) put_recent(line.put("  "), r, l.recent);
  return line.take();
}

// Nearest rank; of the last round trip when none of the latest probes had one.
Duration PingBoard::recent_p95(const Row& r) {
  std::array<float, history> values{};
  std::size_t count = 0;
  for (const std::uint16_t sample : r.recent)
    if (sample != 0 && sample != was_lost) values[count++] = value_of(sample);
  if (count == 0) return {r.last};
  constexpr std::size_t percent = 95;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>((count * percent + 99) / 100 - 1);
  std::nth_element(values.begin(), at, values.begin() + static_cast<std::ptrdiff_t>(count));
  return {std::min(std::llround(*at), static_cast<long long>(r.max))};
}

// The latest at the right end of what there is. A step is a factor of √2 over the least that is shown.
void PingBoard::put_recent(BoardLine& line, const Row& r, unsigned columns) {
  std::size_t first = history - columns;
  const auto at = [&](std::size_t i) { return r.recent[(r.next + i) % history]; };
  while (first < history && at(first) == 0) ++first;
  float least = INFINITY;
  for (std::size_t i = first; i < history; ++i)
    if (at(i) != was_lost) least = std::min(least, value_of(at(i)));
  for (std::size_t i = first; i < history; ++i) {
    if (at(i) == was_lost) {
      line.put(loss_mark, red);
      continue;
    }
    const long step = std::lround(2 * std::log2(value_of(at(i)) / least));
    const auto level = static_cast<std::size_t>(std::clamp(step, 0L, long{std::size(level_blocks)} - 1));
    line.put(level_blocks[level], level < 4 ? green : yellow);
  }
}

std::string PingBoard::rest_line(const Totals& rest, const BoardSize& size) {
  std::string text = fmt::format("… and {} more", human_count(rest.targets));
  if (rest.up == rest.targets) {
    text += ", all up";
  } else if (rest.down == rest.targets) {
    text += ", all down";
  } else if (rest.unheard == rest.targets) {
    text += ", all unheard";
  } else {
    std::string_view mark = ": ";
    const auto add = [&](std::uint64_t count, std::string_view what) {
      if (count == 0) return;
      text += fmt::format("{}{} {}", mark, human_count(count), what);
      mark = ", ";
    };
    add(rest.down, "down");
    add(rest.up, "up");
    add(rest.unheard, "unheard");
  }
  return BoardLine(size).put(text, dim).take();
}

std::vector<std::string> PingBoard::lines(Time now, Duration running, const BoardSize& size) {
  for (; measured_ < targets_.size() && longest_ < longest_name; ++measured_)
    longest_ = std::max(
        {longest_, std::string_view("target").size(), display_width(shown_name(targets_[measured_]))});
  constexpr std::size_t around = 2;  // lines that are no target
  const std::size_t room = size.height > around + 1 ? size.height - around : 1;
  const bool all = targets_.size() <= room;
  const std::size_t shown = all ? targets_.size() : std::max<std::size_t>(room, 2) - 1;
  const Totals totals = rank(shown);
  const Layout l = layout(size.width);
  std::vector<std::string> out{totals_line(totals, running, size), names_line(l, size)};
  Totals listed;
  for (std::size_t i = 0; i < shown; ++i) {
    listed.add(rows_[ranks_[i].target]);
    out.push_back(row_line(ranks_[i].target, now, l, size));
  }
  Totals rest = totals;
  rest.remove(listed);
  if (!all) out.push_back(rest_line(rest, size));
  out.resize(std::min<std::size_t>(out.size(), std::max(size.height, 1U)));
  return out;
}

}  // namespace weir

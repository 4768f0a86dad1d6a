#include "cli/front/bandwidth_board.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/human.hpp"

namespace weir {
namespace {

using style::bold, style::cyan, style::dim, style::green, style::red, style::yellow;

constexpr unsigned rate_width = 11, share_width = 7, total_width = 9, least_recent = 6;
constexpr std::size_t longest_name = 30;
constexpr double busy = 80;  // %: worth a look

std::string label_of(const Counter& c) {
  std::string name;
  append_printable(name, c.name);
  return c.device ? to_string(*c.device) + " " + name : name;
}

}  // namespace

void BandwidthBoard::Direction::add(std::optional<double> bits, std::optional<double> share,
                                    std::optional<double> bad, std::optional<std::uint64_t> delta) {
  rate = bits;
  utilization = share;
  errors = bad;
  bytes += delta.value_or(0);
  recent.push_back(bits.value_or(-1));
  if (recent.size() > history) recent.pop_front();
}

void BandwidthBoard::take(const std::vector<Counter>& counters, std::optional<Addr> device) {
  for (Row& row : rows_) row.gone = row.gone || row.device == device;
  for (const Counter& c : counters) {
    const std::string key = fmt::format("{}#{}", c.device ? to_string(*c.device) : "", c.interface);
    auto place = places_.find(key);
    if (place == places_.end()) {
      // An interface that was replaced takes the row of the one before.
      const std::string label = label_of(c);
      const auto old = std::ranges::find_if(rows_, [&](const Row& r) { return r.gone && r.label == label; });
      const auto at = static_cast<std::size_t>(old - rows_.begin());
      if (at == rows_.size()) rows_.emplace_back();
      place = places_.insert_or_assign(key, at).first;
    }
    Row& row = rows_[place->second];
    row.label = label_of(c);
    row.device = device;
    row.gone = false;
    row.up = c.up;
    row.speed = c.speed;
    row.in.add(c.in_bits_per_second, c.in_utilization, c.in_errors_per_second, c.in_bytes_delta);
    row.out.add(c.out_bits_per_second, c.out_utilization, c.out_errors_per_second, c.out_bytes_delta);
  }
  for (Row& row : rows_)
    if (row.gone && row.device == device) row.in.add({}, {}, {}, {}), row.out.add({}, {}, {}, {});
}

BandwidthBoard::Layout BandwidthBoard::layout(unsigned width) const noexcept {
  Layout l;
  bool speeds = false;
  for (const Row& row : rows_) {
    l.name = std::max(l.name, static_cast<unsigned>(std::min(display_width(row.label), longest_name)));
    speeds = speeds || row.speed;
  }
  const auto room = [&] {  // of both directions
    const unsigned used = l.name + 2 * (2 + rate_width + l.share + l.total);
    return used < width ? (width - used) / 2 : 0;
  };
  if (speeds) l.share = share_width;
  l.total = total_width;
  if (room() < least_recent + 1) l.total = 0;
  if (room() < least_recent + 1) l.share = 0;
  l.recent = room() > least_recent ? std::min(room() - 1, unsigned{history}) : 0;
  return l;
}

std::string BandwidthBoard::totals_line(Duration running, const BoardSize& size) const {
  double in = 0, out = 0;
  for (const Row& row : rows_) {
    in += row.in.rate.value_or(0);
    out += row.out.rate.value_or(0);
  }
  BoardLine p(size);
  p.put("bandwidth", bold);
  p.put(" " + clock_text(running), dim);
  p.put(fmt::format("  {} {}", human_count(rows_.size()), rows_.size() == 1 ? "interface" : "interfaces"));
  p.put("  in " + human_bits_per_second(in), green);
  p.put("  out " + human_bits_per_second(out), cyan);
  return p.take();
}

std::string BandwidthBoard::names_line(const Layout& l, const BoardSize& size) const {
  BoardLine p(size);
  p.left("interface", l.name, dim);
  for (const std::string_view direction : {"in", "out"}) {
    p.put("  ");
    p.right(direction, rate_width, dim);
    if (l.share != 0) p.right("link", l.share, dim);
    if (l.total != 0) p.right("total", l.total, dim);
    if (l.recent != 0) p.left("", l.recent + 1);
  }
  return p.take();
}

std::string BandwidthBoard::row_line(const Row& row, const Layout& l, const BoardSize& size) {
  BoardLine p(size);
  const bool down = row.up && !*row.up;
  p.left(row.label, l.name, row.gone || down ? red : std::string_view{});
  if (row.gone || down) {
    p.put("  ");
    p.right(row.gone ? "gone" : "down", rate_width, red);
    return p.take();
  }
  // The two directions can be compared.
  const double top = std::max(chart_top(row.in.recent, l.recent), chart_top(row.out.recent, l.recent));
  for (const Direction* d : {&row.in, &row.out}) {
    const std::string_view paint = d == &row.in ? green : cyan;
    const bool still = !d->rate || *d->rate == 0, bad = d->errors.value_or(0) > 0;
    p.put("  ");
    p.right(d->rate ? human_bits_per_second(*d->rate) : "-", rate_width, still ? dim : bad ? red : paint);
    if (l.share != 0)
      p.right(d->utilization ? fmt::format("{:.1f} %", *d->utilization) : "-", l.share,
              d->utilization.value_or(0) >= busy ? yellow
              : row.speed                        ? std::string_view{}
                                                 : dim);
    if (l.total != 0) p.right(human_bytes(d->bytes), l.total, dim);
    if (l.recent == 0) continue;
    p.put(" ").chart(d->recent, l.recent, top, paint);
  }
  return p.take();
}

std::vector<std::string> BandwidthBoard::lines(Duration running, const BoardSize& size) const {
  constexpr std::size_t around = 2;  // lines that are no interface
  const Layout l = layout(size.width);
  std::vector<std::string> text{totals_line(running, size), names_line(l, size)};
  const std::size_t room = size.height > around + 1 ? size.height - around : 1;
  const std::size_t shown = rows_.size() <= room ? rows_.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) text.push_back(row_line(rows_[i], l, size));
  if (shown < rows_.size()) {
    BoardLine p(size);
    p.put(fmt::format("… and {} more", human_count(rows_.size() - shown)), dim);
    text.push_back(p.take());
  }
  text.resize(std::min<std::size_t>(text.size(), std::max(size.height, 1U)));
  return text;
}

}  // namespace weir

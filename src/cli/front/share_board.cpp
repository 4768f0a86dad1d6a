#include "cli/front/share_board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/human.hpp"

namespace weir {
namespace {

using style::bold, style::cyan, style::dim, style::green;

constexpr unsigned rate_width = 11, total_width = 9, least_recent = 6, least_who = 16;
constexpr double memory = 5;       // seconds that `lately` looks back
constexpr std::size_t around = 2;  // lines that are no row

std::string rate_text(double rate) {
  return human_bits_per_second(rate);
}

}  // namespace

void ShareBoard::Row::add(const Volume& volume, double seconds) {
  total += volume;
  in = seconds > 0 ? static_cast<double>(volume.in_bytes) * 8 / seconds : 0;
  out = seconds > 0 ? static_cast<double>(volume.out_bytes) * 8 / seconds : 0;
  const double weight = in_recent.empty() ? 1 : 1 - std::exp(-seconds / memory);
  lately += (in + out - lately) * weight;
  for (auto* recent : {&in_recent, &out_recent}) {
    recent->push_back(recent == &in_recent ? in : out);
    if (recent->size() > history) recent->pop_front();
  }
}

void ShareBoard::take(std::size_t place, const std::string& name, Duration interval,
                      const std::vector<Named>& shares, const Volume& unattributed, const Volume& counted) {
  Interface& i = interfaces_[place];
  i.name = name;
  const double s = interval.seconds();
  i.sum.add(counted, s);
  i.unattributed.add(unattributed, s);
  std::set<std::string_view> moving;
  for (const Named& share : shares) {
    i.rows[share.who].add(share.volume, s);
    moving.insert(share.who);
  }
  for (auto& [who, row] : i.rows)
    if (!moving.contains(who)) row.add({}, s);
  if (i.rows.size() <= most_rows) return;
  std::vector<std::pair<double, std::string>> stillest;
  for (const auto& [who, row] : i.rows) stillest.emplace_back(row.lately, who);
  std::ranges::sort(stillest);
  stillest.resize(i.rows.size() - most_rows);
  for (const auto& [rate, who] : stillest) i.rows.erase(who);
}

std::vector<ShareBoard::Shown> ShareBoard::busiest(const Interface& interface, std::size_t most) {
  std::vector<Shown> rows;
  for (const auto& [who, row] : interface.rows) rows.push_back({who, &row});
  // Those that are still by now, by what they took.
  const auto rank = [](const Shown& s) {
    return std::pair(s.row->lately < 1 ? 0 : s.row->lately, s.row->total.bytes());
  };
  std::ranges::stable_sort(rows, std::greater{}, rank);
  rows.resize(std::min(rows.size(), most));
  return rows;
}

ShareBoard::Layout ShareBoard::layout(unsigned width, const std::vector<std::vector<Shown>>& shown) const {
  Layout l{.who = least_who, .total = total_width};
  l.who = std::max(l.who, static_cast<unsigned>(column_name().size()));
  for (const auto& [place, i] : interfaces_)
    l.who = std::max(l.who, static_cast<unsigned>(display_width(i.name)));
  for (const auto& rows : shown)
    for (const Shown& s : rows) l.who = std::max(l.who, static_cast<unsigned>(display_width(s.who)) + 2);
  const auto room = [&] {  // of both directions
    const unsigned used = l.who + 2 * (2 + rate_width + l.total);
    return used < width ? (width - used) / 2 : 0;
  };
  // Who it is comes first; a chart gives way to it, then the totals, then its end is cut off.
  if (room() < 1) l.total = 0;
  if (l.who + 2 * (2 + rate_width) > width)
    l.who = std::max(least_who, width - std::min(width, 2 * (2 + rate_width)));
  l.recent = room() > least_recent ? std::min(room() - 1, unsigned{history}) : 0;
  return l;
}

std::string ShareBoard::row_line(std::string_view who, const Row& row, const Layout& l, const BoardSize& size,
                                 std::string_view how, bool indented) {
  BoardLine p(size);
  p.left(indented ? "  " + std::string(who) : std::string(who), l.who, how);
  const double top = std::max(chart_top(row.in_recent, l.recent), chart_top(row.out_recent, l.recent));
  for (const bool in : {true, false}) {
    const double rate = in ? row.in : row.out;
    p.put("  ").right(rate_text(rate), rate_width, rate < 1 ? dim : in ? green : cyan);
    if (l.total != 0)
      p.right(human_bytes(in ? row.total.in_bytes : row.total.out_bytes), l.total,
              how == bold ? std::string_view{} : dim);
    if (l.recent != 0)
      p.put(" ").chart(in ? row.in_recent : row.out_recent, l.recent, top, in ? green : cyan);
  }
  return p.take();
}

void ShareBoard::add_interface(std::vector<std::string>& text, const Interface& i,
                               const std::vector<Shown>& shown, const Layout& l, const BoardSize& size) {
  text.push_back(row_line(i.name, i.sum, l, size, bold, false));
  // The others are what is left, whoever they were.
  Row others = i.sum;
  others.in_recent.clear();
  others.out_recent.clear();
  const auto take_off = [&](const Row& row) {
    for (const auto member : Volume::members) others.total.*member -= row.total.*member;
    others.in = std::max(others.in - row.in, 0.0);
    others.out = std::max(others.out - row.out, 0.0);
  };
  take_off(i.unattributed);
  for (const Shown& s : shown) {
    text.push_back(row_line(s.who, *s.row, l, size, {}, true));
    take_off(*s.row);
  }
  const std::size_t more = i.rows.size() - shown.size();
  if (others.total.bytes() != 0)
    text.push_back(row_line(more == 0 ? "(others)" : fmt::format("({} others)", human_count(more)), others, l,
                            size, dim, true));
  text.push_back(row_line("(unattributed)", i.unattributed, l, size, dim, true));
}

// How many rows each interface gets besides its sum and the two rests: the same, as far as it has so many.
std::vector<std::size_t> ShareBoard::rooms_for(unsigned height) const {
  constexpr std::size_t fixed = 3;
  std::size_t left = height > around ? height - around : 0;
  left -= std::min(left, fixed * interfaces_.size());
  std::vector<std::size_t> rooms(interfaces_.size());
  for (bool more = true; more && left > 0;) {
    more = false;
    std::size_t n = 0;
    for (const auto& [place, i] : interfaces_) {
      std::size_t& room = rooms[n++];
      if (room >= i.rows.size() || left == 0) continue;
      ++room;
      --left;
      more = true;
    }
  }
  return rooms;
}

std::vector<std::string> ShareBoard::lines(Duration running, const BoardSize& size) const {
  BoardLine head(size);
  double in = 0, out = 0;
  for (const auto& [place, i] : interfaces_) in += i.sum.in, out += i.sum.out;
  head.put("bandwidth", bold).put(fmt::format(" by {} ", by_)).put(clock_text(running), dim);
  head.put("  in " + rate_text(in), green).put("  out " + rate_text(out), cyan);
  std::vector<std::string> text{head.take()};
  const std::vector<std::size_t> rooms = rooms_for(size.height);
  std::vector<std::vector<Shown>> shown;
  for (const auto& [place, i] : interfaces_) shown.push_back(busiest(i, rooms[shown.size()]));
  const Layout l = layout(size.width, shown);
  BoardLine names(size);
  names.left(column_name(), l.who, dim);
  for (const std::string_view direction : {"in", "out"}) {
    names.put("  ").right(direction, rate_width, dim);
    if (l.total != 0) names.right("total", l.total, dim);
    if (l.recent != 0) names.left("", l.recent + 1);
  }
  text.push_back(names.take());
  std::size_t n = 0;
  for (const auto& [place, i] : interfaces_) add_interface(text, i, shown[n++], l, size);
  text.resize(std::min<std::size_t>(text.size(), std::max(size.height, 1U)));
  return text;
}

}  // namespace weir

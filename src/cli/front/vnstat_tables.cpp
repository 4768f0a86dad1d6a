#include "cli/front/vnstat_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/human.hpp"

namespace weir {
namespace {

constexpr std::size_t label_and_first = 28;  // columns up to the end of what was received

std::tm local(Time time) {
  const std::time_t t = time.ns / 1'000'000'000;
  std::tm parts{};
  localtime_r(&t, &parts);
  return parts;
}

std::string date_of(Time time) {
  const std::tm t = local(time);
  return fmt::format("{}-{:02}-{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

bool is_at(const PeriodUsage& row, Time time) noexcept {
  return time >= row.span.start && time < row.span.end;
}
bool is_current(const StoredTraffic& traffic, const PeriodUsage& row) noexcept {
  return is_at(row, traffic.updated);
}

std::int64_t whole_seconds(Duration d) noexcept {
  return d.ns / 1'000'000'000;
}

// Days are of 24 hours here, also those when clocks are changed.
std::int64_t length_of(const Span& span) noexcept {
  constexpr std::int64_t day = 86'400;
  const std::int64_t s = whole_seconds(span.end - span.start);
  return s < day - 7'200 ? s : (s + day / 2) / day * day;
}

// What an average is taken over: of the current period what has passed of it, since the beginning of what is
// stored; else all of it. Days with the most traffic are taken as whole ones.
std::int64_t seconds_of(const StoredTraffic& traffic, const PeriodUsage& row, bool top) noexcept {
  if (top || !is_current(traffic, row)) return length_of(row.span);
  const std::int64_t passed = whole_seconds(traffic.updated - row.span.start);
  const std::int64_t before = whole_seconds(traffic.slots.front().start - row.span.start);
  return before > 0 && before < passed ? passed - before : passed;
}

std::string row_line(std::string_view label, const std::string& in, const std::string& out,
                     const std::string& total, const std::string& rate) {
  const std::size_t width = label_and_first > label.size() ? label_and_first - label.size() : 0;
  return fmt::format("{}{:>{}} |{:>12} |{:>12} |{}\n", label, in, width, out, total, rate);
}

std::string usage_line(std::string_view label, const StoredTraffic& traffic, const PeriodUsage& row,
                       bool top) {
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, seconds_of(traffic, row, top)));
  std::string text =
      top ? fmt::format("{}{:>13} |{:>12} |{:>12} |", label, vnstat_bytes(row.in), vnstat_bytes(row.out),
                        vnstat_bytes(row.total()))
          : row_line(label, vnstat_bytes(row.in), vnstat_bytes(row.out), vnstat_bytes(row.total()), "");
  if (text.ends_with('\n')) text.pop_back();
  return text + fmt::format("{:>15}\n", vnstat_rate(row.total() * 8 / seconds));
}

// Estimates in KiB have no decimals.
std::string estimate_text(std::uint64_t bytes) {
  if (bytes == 0) return "--     ";
  constexpr std::uint64_t kibi = 1024;
  if (bytes >= 1000 && bytes < 1000 * kibi)
    return fmt::format("{:.0f} KiB", static_cast<double>(bytes) / static_cast<double>(kibi));
  return vnstat_bytes(bytes);
}

// The row at its pace, after `whole` of its period of which so much has passed; vnstat wants both directions
// for that.
std::string estimate_line(std::string_view label, const PeriodUsage& row, std::int64_t passed,
                          std::int64_t whole) {
  const auto at_the_end = [&](std::uint64_t bytes) {
    return passed <= 0 || row.in == 0 || row.out == 0
               ? 0
               : static_cast<std::uint64_t>(static_cast<double>(bytes) / static_cast<double>(passed)) *
                     static_cast<std::uint64_t>(whole);
  };
  const std::uint64_t in = at_the_end(row.in), out = at_the_end(row.out);
  return row_line(label, estimate_text(in), estimate_text(out), estimate_text(in + out), "");
}

// Both without the time before anything was stored.
std::string estimate_line(std::string_view label, const StoredTraffic& traffic, const PeriodUsage& row) {
  const std::int64_t before = whole_seconds(traffic.slots.front().start - row.span.start);
  std::int64_t passed = whole_seconds(traffic.updated - row.span.start), whole = length_of(row.span);
  if (before > 0 && passed > before && whole > before) passed -= before, whole -= before;
  return estimate_line(label, row, passed, whole);
}

std::string header(std::string_view column) {
  return fmt::format("{:>13}        rx      |     tx      |    total    |   avg. rate\n", column);
}
constexpr std::string_view rule =
    "     ------------------------+-------------+-------------+---------------\n";
constexpr std::string_view top_rule =
    "   -----------------------------+-------------+-------------+---------------\n";

std::string label_of(const PeriodUsage& row, Period period) {
  const std::tm t = local(row.span.start);
  switch (period) {
    case Period::five_minutes:
    case Period::hour: return fmt::format("         {:02}:{:02}", t.tm_hour, t.tm_min);
    case Period::day: return "     " + date_of(row.span.start);
    case Period::month: return fmt::format("       {}-{:02}", t.tm_year + 1900, t.tm_mon + 1);
    case Period::year: return fmt::format("          {}", t.tm_year + 1900);
  }
  __builtin_unreachable();
}

std::string top_table(const StoredTraffic& traffic, const std::vector<PeriodUsage>& rows, Time now) {
  std::string text = fmt::format("\n {}  /  top {}\n\n", traffic.label(), rows.size());
  text += "    #      day          rx      |     tx      |    total    |   avg. rate\n";
  text += top_rule;
  std::size_t number = 0;
  for (const PeriodUsage& row : rows)
    text += usage_line(
        fmt::format(" {}{:>3}   {}", is_at(row, now) ? '>' : ' ', ++number, date_of(row.span.start)), traffic,
        row, true);
  return text + std::string(top_rule);
}

}  // namespace

std::string vnstat_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f} {}", value, units[unit]);
}

std::string vnstat_rate(std::uint64_t bits) {
  static constexpr std::array<std::string_view, 5> units{"kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s"};
  if (bits < 1000) return fmt::format("{} bit/s", bits);
  double value = static_cast<double>(bits) / 1000;
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.2f} {}", value, units[unit]);
}

std::vector<PeriodUsage> vnstat_rows(const StoredTraffic& traffic, const VnstatMode& mode, std::size_t most) {
  std::vector<PeriodUsage> rows = usage_by(traffic.slots, mode.period);
  most = most == 0 ? rows.size() : std::min(most, rows.size());
  if (mode.letter == 't') {
    std::ranges::stable_sort(rows, std::greater{}, &PeriodUsage::total);
    rows.resize(most);
  } else {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(most));
  }
  return rows;
}

std::string vnstat_table(const StoredTraffic& traffic, const VnstatMode& mode, std::size_t most, Time now) {
  const std::vector<PeriodUsage> rows = vnstat_rows(traffic, mode, most);
  if (mode.letter == 't') return top_table(traffic, rows, now);
  std::string text = fmt::format("\n {}  /  {}\n\n", traffic.label(), mode.title);
  text += header(mode.column);
  text += rule;
  const bool dated = mode.period == Period::five_minutes || mode.period == Period::hour;
  std::string day;
  for (const PeriodUsage& row : rows) {
    if (const std::string date = date_of(row.span.start); dated && date != day) {
      text += fmt::format("     {}\n", date);
      day = date;
    }
    text += usage_line(label_of(row, mode.period), traffic, row, false);
  }
  text += rule;
  if (!dated && is_current(traffic, rows.back()))
    text += estimate_line(mode.period == Period::day ? "      estimated" : "     estimated", traffic,
                          rows.back());
  return text;
}

std::string vnstat_summary(const StoredTraffic& traffic, Time now) {
  PeriodUsage all;
  for (const Slot& slot : traffic.slots) all.in += slot.in, all.out += slot.out;
  std::string text = fmt::format(
      "Database updated: {}\n\n   {} since {}\n\n",
      [&] {
        const std::tm t = local(traffic.updated);
        return fmt::format("{} {:02}:{:02}:{:02}", date_of(traffic.updated), t.tm_hour, t.tm_min, t.tm_sec);
      }(),
      traffic.label(), date_of(traffic.slots.front().start));
  text += fmt::format("          rx:  {}      tx:  {}      total:  {}\n", vnstat_bytes(all.in),
                      vnstat_bytes(all.out), vnstat_bytes(all.total()));
  const Time yesterday{span_of(now, Period::day).start.ns - 1};
  for (const char letter : {'m', 'd'}) {
    const VnstatMode& mode = *std::ranges::find(vnstat_modes, letter, &VnstatMode::letter);
    text += fmt::format("\n   {}\n{}{}", mode.title, header(""), rule);
    const std::vector<PeriodUsage> rows = vnstat_rows(traffic, mode, 2);
    for (const PeriodUsage& row : rows) {
      std::string label = label_of(row, mode.period);
      if (mode.period == Period::day && is_at(row, now)) label = "         today";
      if (mode.period == Period::day && is_at(row, yesterday)) label = "     yesterday";
      text += usage_line(label, traffic, row, false);
    }
    text += rule;
    if (!is_current(traffic, rows.back())) continue;
    if (mode.letter == 'm') {
      text += estimate_line("     estimated", traffic, rows.back());
    } else {
      // Of the day, by whole minutes since midnight.
      const std::tm t = local(traffic.updated);
      text += estimate_line("     estimated", rows.back(), t.tm_hour * 60 + t.tm_min, 1440);
    }
  }
  return text;
}

}  // namespace weir

#include "cli/front/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/front/time_range.hpp"
#include "core/human.hpp"

namespace weir {
namespace {

constexpr std::string_view eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr int colours[] = {34, 32, 33, 35, 36, 31, 94, 92};
constexpr std::string_view gap_mark = "·", plain = "\x1b[0m", dim = "\x1b[2m";
constexpr unsigned axis_width = 12;  // "12.3 Mbit/s "

std::string value_text(double value, Unit unit) {
  if (unit == Unit::bits_per_second) return human_bits_per_second(value);
  if (unit == Unit::bytes) return human_bytes(static_cast<std::uint64_t>(value));
  return human_count(static_cast<std::uint64_t>(std::llround(value)));
}

// Several steps in one column: their mean over those that are known.
struct Columns {
  std::vector<std::vector<double>> values;  // per series
  std::vector<bool> known;
  std::size_t steps_each;
};

Columns columns_of(const Chart& chart) {
  const std::size_t steps = chart.known.size();
  const std::size_t room = chart.width > axis_width + 10 ? chart.width - axis_width : 10;
  Columns columns{{}, {}, std::max<std::size_t>(1, (steps + room - 1) / room)};
  const std::size_t count = (steps + columns.steps_each - 1) / columns.steps_each;
  columns.known.resize(count);
  columns.values.assign(chart.series.size(), std::vector<double>(count));
  for (std::size_t column = 0; column < count; ++column) {
    const std::size_t first = column * columns.steps_each, last = std::min(steps, first + columns.steps_each);
    double known = 0;
    for (std::size_t step = first; step < last; ++step) known += chart.known[step] ? 1 : 0;
    columns.known[column] = known > 0;
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
      double sum = 0;
      for (std::size_t step = first; step < last; ++step) sum += chart.series[s].values[step];
      columns.values[s][column] = known > 0 ? sum / known : 0;
    }
  }
  return columns;
}

std::string painted(std::string_view text, std::size_t series) {
  return fmt::format("\x1b[{}m{}{}", colours[series % std::size(colours)], text, plain);
}

// The part of a stacked column within one line of the chart, lines counted in eighths from below.
std::string cell(const std::vector<double>& tops, double from, double to) {
  const double top = tops.empty() ? 0 : tops.back();
  if (top <= from) return " ";
  const double middle = (from + std::min(top, to)) / 2;
  const auto series = static_cast<std::size_t>(std::ranges::lower_bound(tops, middle) - tops.begin());
  const auto filled =
      static_cast<std::size_t>(std::clamp(std::ceil((top - from) / (to - from) * 8), 1.0, 8.0));
  return painted(eighths[filled], std::min(series, tops.size() - 1));
}

std::string stacked(const Chart& chart, const Columns& columns) {
  const std::size_t count = columns.known.size();
  std::vector<std::vector<double>> tops(count);
  double most = 0;
  for (std::size_t column = 0; column < count; ++column) {
    double sum = 0;
    for (const auto& values : columns.values) tops[column].push_back(sum += values[column]);
    most = std::max(most, sum);
  }
  if (most <= 0) most = 1;
  std::string out;
  for (unsigned line = 0; line < chart.height; ++line) {
    const double to = most * (chart.height - line) / chart.height,
                 from = most * (chart.height - line - 1) / chart.height;
    const bool labelled = line == 0 || line == chart.height / 2;
    out += fmt::format("{:>{}} ", labelled ? value_text(to, chart.unit) : "", axis_width - 1);
    for (std::size_t column = 0; column < count; ++column) {
      const bool gap = !columns.known[column] && line + 1 == chart.height;
      out += gap ? std::string(gap_mark) : cell(tops[column], from, to);
    }
    out += '\n';
  }
  return out;
}

std::string lines(const Chart& chart, const Columns& columns) {
  std::size_t widest = 0;
  for (const ChartSeries& series : chart.series) widest = std::max(widest, display_width(series.name));
  std::string out;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const auto& values = columns.values[s];
    const double most = values.empty() ? 0 : *std::ranges::max_element(values);
    out += fmt::format("{}, at most {}\n{:>{}} ", chart.series[s].name, value_text(most, chart.unit), "",
                       axis_width - 1);
    for (std::size_t column = 0; column < values.size(); ++column) {
      const double share = most > 0 ? values[column] / most : 0;
      const auto filled = static_cast<std::size_t>(std::ceil(share * 8));
      out += columns.known[column] ? eighths[std::min<std::size_t>(filled, 8)] : gap_mark;
    }
    out += '\n';
  }
  return out;
}

// Local times below the columns, as many as there is room for.
std::string time_axis(const Chart& chart, const Columns& columns) {
  const std::int64_t column_ns = chart.step.ns * static_cast<std::int64_t>(columns.steps_each);
  const std::int64_t total = column_ns * static_cast<std::int64_t>(columns.known.size());
  constexpr std::int64_t day_ns = 86'400'000'000'000;
  const bool days = total > 2 * day_ns, with_seconds = column_ns < 60'000'000'000 && total < day_ns / 24;
  std::string out(axis_width, ' ');
  std::size_t at = 0;
  while (at < columns.known.size()) {
    const std::string full = local_text({chart.start.ns + column_ns * static_cast<std::int64_t>(at)});
    const std::string label = days ? full.substr(5, 11) : full.substr(11, with_seconds ? 8 : 5);
    if (at + label.size() > columns.known.size() && at != 0) break;
    out += label;
    const std::size_t next = at + label.size() + 4;
    out.append(next - at - label.size(), ' ');
    at = next;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out + "\n";
}

}  // namespace

std::string draw(const Chart& chart) {
  const Columns columns = columns_of(chart);
  std::string out = chart.colour ? stacked(chart, columns) : lines(chart, columns);
  out += time_axis(chart, columns);
  if (!chart.colour) return out;
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    out += fmt::format("{:>{}} {}\n", painted("■", s), axis_width, chart.series[s].name);
  return out;
}

}  // namespace weir

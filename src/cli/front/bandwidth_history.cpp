#include "cli/front/bandwidth_history.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/front/data.hpp"
#include "cli/front/output.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/stored_traffic.hpp"
#include "core/human.hpp"
#include "core/size.hpp"
#include "os/terminal.hpp"
#include "records/usage.hpp"

namespace weir {
namespace {

struct Asked {
  std::string step;
  Period period = Period::day;
  std::size_t rows = 0;
  int billing_day = 1;
  std::optional<std::uint64_t> quota;
  TimeRange range;
  Time now;
};

Result<Asked> asked_from(const Arguments& arguments) {
  Asked a;
  a.now = clock_time();
  a.step = arguments.value("history");
  a.period = a.step == "95th" ? Period::month : parse_period(a.step).value_or(Period::day);
  constexpr std::size_t pages[] = {288, 24, 30, 12, 0};
  a.rows = a.step == "top" ? 10 : pages[static_cast<std::size_t>(a.period)];
  if (arguments.has("rows")) {
    WEIR_TRY(a.rows, number_of(arguments, "rows", 0, UINT32_MAX));
  }
  WEIR_TRY(const std::uint64_t day, number_of(arguments, "billing-day", 1, 28));
  a.billing_day = static_cast<int>(day);
  if (arguments.has("quota")) {
    if (a.step != "95th")
      return fail(Code::usage, "is for --history 95th", "--quota", "leave it out, or ask for that");
    WEIR_TRY(a.quota, parse_size(arguments.value("quota"), "--quota"));
    if (*a.quota == 0) return fail(Code::usage, "a quota is more than nothing", "--quota", "write 1T");
  }
  WEIR_TRY(a.range, time_range_from(arguments, a.now));
  return a;
}

Result<std::vector<StoredTraffic>> series_from(const Arguments& arguments, const Asked& a) {
  WEIR_TRY(const std::unique_ptr<Archive> archive, open_archive(arguments));
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(std::vector<StoredTraffic> all,
           stored_traffic(*archive, a.range, arguments.all(""), waiting.watch()));
  waiting.done();
  for (const std::string& name : arguments.all(""))
    if (std::ranges::find(all, name, &StoredTraffic::name) == all.end())
      return fail(Code::failed, "nothing is stored of this interface", name,
                  "weir bandwidth --data DIR stores it");
  if (all.empty())
    return fail(Code::failed, "no counters are stored of that time", "--history",
                "weir bandwidth --data DIR stores them");
  return all;
}

std::vector<PeriodUsage> rows_of(const StoredTraffic& series, const Asked& a) {
  std::vector<PeriodUsage> rows = usage_by(series.slots, a.period, a.billing_day);
  const std::size_t most = a.rows == 0 ? rows.size() : std::min(a.rows, rows.size());
  if (a.step == "top") {
    std::ranges::stable_sort(rows, std::greater{}, &PeriodUsage::total);
    rows.resize(most);
  } else {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(most));
  }
  return rows;
}

std::string when(Time time, Period period) {
  const std::string text = local_text(time);
  switch (period) {
    case Period::five_minutes:
    case Period::hour: return text.substr(0, 16);
    case Period::day: return text.substr(0, 10);
    case Period::month: return text.substr(0, 10);
    case Period::year: return text.substr(0, 4);
  }
  __builtin_unreachable();
}

void print_row(std::string_view label, std::uint64_t in, std::uint64_t out, const std::string& rate,
               const std::string& rest) {
  fmt::print("  {:<16} {:>9} {:>9} {:>9} {:>12}{}\n", label, human_bytes(in), human_bytes(out),
             human_bytes(in + out), rate, rest);
}

void print_usage(const StoredTraffic& series, const Asked& a, std::string_view dim, std::string_view plain) {
  const std::vector<PeriodUsage> rows = rows_of(series, a);
  std::uint64_t most = 1;
  for (const PeriodUsage& row : rows) most = std::max(most, row.total());
  fmt::print("{}, {}\n", series.label(), a.step == "top" ? "days with the most" : "by " + a.step);
  fmt::print("{}  {:<16} {:>9} {:>9} {:>9} {:>12}{}\n", dim,
             a.step == "top"  ? "day"
             : a.step == "5m" ? "time"
                              : a.step,
             "in", "out", "total", "avg. rate", plain);
  const Time first = series.slots.front().start;
  for (const PeriodUsage& row : rows) {
    print_row(when(row.span.start, a.period), row.in, row.out, human_bits_per_second(row.rate()),
              "  " + human_bar(static_cast<double>(row.total()) / static_cast<double>(most), 20));
    const auto whole = a.period == Period::five_minutes ? std::nullopt : estimate(row, first, a.now);
    if (!whole || row.total() == 0) continue;
    const double factor = static_cast<double>(*whole) / static_cast<double>(row.total());
    fmt::print("{}", dim);
    print_row("  estimated", static_cast<std::uint64_t>(static_cast<double>(row.in) * factor),
              static_cast<std::uint64_t>(static_cast<double>(row.out) * factor), "", std::string(plain));
  }
}

// The 5-minute averages of a month.
Billing billing_of(const StoredTraffic& series, const PeriodUsage& month, const Asked& a) {
  Billing b{.time = month.span.start,
            .end = month.span.end,
            .in_bytes = month.in,
            .out_bytes = month.out,
            .bytes = month.total()};
  std::vector<double> in, out, total;
  for (const Slot& slot : series.slots) {
    if (slot.start < month.span.start || slot.start >= month.span.end) continue;
    const double rate = 8 / slot_length.seconds();
    in.push_back(static_cast<double>(slot.in) * rate);
    out.push_back(static_cast<double>(slot.out) * rate);
    total.push_back(static_cast<double>(slot.in + slot.out) * rate);
  }
  b.samples = static_cast<std::uint32_t>(in.size());
  const double due = std::max(
      1.0, std::ceil((std::min(a.now, month.span.end) - month.span.start).seconds() / slot_length.seconds()));
  b.coverage = std::min(100.0, std::round(1e4 * static_cast<double>(in.size()) / due) / 100);
  b.in_p95 = std::round(percentile_95(std::move(in)));
  b.out_p95 = std::round(percentile_95(std::move(out)));
  b.total_p95 = std::round(percentile_95(std::move(total)));
  const Time first = series.slots.front().start;
  b.forecast = estimate(month, first, a.now);
  if (!a.quota) return b;
  b.quota = a.quota;
  b.quota_used = std::round(1e4 * static_cast<double>(b.bytes) / static_cast<double>(*a.quota)) / 100;
  b.quota_reached = reached(month, *a.quota, first, a.now);
  return b;
}

bool over_quota(const Billing& b, Time now) noexcept {
  return b.quota && b.end > now && (b.bytes >= *b.quota || b.quota_reached);
}

void print_billing(const StoredTraffic& series, const std::vector<Billing>& months, std::string_view dim,
                   std::string_view plain) {
  fmt::print("{}, 95th percentile\n", series.label());
  fmt::print("{}  {:<10} {:>12} {:>12} {:>12} {:>8} {:>9} {:>9}{}\n", dim, "month of", "in", "out",
             "in + out", "samples", "coverage", "traffic", plain);
  for (const Billing& b : months) {
    fmt::print("  {:<10} {:>12} {:>12} {:>12} {:>8} {:>7.1f} % {:>9}\n", local_text(b.time).substr(0, 10),
               human_bits_per_second(b.in_p95), human_bits_per_second(b.out_p95),
               human_bits_per_second(b.total_p95), human_count(b.samples), b.coverage, human_bytes(b.bytes));
    if (!b.quota && b.forecast)
      fmt::print("  {:<10} {} at its end, if it goes on like this\n", "", human_bytes(*b.forecast));
    if (!b.quota) continue;
    fmt::print("  {:<10} {} {:.1f} % of {}", "", human_bar(*b.quota_used / 100, 20), *b.quota_used,
               human_bytes(*b.quota));
    if (b.forecast) fmt::print(", {} at its end if it goes on like this", human_bytes(*b.forecast));
    if (b.quota_reached) fmt::print(": used up on {}", local_text(*b.quota_reached).substr(0, 16));
    fmt::print("\n");
  }
  fmt::print(
      "{}  As vnstat defines it: of a month's n 5-minute averages in ascending order the one at place\n"
      "  lrint(0.95 n); in, out and their sums each by themselves. Coverage: of the averages due by now.{}\n",
      dim, plain);
}

// Columns that history has anything in. A table for people has no column of the device where all is this
// machine's.
std::vector<std::string> history_fields(const std::vector<StoredTraffic>& all, bool billing, bool table) {
  std::vector<std::string> fields =
      billing
          ? std::vector<std::string>{"time",     "end",       "device",     "name",
                                     "in_bytes", "out_bytes", "bytes",      "in_p95",
                                     "out_p95",  "total_p95", "samples",    "coverage",
                                     "quota",    "forecast",  "quota_used", "quota_reached"}
          : std::vector<std::string>{"time",      "period", "device",          "name",           "in_bytes",
                                     "out_bytes", "bytes",  "bits_per_second", "bytes_estimate", "coverage"};
  if (table && std::ranges::all_of(all, [](const StoredTraffic& t) { return t.device.empty(); }))
    std::erase(fields, "device");
  return fields;
}

// As records, in a form that was asked for.
Result<void> write_records(const Arguments& arguments, const std::vector<StoredTraffic>& all, const Asked& a,
                           bool& over) {
  const bool billing = a.step == "95th";
  const RecordType& type = billing ? record_type<Billing>() : record_type<Usage>();
  WEIR_TRY(Output output, output_from(arguments, {&type}, "json"));
  const std::string_view form = output.sink->name;
  if (output.options.fields.empty() && (form == "table" || form == "csv" || form == "tsv"))
    output.options.fields = history_fields(all, billing, form == "table");
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  for (const StoredTraffic& series : all) {
    std::optional<Addr> device;
    if (const auto parsed = parse_addr(series.device)) device = *parsed;
    for (const PeriodUsage& row : rows_of(series, a)) {
      if (billing) {
        Billing b = billing_of(series, row, a);
        over = over || over_quota(b, a.now);
        b.device = device;
        b.name = series.name;
        WEIR_CHECK(put(*sink, type, &b));
        continue;
      }
      const Usage u{.time = row.span.start,
                    .period = name_of(a.period),
                    .device = device,
                    .name = series.name,
                    .in_bytes = row.in,
                    .out_bytes = row.out,
                    .bytes = row.total(),
                    .bits_per_second = std::round(row.rate()),
                    .bytes_estimate = estimate(row, series.slots.front().start, a.now),
                    .coverage = std::round(coverage(row, a.now) * 100) / 100};
      WEIR_CHECK(put(*sink, type, &u));
    }
  }
  return sink->close();
}

}  // namespace

Result<int> bandwidth_history(const Arguments& arguments) {
  WEIR_TRY(const Asked a, asked_from(arguments));
  WEIR_TRY(const std::vector<StoredTraffic> all, series_from(arguments, a));
  bool over = false;
  const Terminal terminal = stdout_terminal();
  if (arguments.has("output") || arguments.has("write") || arguments.has("fields")) {
    WEIR_CHECK(write_records(arguments, all, a, over));
    return over ? 1 : 0;
  }
  const std::string_view dim = terminal.colour ? "\x1b[2m" : "", plain = terminal.colour ? "\x1b[0m" : "";
  for (const StoredTraffic& series : all) {
    if (&series != &all.front()) fmt::print("\n");
    if (a.step != "95th") {
      print_usage(series, a, dim, plain);
      continue;
    }
    std::vector<Billing> months;
    for (const PeriodUsage& month : rows_of(series, a)) months.push_back(billing_of(series, month, a));
    for (const Billing& b : months) over = over || over_quota(b, a.now);
    print_billing(series, months, dim, plain);
  }
  return over ? 1 : 0;
}

}  // namespace weir

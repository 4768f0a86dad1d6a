// vnstat's words and forms: its tables, --oneline and --json (jsonversion 2, vnStat 2.10), out of stored
// counter records.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "cli/front/time_range.hpp"
#include "cli/front/vnstat_tables.hpp"
#include "core/json.hpp"
#include "plugin/dialect.hpp"
#include "store/lake_reader.hpp"

namespace weir {
namespace {

struct VnstatWords {
  std::string interface, folder;
  enum class Form : std::uint8_t { summary, table, oneline, json, percentile };
  Form form = Form::summary;
  bool bytes = false;
  char mode = 'a';        // f h d m y t; a for all, of --json
  std::size_t limit = 0;  // 0: vnstat's own
};

struct TableWord {
  std::string_view brief, word;
  char mode;
};
constexpr TableWord table_words[] = {{"-5", "--fiveminutes", 'f'}, {"-h", "--hours", 'h'},
                                     {"-d", "--days", 'd'},        {"-m", "--months", 'm'},
                                     {"-y", "--years", 'y'},       {"-t", "--top", 't'}};

int complain(const std::string& what) {
  fmt::print("Error: {}\n", what);
  return 1;
}

bool is_word(std::span<const char* const> words, std::size_t at) {
  return at < words.size() && words[at][0] != '-';
}

bool take_number(std::string_view word, std::size_t& to) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), to);
  return error == std::errc{} && end == word.data() + word.size();
}

// The exit code when that is all.
std::optional<int> read_words(std::span<const char* const> words, VnstatWords& to) {
  using Form = VnstatWords::Form;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto* table = std::ranges::find_if(
        table_words, [&](const TableWord& t) { return word == t.brief || word == t.word; });
    if ((word == "-i" || word == "--iface" || word == "--dbdir") && i + 1 < words.size()) {
      (word == "--dbdir" ? to.folder : to.interface) = words[++i];
    } else if (table != std::end(table_words)) {
      to.form = Form::table;
      to.mode = table->mode;
      if (is_word(words, i + 1) && !take_number(words[++i], to.limit))
        return complain(fmt::format("Invalid limit parameter \"{}\" for {}.", words[i], word));
    } else if (word == "--limit" && is_word(words, i + 1)) {
      if (!take_number(words[++i], to.limit))
        return complain(fmt::format("Invalid limit parameter \"{}\" for {}.", words[i], word));
    } else if (word == "--95th") {
      to.form = Form::percentile;
    } else if (word == "--oneline") {
      to.form = Form::oneline;
      if (is_word(words, i + 1)) to.bytes = std::string_view(words[++i]) == "b";
    } else if (word == "--json") {
      to.form = Form::json;
      if (is_word(words, i + 1)) to.mode = words[++i][0];
      if (is_word(words, i + 1)) take_number(words[++i], to.limit);
    } else if (word != "-q" && word != "--query") {
      return complain(fmt::format(
          "weir has -5, -h, -d, -m, -y, -t [limit], --limit, --95th, --oneline [b], --json [f|h|d|m|y|t] "
          "[limit], -i and --dbdir of vnstat, not \"{}\".",
          word));
    }
  }
  if (std::string_view("afhdmyt").find(to.mode) == std::string_view::npos)
    return complain(fmt::format("Invalid mode parameter \"{}\".", to.mode));
  if (to.folder.empty())
    if (const char* set = std::getenv("WEIR_DATA")) to.folder = set;
  if (to.folder.empty())
    return complain("no folder of stored records is named: give --dbdir DIR or set WEIR_DATA");
  return std::nullopt;
}

std::tm local(Time time) {
  const std::time_t t = time.ns / 1'000'000'000;
  std::tm parts{};
  localtime_r(&t, &parts);
  return parts;
}

// ;day;rx;tx;total;rate of the latest day or month.
std::string oneline_part(const StoredTraffic& traffic, Period period, bool bytes) {
  const PeriodUsage usage = usage_by(traffic.slots, period).back();
  const std::tm t = local(usage.span.start);
  std::string out = fmt::format(";{}-{:02}", t.tm_year + 1900, t.tm_mon + 1);
  if (period == Period::day) out += fmt::format("-{:02}", t.tm_mday);
  const Time since = std::max(usage.span.start, traffic.slots.front().start);
  const auto elapsed =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, (traffic.updated - since).ns / 1'000'000'000));
  if (bytes)
    return out + fmt::format(";{};{};{};{}", usage.in, usage.out, usage.total(), usage.total() / elapsed);
  return out + fmt::format(";{};{};{};{}", vnstat_bytes(usage.in), vnstat_bytes(usage.out),
                           vnstat_bytes(usage.total()), vnstat_rate(usage.total() * 8 / elapsed));
}

void print_oneline(const StoredTraffic& traffic, bool bytes) {
  std::uint64_t in = 0, out = 0;
  for (const Slot& slot : traffic.slots) in += slot.in, out += slot.out;
  const auto text = [&](std::uint64_t n) { return bytes ? std::to_string(n) : vnstat_bytes(n); };
  fmt::print("1;{}{}{};{};{};{}\n", traffic.name, oneline_part(traffic, Period::day, bytes),
             oneline_part(traffic, Period::month, bytes), text(in), text(out), text(in + out));
}

std::string date_json(Time time, Period period) {
  const std::tm t = local(time);
  std::string out = fmt::format("\"date\":{{\"year\":{}", t.tm_year + 1900);
  if (period != Period::year) out += fmt::format(",\"month\":{}", t.tm_mon + 1);
  if (period != Period::year && period != Period::month) out += fmt::format(",\"day\":{}", t.tm_mday);
  out += "}";
  if (period == Period::hour || period == Period::five_minutes)
    out += fmt::format(",\"time\":{{\"hour\":{},\"minute\":{}}}", t.tm_hour, t.tm_min);
  return out + fmt::format(",\"timestamp\":{}", time.ns / 1'000'000'000);
}

std::string mode_json(const StoredTraffic& traffic, const VnstatMode& mode, std::size_t limit) {
  const std::vector<PeriodUsage> rows = vnstat_rows(traffic, mode, limit != 0 ? limit : mode.json_rows);
  // The numbers of rows are those of our own count: vnstat's are of its database.
  std::size_t id = mode.letter == 't' ? 0 : usage_by(traffic.slots, mode.period).size() - rows.size();
  std::string out = fmt::format(",\"{}\":[", mode.name);
  for (const PeriodUsage& row : rows) {
    if (!out.ends_with('[')) out += ',';
    out += fmt::format("{{\"id\":{},{},\"rx\":{},\"tx\":{}}}", ++id, date_json(row.span.start, mode.period),
                       row.in, row.out);
  }
  return out + "]";
}

std::string interface_json(const StoredTraffic& traffic, const VnstatWords& words) {
  std::uint64_t in = 0, out = 0;
  for (const Slot& slot : traffic.slots) in += slot.in, out += slot.out;
  std::string name;
  append_json_text(name, traffic.name);
  std::string json = fmt::format(
      "{{\"name\":{},\"alias\":\"\",\"created\":{{{}}},\"updated\":{{{}}},\"traffic\":{{\"total\":{{\"rx\":{}"
      ",\"tx\":{}}}",
      name, date_json(traffic.slots.front().start, Period::day),
      date_json(traffic.updated, Period::five_minutes), in, out);
  for (const VnstatMode& mode : vnstat_modes)
    if (words.mode == 'a' || words.mode == mode.letter) json += mode_json(traffic, mode, words.limit);
  return json + "}}";
}

std::uint64_t total(const StoredTraffic& traffic) {
  std::uint64_t sum = 0;
  for (const Slot& slot : traffic.slots) sum += slot.in + slot.out;
  return sum;
}

// The 5-minute averages of the current month, in and out and both, and the 95th percentile of each.
void print_percentile(const StoredTraffic& traffic) {
  const PeriodUsage month = usage_by(traffic.slots, Period::month).back();
  std::array<std::vector<double>, 3> rates;
  for (const Slot& slot : traffic.slots) {
    if (slot.start < month.span.start) continue;
    const std::uint64_t bytes[] = {slot.in, slot.out, slot.in + slot.out};
    for (std::size_t i = 0; i < rates.size(); ++i)
      rates[i].push_back(static_cast<double>(bytes[i]) * 8 / slot_length.seconds());
  }
  const std::tm t = local(month.span.start);
  fmt::print("\n {}  /  95th percentile  /  {}-{:02}\n\n", traffic.label(), t.tm_year + 1900, t.tm_mon + 1);
  constexpr std::string_view names[] = {"rx", "tx", "total"};
  for (std::size_t i = 0; i < rates.size(); ++i)
    fmt::print("{:>10}:{:>16}\n", names[i],
               vnstat_rate(static_cast<std::uint64_t>(percentile_95(std::move(rates[i])))));
  fmt::print("\n");
}

void print_text(const StoredTraffic& traffic, const VnstatWords& words) {
  using Form = VnstatWords::Form;
  switch (words.form) {
    case Form::oneline: print_oneline(traffic, words.bytes); break;
    case Form::percentile: print_percentile(traffic); break;
    case Form::table: {
      const VnstatMode& mode = *std::ranges::find(vnstat_modes, words.mode, &VnstatMode::letter);
      fmt::print("{}",
                 vnstat_table(traffic, mode, words.limit != 0 ? words.limit : mode.table_rows, clock_time()));
      break;
    }
    default: fmt::print("{}", vnstat_summary(traffic, clock_time())); break;
  }
}

int run(std::string_view, std::span<const char* const> given) {
  VnstatWords words;
  if (const auto code = read_words(given, words)) return *code;
  auto lake = LakeReader::open({.data = words.folder, .duck = {}});
  if (!lake) return complain(lake.error().line());
  std::vector<std::string> names;
  if (!words.interface.empty()) names.push_back(words.interface);
  auto all = stored_traffic(*lake, {}, names, {});
  if (!all) return complain(all.error().line());
  std::erase_if(*all, [](const StoredTraffic& t) { return !t.device.empty(); });  // vnstat knows of none
  if (all->empty())
    return complain(words.interface.empty()
                        ? "No interfaces found in database."
                        : fmt::format("No interface matching \"{}\" found in database.", words.interface));
  if (words.form != VnstatWords::Form::json) {
    print_text(*std::ranges::max_element(*all, {}, total), words);
    return 0;
  }
  std::string json;
  for (const StoredTraffic& traffic : *all)
    json += (json.empty() ? "" : ",") + interface_json(traffic, words);
  fmt::print("{{\"vnstatversion\":\"2.10\",\"jsonversion\":\"2\",\"interfaces\":[{}]}}\n", json);
  return 0;
}

constexpr std::string_view programs[] = {"vnstat"};
constexpr DialectSpec spec{.name = "vnstat",
                           .doc = "vnstat's tables, --oneline and --json, out of stored counters",
                           .command = "bandwidth",
                           .programs = programs,
                           .run = run};

}  // namespace
WEIR_REGISTER(DialectSpec, spec);
}  // namespace weir

// vnstat's words and forms for scripts: --oneline and --json (jsonversion 2, vnStat 2.10), out of stored
// counter records.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "cli/front/stored_traffic.hpp"
#include "cli/front/time_range.hpp"
#include "core/json.hpp"
#include "plugin/dialect.hpp"

namespace weir {
namespace {

struct VnstatWords {
  std::string interface, folder;
  bool json = false, bytes = false;
  char mode = 'a';        // of --json: f h d m y t, a for all
  std::size_t limit = 0;  // 0: vnstat's own
};

int complain(const std::string& what) {
  fmt::print("Error: {}\n", what);
  return 1;
}

bool is_word(std::span<const char* const> words, std::size_t at) {
  return at < words.size() && words[at][0] != '-';
}

// The exit code when that is all.
std::optional<int> read_words(std::span<const char* const> words, VnstatWords& to) {
  bool form = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if ((word == "-i" || word == "--iface" || word == "--dbdir") && i + 1 < words.size()) {
      (word == "--dbdir" ? to.folder : to.interface) = words[++i];
    } else if (word == "--oneline") {
      form = true;
      if (is_word(words, i + 1)) to.bytes = std::string_view(words[++i]) == "b";
    } else if (word == "--json") {
      form = to.json = true;
      if (is_word(words, i + 1)) to.mode = words[++i][0];
      if (is_word(words, i + 1)) {
        const std::string_view number = words[++i];
        std::from_chars(number.data(), number.data() + number.size(), to.limit);
      }
    } else {
      return complain(fmt::format(
          "weir has --oneline [b], --json [f|h|d|m|y|t] [limit], -i and --dbdir of vnstat, not \"{}\".",
          word));
    }
  }
  if (!form)
    return complain("weir has vnstat's --oneline and --json; for tables: weir bandwidth --history day");
  if (std::string_view("afhdmyt").find(to.mode) == std::string_view::npos)
    return complain(fmt::format("Invalid mode parameter \"{}\".", to.mode));
  if (to.folder.empty())
    if (const char* set = std::getenv("WEIR_DATA")) to.folder = set;
  if (to.folder.empty())
    return complain("no folder of stored records is named: give --dbdir DIR or set WEIR_DATA");
  return std::nullopt;
}

// A unit begins at 1000 of the one before, as vnstat has it.
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

struct Mode {
  char letter;
  std::string_view name;
  Period period;
  std::size_t usual;  // so many unless a limit is given; 0: all that vnstat keeps
};
constexpr Mode modes[] = {{'f', "fiveminute", Period::five_minutes, 0},
                          {'h', "hour", Period::hour, 0},
                          {'d', "day", Period::day, 0},
                          {'m', "month", Period::month, 0},
                          {'y', "year", Period::year, 0},
                          {'t', "top", Period::day, 20}};

std::string mode_json(const StoredTraffic& traffic, const Mode& mode, std::size_t limit) {
  std::vector<PeriodUsage> rows = usage_by(traffic.slots, mode.period);
  std::size_t most = limit != 0 ? limit : mode.usual;
  most = most == 0 ? rows.size() : std::min(most, rows.size());
  // The numbers of rows are those of our own count: vnstat's are of its database.
  std::size_t id = rows.size() - most;
  if (mode.letter == 't') {
    std::ranges::stable_sort(rows, std::greater{}, &PeriodUsage::total);
    rows.resize(most);
    id = 0;
  } else {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(most));
  }
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
  for (const Mode& mode : modes)
    if (words.mode == 'a' || words.mode == mode.letter) json += mode_json(traffic, mode, words.limit);
  return json + "}}";
}

std::uint64_t total(const StoredTraffic& traffic) {
  std::uint64_t sum = 0;
  for (const Slot& slot : traffic.slots) sum += slot.in + slot.out;
  return sum;
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
  if (!words.json) {
    print_oneline(*std::ranges::max_element(*all, {}, total), words.bytes);
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
                           .doc = "vnstat's --oneline and --json, out of stored counters",
                           .command = "bandwidth",
                           .programs = programs,
                           .run = run};

}  // namespace
WEIR_REGISTER(DialectSpec, spec);
}  // namespace weir

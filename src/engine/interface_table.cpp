#include "engine/interface_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir {
namespace {

// Columns of ifTable and ifXTable (RFC 2863).
enum Column : std::uint8_t {
  name,
  alias,
  descr,
  type,
  state,
  speed,
  high_speed,
  hc_in,
  hc_out,
  hc_in_unicast,
  hc_in_multicast,
  hc_in_broadcast,
  hc_out_unicast,
  hc_out_multicast,
  hc_out_broadcast,
  in_octets,
  out_octets,
  in_errors,
  out_errors,
  in_discards,
  out_discards
};
struct ColumnPlace {
  bool extended;  // in ifXTable
  unsigned long number;
};
constexpr std::array<ColumnPlace, 21> places{
    {{true, 1},  {true, 18},  {false, 2},  {false, 3},  {false, 8},  {false, 5},  {true, 15},
     {true, 6},  {true, 10},  {true, 7},   {true, 8},   {true, 9},   {true, 11},  {true, 12},
     {true, 13}, {false, 10}, {false, 16}, {false, 14}, {false, 20}, {false, 13}, {false, 19}}};
constexpr unsigned long table_base[] = {1, 3, 6, 1, 2, 1, 2, 2, 1},
                        extended_base[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1};
constexpr std::uint64_t loopback_type = 24;  // IANAifType softwareLoopback

}  // namespace

std::vector<ObjectId> InterfaceTable::columns() {
  static_assert(places.size() == column_count);
  std::vector<ObjectId> out;
  for (const ColumnPlace& p : places) {
    ObjectId& column = p.extended ? out.emplace_back(std::begin(extended_base), std::end(extended_base))
                                  : out.emplace_back(std::begin(table_base), std::end(table_base));
    column.push_back(p.number);
  }
  return out;
}

void InterfaceTable::take(std::size_t column, const SnmpValue& value) {
  if (value.index.size() != 1 || column >= column_count) return;
  Row& row = rows_[static_cast<std::uint32_t>(value.index.front())];
  if (column < text_columns)
    row.text[column] = value.text.value_or(std::string_view{});
  else
    row.value[column] = value.number;
  if (column == hc_in || (column == in_octets && !row.value[hc_in]))
    row.wall = value.wall, row.steady = value.steady;
}

Counter InterfaceTable::counter_of(std::uint32_t index, const Row& row) {
  const auto& v = row.value;
  Counter c{.time = row.wall, .interface = index};
  const bool wide = v[hc_in] && v[hc_out];
  c.in_bytes = wide ? v[hc_in] : v[in_octets];
  c.out_bytes = wide ? v[hc_out] : v[out_octets];
  const auto sum = [](auto a, auto b, auto d) -> std::optional<std::uint64_t> {
    if (!a) return std::nullopt;
    return *a + b.value_or(0) + d.value_or(0);
  };
  if (wide) {
    c.in_packets = sum(v[hc_in_unicast], v[hc_in_multicast], v[hc_in_broadcast]);
    c.out_packets = sum(v[hc_out_unicast], v[hc_out_multicast], v[hc_out_broadcast]);
  }
  c.in_multicast = v[hc_in_multicast];
  c.in_broadcast = v[hc_in_broadcast];
  c.out_multicast = v[hc_out_multicast];
  c.out_broadcast = v[hc_out_broadcast];
  c.in_errors = v[in_errors];
  c.out_errors = v[out_errors];
  c.in_discards = v[in_discards];
  c.out_discards = v[out_discards];
  if (v[state]) c.up = *v[state] == 1;
  // ifSpeed's greatest value says that ifHighSpeed is to be looked at, in Mbit/s.
  if (v[high_speed] && *v[high_speed] != 0)
    c.speed = *v[high_speed] * 1'000'000;
  else if (v[speed] && *v[speed] != 0 && *v[speed] != 0xffff'ffffU)
    c.speed = v[speed];
  return c;
}

bool InterfaceTable::meant(const Row& row, const Counter& c, const std::vector<std::string>& names) {
  if (!names.empty())
    return std::ranges::any_of(names, [&](const std::string& wanted) {
      return wanted == row.text[name] || wanted == row.text[descr] ||
             (!wanted.empty() && wanted == row.text[alias]);
    });
  const bool unused = !c.up.value_or(false) && c.in_bytes.value_or(0) == 0 && c.out_bytes.value_or(0) == 0;
  return !unused && row.value[type].value_or(0) != loopback_type;
}

std::vector<Counter> InterfaceTable::counters(std::optional<std::uint64_t> uptime,
                                              const std::vector<std::string>& names,
                                              std::optional<std::uint64_t> user_speed, CounterRates& rates,
                                              std::string_view agent) {
  const bool restarted = uptime && uptime_before_ && *uptime < *uptime_before_;
  uptime_before_ = uptime;
  std::vector<Counter> out;
  for (auto& [index, row] : rows_) {
    Counter c = counter_of(index, row);
    if (!c.in_bytes && !c.out_bytes) continue;
    if (!meant(row, c, names)) continue;
    if (user_speed) c.speed = user_speed;
    // Numbers may be dealt anew when a device restarts or a card is changed; names stay.
    std::string& called = row.text[name].empty() ? row.text[descr] : row.text[name];
    if (called.empty()) called = std::to_string(index);
    const bool narrow = !(row.value[hc_in] && row.value[hc_out]);
    rates.complete(fmt::format("{} {}", agent, called), c,
                   {.steady = row.steady, .restarted = restarted, .narrow = narrow});
    c.name = called;
    if (!row.text[alias].empty()) c.alias = row.text[alias];
    out.push_back(c);
  }
  return out;
}

}  // namespace weir

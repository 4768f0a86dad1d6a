// The interfaces of one SNMP agent out of its ifTable and ifXTable (RFC 2863): what the values of a walk come
// to as counters. What agents say is not trusted.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "engine/counter_rates.hpp"
#include "engine/snmp_walk.hpp"

namespace weir {

class InterfaceTable {
 public:
  static constexpr std::size_t column_count = 21;
  // To be walked.
  static std::vector<ObjectId> columns();

  // A value of one of them.
  void take(std::size_t column, const SnmpValue& value);
  // What a round came to: interfaces of these names, or all in use but the loopback; completed with rates,
  // for which `agent` is the agent's name. `speed` is the user's word for all. Texts live until clear().
  std::vector<Counter> counters(std::optional<std::uint64_t> uptime, const std::vector<std::string>& names,
                                std::optional<std::uint64_t> speed, CounterRates& rates,
                                std::string_view agent);
  // The next round begins.
  void clear() { rows_.clear(); }

 private:
  static constexpr std::size_t text_columns = 3;
  struct Row {
    std::array<std::optional<std::uint64_t>, column_count> value{};
    std::array<std::string, text_columns> text;
    Time wall, steady;  // when its octets came
  };
  static Counter counter_of(std::uint32_t index, const Row& row);
  static bool meant(const Row& row, const Counter& c, const std::vector<std::string>& names);

  std::map<std::uint32_t, Row> rows_;
  std::optional<std::uint64_t> uptime_before_;
};

}  // namespace weir

#include "store/written_tables.hpp"

#include <fmt/format.h>

#include <array>

#include "store/duckdb.hpp"

namespace weir {
namespace {

std::string list_of(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += fmt::format("{}, ", sql_name(name));
  return out;
}

std::string sums_of(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += fmt::format(", sum({0})::UBIGINT AS {0}", sql_name(name));
  return out;
}

// The values of an address that stay in a step: those with the most bytes, one after the other where they
// tie.
std::string top_of(std::string_view address, const RollupSpec& rollup) {
  return fmt::format(
      "top_{0} AS (SELECT step, {1} FROM (SELECT step, {1}, sum(bytes) AS b FROM stepped GROUP BY ALL) "
      "QUALIFY "
      "row_number() OVER (PARTITION BY step ORDER BY b DESC, {1}) <= {2})",
      address, sql_name(address), rollup.keep);
}

}  // namespace

std::string WrittenTable::select(const std::string& from, const std::string& hour_condition) const {
  if (rollup == nullptr) return fmt::format("SELECT * FROM {} WHERE {}", from, hour_condition);
  std::string with = fmt::format(
      "WITH stepped AS (SELECT *, time_bucket(INTERVAL {} SECONDS, time) AS step FROM {} WHERE {})", step,
      from, hour_condition);
  std::string columns = "s.step AS time, s.sensor, ", joins;
  for (const std::string_view dimension : rollup->dimensions)
    columns += fmt::format("s.{}, ", sql_name(dimension));
  for (const std::string_view address : rollup->addresses) {
    with += ", " + top_of(address, *rollup);
    columns += fmt::format("top_{0}.{1} AS {1}, ", address, sql_name(address));
    joins += fmt::format(" LEFT JOIN top_{0} ON s.step = top_{0}.step AND s.{1} = top_{0}.{1}", address,
                         sql_name(address));
  }
  std::string sums;
  for (const std::string_view name_of_sum : rollup->sums)
    sums += fmt::format(", sum(s.{0})::UBIGINT AS {0}", sql_name(name_of_sum));
  return fmt::format("{} SELECT {}count(*)::UBIGINT AS flows{} FROM stepped s{} GROUP BY ALL ORDER BY ALL",
                     with, columns, sums, joins);
}

std::string WrittenTable::merge(const std::string& from) const {
  if (rollup == nullptr) {
    std::string order;
    for (const std::string_view field : row_order(name))
      order += fmt::format("{}{}", order.empty() ? "" : ", ", sql_name(field));
    return fmt::format("SELECT * FROM {} ORDER BY {}", from, order);
  }
  return fmt::format(
      "SELECT time, sensor, {}{}sum(flows)::UBIGINT AS flows{} FROM {} GROUP BY ALL ORDER BY ALL",
      list_of(rollup->dimensions), list_of(rollup->addresses), sums_of(rollup->sums), from);
}

std::span<const std::string_view> row_order(std::string_view table) noexcept {
  static constexpr std::array<std::string_view, 3> of_flows{"src_ip", "dst_ip", "time"};
  static constexpr std::array<std::string_view, 1> of_others{"time"};
  if (table == "flow") return of_flows;
  return of_others;
}

std::vector<WrittenTable> written_tables(std::string_view record) {
  std::vector<WrittenTable> tables{{std::string(record)}};
  for (const RollupSpec& spec : rollup_specs)
    if (spec.record == record)
      for (const RollupStep& step : rollup_steps)
        tables.push_back({fmt::format("{}{}", record, step.suffix), &spec, step.seconds});
  return tables;
}

WrittenTable written_table_named(std::string_view name) {
  for (const RollupSpec& spec : rollup_specs)
    for (const RollupStep& step : rollup_steps)
      if (name == fmt::format("{}{}", spec.record, step.suffix))
        return {std::string(name), &spec, step.seconds};
  return {std::string(name)};
}

}  // namespace weir

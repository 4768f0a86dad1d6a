#include "cli/front/stored_traffic.hpp"

#include <fmt/core.h>

#include <cmath>

#include "core/human.hpp"
#include "records/counter.hpp"

namespace weir {
namespace {

// A record counts for the slot that the middle of its interval is in: readings come a little late.
std::string slots_sql(const std::string& from, const TimeRange& range,
                      const std::vector<std::string>& names) {
  std::string sql = fmt::format(
      "SELECT coalesce(CAST(device AS VARCHAR), '') AS device, coalesce(\"name\", '') AS \"name\", "
      "CAST(floor((epoch(\"time\") - \"interval\" / 2) / 300) AS BIGINT) * 300 AS slot, "
      "CAST(sum(coalesce(in_bytes_delta, 0)) AS DOUBLE) AS received, "
      "CAST(sum(coalesce(out_bytes_delta, 0)) AS DOUBLE) AS sent, CAST(sum(\"interval\") AS DOUBLE) AS "
      "measured, CAST(max(epoch(\"time\")) AS DOUBLE) AS latest "
      "FROM {} AS records WHERE \"interval\" IS NOT NULL",
      from);
  if (range.has_from()) sql += " AND \"time\" >= " + duckdb_sql().time(range.from.ns / 1000);
  if (range.has_to()) sql += " AND \"time\" < " + duckdb_sql().time(range.to.ns / 1000);
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + sql_text(name);
  if (!names.empty()) sql += fmt::format(" AND \"name\" IN ({})", listed);
  return sql + " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
}

template <class T>
T field_of(const Batch::Entry& row, std::string_view name) {
  const FieldInfo* field = row.type->find(name);
  const void* value = field == nullptr ? nullptr : field->value(row.record);
  if (value == nullptr) return T{};
  return visit_value(field->kind, value, [](const auto& v) -> T {
    if constexpr (std::is_convertible_v<decltype(v), T> &&
                  std::is_arithmetic_v<T> == std::is_arithmetic_v<std::decay_t<decltype(v)>>)
      return static_cast<T>(v);
    else
      return T{};
  });
}

}  // namespace

std::string StoredTraffic::label() const {
  std::string text;
  append_printable(text, device.empty() ? name : device + " " + name);
  return text;
}

Result<std::vector<StoredTraffic>> stored_traffic(LakeReader& lake, const TimeRange& range,
                                                  const std::vector<std::string>& names,
                                                  const QueryWatch& watch) {
  const RecordType& type = record_type<Counter>();
  WEIR_TRY(const QuestionPart part, lake.records(type, range));
  WEIR_TRY(
      const std::string from,
      lake.from(type, part, {"time", "device", "name", "interval", "in_bytes_delta", "out_bytes_delta"}));
  WEIR_TRY(const auto rows, lake.ask(slots_sql(from, range, names), watch, "--history"));
  std::vector<StoredTraffic> all;
  Batch batch;
  for (bool more = true; more;) {
    batch.clear();
    WEIR_TRY(more, rows->read(batch));
    for (const Batch::Entry& row : batch.entries()) {
      const auto device = field_of<std::string_view>(row, "device"),
                 name = field_of<std::string_view>(row, "name");
      if (all.empty() || all.back().device != device || all.back().name != name)
        all.push_back({std::string(device), std::string(name), {}, {}});
      all.back().updated = Time{std::llround(field_of<double>(row, "latest") * 1e9)};
      all.back().slots.push_back(
          {.start = Time{field_of<std::int64_t>(row, "slot") * 1'000'000'000},
           .in = static_cast<std::uint64_t>(field_of<double>(row, "received")),
           .out = static_cast<std::uint64_t>(field_of<double>(row, "sent")),
           .measured = Duration{std::llround(field_of<double>(row, "measured") * 1e9)}});
    }
  }
  return all;
}

}  // namespace weir

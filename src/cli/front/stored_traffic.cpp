#include "cli/front/stored_traffic.hpp"

#include <fmt/core.h>

#include <cmath>

#include "core/human.hpp"
#include "records/counter.hpp"

namespace weir {
namespace {

// A record counts for the slot that the middle of its interval is in: readings come a little late. The names
// of the answer are not those of columns: not every database tells them apart.
std::string slots_sql(const SqlDialect& sql, const std::string& from, const TimeRange& range,
                      const std::vector<std::string>& names) {
  const std::string seconds = sql.micros("time") + " / 1000000.0", length = sql.name("interval"),
                    name = sql.name("name");
  const std::string slot = sql.as_i64(fmt::format("floor(({} - {} / 2) / 300)", seconds, length));
  const auto sum = [&](std::string_view column) {
    return sql.as_f64(fmt::format("sum(coalesce({}, 0))", column));
  };
  std::string text = fmt::format(
      "SELECT coalesce(device, '') AS teller, coalesce({}, '') AS called, {} * 300 AS slot, {} AS received, "
      "{} AS "
      "sent, {} AS measured, {} AS latest FROM {} AS records WHERE {} IS NOT NULL",
      name, slot, sum("in_bytes_delta"), sum("out_bytes_delta"), sql.as_f64(fmt::format("sum({})", length)),
      sql.as_f64(fmt::format("max({})", seconds)), from, length);
  if (range.has_from()) text += " AND time >= " + time_bound(sql, range.from);
  if (range.has_to()) text += " AND time < " + time_bound(sql, range.to);
  std::string listed;
  for (const std::string& one : names) listed += (listed.empty() ? "" : ", ") + sql.text(one);
  if (!names.empty()) text += fmt::format(" AND {} IN ({})", name, listed);
  return text + " GROUP BY teller, called, slot ORDER BY teller, called, slot";
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

Result<std::vector<StoredTraffic>> stored_traffic(Archive& archive, const TimeRange& range,
                                                  const std::vector<std::string>& names,
                                                  const QueryWatch& watch) {
  const RecordType& type = record_type<Counter>();
  WEIR_TRY(const QuestionPart part, archive.records(type, range));
  WEIR_TRY(
      const std::string from,
      archive.from(type, part, {"time", "device", "name", "interval", "in_bytes_delta", "out_bytes_delta"}));
  WEIR_TRY(const auto rows, archive.ask(slots_sql(archive.sql(), from, range, names), watch, "--history"));
  std::vector<StoredTraffic> all;
  Batch batch;
  for (bool more = true; more;) {
    batch.clear();
    WEIR_TRY(more, rows->read(batch));
    for (const Batch::Entry& row : batch.entries()) {
      const auto device = field_of<std::string_view>(row, "teller"),
                 name = field_of<std::string_view>(row, "called");
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

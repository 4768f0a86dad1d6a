#include "store/clickhouse_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/format.hpp"
#include "store/columns.hpp"

namespace weir {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are copied as they lie in memory");

constexpr std::int64_t day_micros = 86'400'000'000;

std::string element_type(Kind kind, ClickHouseVersion version) {
  switch (kind) {
    case Kind::boolean:
    case Kind::u8: return "UInt8";
    case Kind::u16: return "UInt16";
    case Kind::u32: return "UInt32";
    case Kind::u64: return "UInt64";
    case Kind::i64: return "Int64";
    case Kind::duration:
    case Kind::f64: return "Float64";
    case Kind::time: return has_clickhouse_times(version) ? "DateTime64(6, 'UTC')" : "Int64";
    case Kind::text:
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: return "String";
  }
  return {};
}

std::string column_type(const FieldInfo& field, ClickHouseVersion version) {
  std::string element = element_type(field.kind, version);
  if (field.is_list) return fmt::format("Array({})", element);
  return field.nullable ? fmt::format("Nullable({})", element) : element;
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// LEB128, as ClickHouse's VarUInt.
void put_size(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_text(std::string& out, std::string_view text) {
  put_size(out, text.size());
  out += text;
}

void put_value(std::string& out, Kind kind, const void* from) {
  char buffer[value_text_max];
  switch (kind) {
    case Kind::text: return put_text(out, *static_cast<const Text*>(from));
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: {
      const char* end = write_value(buffer, kind, from, TimeStyle::rfc3339);
      return put_text(out, {buffer, static_cast<std::size_t>(end - buffer)});
    }
    case Kind::time: return put(out, stored_micros(*static_cast<const Time*>(from)));
    case Kind::duration: return put(out, static_cast<const Duration*>(from)->seconds());
    case Kind::boolean:
    case Kind::u8: return put(out, *static_cast<const std::uint8_t*>(from));
    case Kind::u16: return put(out, *static_cast<const std::uint16_t*>(from));
    case Kind::u32: return put(out, *static_cast<const std::uint32_t*>(from));
    case Kind::u64:
    case Kind::i64:
    case Kind::f64: return put(out, *static_cast<const std::uint64_t*>(from));
  }
}

// What stands in the place of a null.
void put_default(std::string& out, Kind kind) {
  switch (kind) {
    case Kind::boolean:
    case Kind::u8:
    case Kind::text:  // the empty text: its size
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: out.append(1, '\0'); return;
    case Kind::u16: out.append(2, '\0'); return;
    case Kind::u32: out.append(4, '\0'); return;
    case Kind::u64:
    case Kind::i64:
    case Kind::f64:
    case Kind::time:
    case Kind::duration: out.append(8, '\0'); return;
  }
}

const FieldInfo* time_of(const RecordType& type) noexcept {
  const FieldInfo* time = type.find("time");
  return time != nullptr && time->kind == Kind::time && !time->nullable ? time : nullptr;
}

}  // namespace

bool has_clickhouse_times(ClickHouseVersion version) noexcept {
  // DateTime64 came with 20.1, and the functions between it and microseconds with 20.5.
  return version >= ClickHouseVersion{20, 5};
}

std::int64_t stored_micros(Time t) noexcept {
  return t.ns >= 0 ? t.ns / 1000 : -((-t.ns + 999) / 1000);
}

std::int64_t clickhouse_day(Time t) noexcept {
  return std::max<std::int64_t>(stored_micros(t), 0) / day_micros;
}

bool is_timed(const RecordType& type) noexcept {
  return time_of(type) != nullptr;
}

std::vector<ClickHouseColumn> clickhouse_columns(const RecordType& type, ClickHouseVersion version) {
  std::vector<ClickHouseColumn> columns;
  for (const FieldInfo& field : type.fields)
    columns.push_back({std::string(field.name), column_type(field, version)});
  columns.push_back({std::string(stored_type(type).fields.back().name), "String"});
  columns.push_back({"batch", "UInt64"});
  return columns;
}

std::string create_table_sql(const RecordType& type, ClickHouseVersion version, const std::string& table) {
  std::string columns;
  for (const ClickHouseColumn& column : clickhouse_columns(type, version))
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", clickhouse_name(column.name), column.type);
  const std::string_view micros = has_clickhouse_times(version) ? "toUnixTimestamp64Micro(time)" : "time";
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} ({}) ENGINE = MergeTree {}", table, columns,
      is_timed(type)
          ? fmt::format("PARTITION BY intDiv(greatest({}, toInt64(0)), {}) ORDER BY time", micros, day_micros)
          : "ORDER BY batch");
}

std::string in_batch_sql(const RecordType& type, std::span<const ClickHouseColumn> columns,
                         std::uint64_t batch, Time first, Time last) {
  std::string sql = fmt::format("batch = {}", batch);
  if (!is_timed(type)) return sql;
  const auto time = std::ranges::find(columns, "time", &ClickHouseColumn::name);
  const std::string_view form = time->type == "Int64" ? "{}" : "fromUnixTimestamp64Micro(toInt64({}), 'UTC')";
  return fmt::format("time >= {} AND time <= {} AND {}",
                     fmt::format(fmt::runtime(form), stored_micros(first)),
                     fmt::format(fmt::runtime(form), stored_micros(last)), sql);
}

ClickHouseBlock::ClickHouseBlock(const RecordType& type)
    : type_(&type), time_(time_of(type)), columns_(type.fields.size()) {}

void ClickHouseBlock::add(const void* record) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const FieldInfo& field = type_->fields[i];
    Column& column = columns_[i];
    if (field.is_list) {
      const ListView list = field.list(record);
      for (std::size_t k = 0; k < list.size; ++k)
        put_value(column.values, field.kind, list.data + k * list.stride);
      column.elements += list.size;
      put(column.offsets, column.elements);
      continue;
    }
    const void* value = field.value(record);
    if (field.nullable) column.nulls += value == nullptr ? '\1' : '\0';
    value == nullptr ? put_default(column.values, field.kind) : put_value(column.values, field.kind, value);
  }
  if (time_ != nullptr) {
    const Time time = *static_cast<const Time*>(time_->value(record));
    first_ = rows_ == 0 ? time : std::min(first_, time);
    last_ = rows_ == 0 ? time : std::max(last_, time);
  }
  ++rows_;
}

std::uint64_t ClickHouseBlock::bytes() const noexcept {
  std::uint64_t all = 0;
  for (const Column& column : columns_)
    all += column.nulls.size() + column.offsets.size() + column.values.size();
  return all;
}

std::vector<std::string_view> ClickHouseBlock::native(std::span<const ClickHouseColumn> columns,
                                                      std::string_view sensor, std::uint64_t batch) {
  heads_.assign(columns.size() + 1, {});
  put_size(heads_[0], columns.size());
  put_size(heads_[0], rows_);
  std::vector<std::string_view> pieces{heads_[0]};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    put_text(heads_[i + 1], columns[i].name);
    put_text(heads_[i + 1], columns[i].type);
    pieces.push_back(heads_[i + 1]);
    if (i >= columns_.size()) continue;
    for (const std::string* part : {&columns_[i].nulls, &columns_[i].offsets, &columns_[i].values})
      if (!part->empty()) pieces.push_back(*part);
  }
  sensors_.clear();
  batches_.clear();
  for (std::uint64_t row = 0; row < rows_; ++row) {
    put_text(sensors_, sensor);
    put(batches_, batch);
  }
  pieces.insert(pieces.end() - 1, sensors_);
  pieces.push_back(batches_);
  return pieces;
}

}  // namespace weir

#include "store/stored_rows.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <new>

#include "store/columns.hpp"
#include "store/row_type.hpp"

namespace weir {
namespace {

// A number of any kind as one of another; nullopt when it does not fit.
template <class To, class From>
std::optional<To> number(From value) {
  if constexpr (std::is_same_v<To, double>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_same_v<From, double>) {
    if (!(value >= static_cast<double>(std::numeric_limits<To>::min()) &&
          value < static_cast<double>(std::numeric_limits<To>::max())))
      return std::nullopt;
    return static_cast<To>(value);
  } else {
    if (!std::in_range<To>(value)) return std::nullopt;
    return static_cast<To>(value);
  }
}

template <class To>
std::optional<To> parsed(Text text) {
  if constexpr (std::is_same_v<To, IpProto>) {
    return parse_ip_proto(text);
  } else {
    const auto result = [&] {
      if constexpr (std::is_same_v<To, Addr>)
        return parse_addr(text);
      else
        return parse_mac(text);
    }();
    return result ? std::optional<To>(*result) : std::nullopt;
  }
}

std::optional<Time> from_micros(std::int64_t value) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1000;
  if (value > most || value < -most) return std::nullopt;
  return Time{value * 1000};
}

std::optional<Duration> from_seconds(double value) {
  const double ns = std::round(value * 1e9);
  constexpr double most = 9.2e18;
  if (!(ns > -most && ns < most)) return std::nullopt;
  return Duration{static_cast<std::int64_t>(ns)};
}

template <class To, class From>
std::optional<To> converted(const From& value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (std::is_same_v<From, Text> &&
                     (std::is_same_v<To, Addr> || std::is_same_v<To, Mac> || std::is_same_v<To, IpProto>))
    return parsed<To>(value);
  else if constexpr (std::is_same_v<To, bool> && std::is_same_v<From, std::uint8_t>)
    return value != 0;
  else if constexpr (std::is_same_v<To, Time> && std::is_same_v<From, std::int64_t>)
    return from_micros(value);
  else if constexpr (std::is_same_v<To, Duration> && std::is_same_v<From, double>)
    return from_seconds(value);
  else if constexpr (std::is_arithmetic_v<To> && std::is_arithmetic_v<From> && !std::is_same_v<To, bool> &&
                     !std::is_same_v<From, bool>)
    return number<To>(value);
  else
    return std::nullopt;
}

template <class To>
std::optional<To> value_of(Kind kind, const void* value) {
  return visit_value(kind, value, [](const auto& v) { return converted<To>(v); });
}

// Texts as they were before they were stored; all else as it is.
template <class T>
T own(T value, Arena& arena) {
  if constexpr (std::is_same_v<T, Text>)
    if (!is_stored_as_is(value)) return arena.copy(original_text(value));
  return value;
}

template <class T>
List<T> list_of(const FieldInfo& source, const void* row, Arena& arena) {
  const ListView list = source.list(row);
  if (list.data == nullptr) return {};
  auto* out = reinterpret_cast<T*>(arena.allocate(list.size * sizeof(T) + 1, alignof(T)));
  for (std::size_t i = 0; i < list.size; ++i)
    new (out + i) T(own(value_of<T>(source.kind, list.data + i * list.stride).value_or(T{}), arena));
  return {out, list.size};
}

template <class T>
void put(const FieldInfo& target, const FieldInfo* source, const void* row, void* member, Arena& arena) {
  if (target.is_list) {
    new (member) List<T>(source != nullptr && source->is_list ? list_of<T>(*source, row, arena) : List<T>{});
    return;
  }
  const void* stored = source == nullptr || source->is_list ? nullptr : source->value(row);
  const std::optional<T> value = stored == nullptr ? std::nullopt : value_of<T>(source->kind, stored);
  if (target.unwrap != nullptr)
    new (member) std::optional<T>(value);
  else
    new (member) T(own(value.value_or(T{}), arena));
}

}  // namespace

StoredRows::StoredRows(const RecordType& rows, const RecordType& type) : record_(type.size) {
  for (const FieldInfo& field : type.fields) columns_.push_back({&field, rows.find(field.name)});
}

void* StoredRows::record(const void* row, Arena& arena) {
  for (const Column& column : columns_)
    with_kind(column.target->kind, [&]<class T>() {
      put<T>(*column.target, column.source, row, record_.data() + column.target->offset, arena);
    });
  return record_.data();
}

}  // namespace weir

// A record is described once, beside its struct: schema<R> lists every field with name, member, unit and doc.
// Everything else (JSON, CSV, table, filter, SQL, Lua, manual) reads the RecordType folded from that list.
//
// Records are trivially copyable. Text and List are views into the arena of the batch that holds the record.
// Null: std::nullopt, a Text without data, a List without data.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/addr.hpp"
#include "core/assert.hpp"
#include "core/time.hpp"

namespace weir {

using Text = std::string_view;
template <class T>
using List = std::span<const T>;

// IANA protocol number, written by name where it has one: tcp, udp, icmp.
enum class IpProto : std::uint8_t {
  icmp = 1,
  igmp = 2,
  ipip = 4,
  tcp = 6,
  udp = 17,
  ipv6 = 41,
  gre = 47,
  icmpv6 = 58,
  sctp = 132
};
// Empty for a number without a common name.
std::string_view name_of(IpProto proto) noexcept;
std::optional<IpProto> parse_ip_proto(std::string_view text) noexcept;

enum class Kind : std::uint8_t {
  boolean,
  u8,
  u16,
  u32,
  u64,
  i64,
  f64,
  text,
  time,
  duration,
  addr,
  mac,
  proto
};
std::string_view name_of(Kind kind) noexcept;

enum class Unit : std::uint8_t { none, seconds, bytes, packets, flows, percent, bits_per_second };
std::string_view name_of(Unit unit) noexcept;

template <class T>
struct Leaf;
#define WEIR_LEAF(type, kind_name)                \
  template <>                                     \
  struct Leaf<type> {                             \
    static constexpr Kind kind = Kind::kind_name; \
  }
WEIR_LEAF(bool, boolean);
WEIR_LEAF(std::uint8_t, u8);
WEIR_LEAF(std::uint16_t, u16);
WEIR_LEAF(std::uint32_t, u32);
WEIR_LEAF(std::uint64_t, u64);
WEIR_LEAF(std::int64_t, i64);
WEIR_LEAF(double, f64);
WEIR_LEAF(Text, text);
WEIR_LEAF(Time, time);
WEIR_LEAF(Duration, duration);
WEIR_LEAF(Addr, addr);
WEIR_LEAF(Mac, mac);
WEIR_LEAF(IpProto, proto);
#undef WEIR_LEAF

template <class R, class T>
struct Field {
  std::string_view name;
  T R::* member;
  Unit unit;
  std::string_view doc;
};
template <class R, class T>
consteval Field<R, T> field(std::string_view name, T R::* member, Unit unit, std::string_view doc) {
  return {name, member, unit, doc};
}
template <class R, class T>
consteval Field<R, T> field(std::string_view name, T R::* member, std::string_view doc) {
  return {name, member, Unit::none, doc};
}

template <class R, class... T>
struct Schema {
  std::string_view name, doc;
  std::tuple<Field<R, T>...> fields;
};
template <class R, class... T>
consteval Schema<R, T...> record(std::string_view name, std::string_view doc, Field<R, T>... fields) {
  return {name, doc, {fields...}};
}

template <class R>
inline constexpr auto schema = nullptr;  // specialised beside each record
template <class R>
concept Record = !std::same_as<decltype(schema<R>), const std::nullptr_t>;

struct ListView {
  const std::byte* data;
  std::size_t size, stride;
};

// One column of a record type, read through its offset. `kind` is the element kind of a list.
struct FieldInfo {
  std::string_view name, doc;
  Unit unit = Unit::none;
  Kind kind = Kind::u64;
  bool nullable = false, is_list = false;
  std::uint32_t offset = 0;
  std::uint8_t size = 0;                                     // of a value or list element
  const void* (*unwrap)(const std::byte* member) = nullptr;  // for std::optional: the value, or nullptr
  ListView (*elements)(const std::byte* member) = nullptr;   // for lists
  // Writes the member of a record that is being made: a value of `kind`, or `count` list elements.
  void (*store)(std::byte* member, const void* values, std::size_t count) = nullptr;

  // The value of `kind`, or nullptr when the field is null. Not for lists.
  const void* value(const void* record) const noexcept {
    const auto* member = static_cast<const std::byte*>(record) + offset;
    if (unwrap != nullptr) return unwrap(member);
    if (kind == Kind::text && reinterpret_cast<const Text*>(member)->data() == nullptr) return nullptr;
    return member;
  }
  ListView list(const void* record) const noexcept {
    return elements(static_cast<const std::byte*>(record) + offset);
  }
};

struct RecordType {
  std::string_view name, doc;
  std::vector<FieldInfo> fields;  // in wire order, nested records expanded in place
  std::size_t size, align;
  std::uint32_t id;     // dense, below record_type_max; differs between runs
  const void* blank{};  // a record with every field null or zero, to be copied and filled by `store`

  // nullptr when there is none.
  const FieldInfo* find(std::string_view field_name) const noexcept;
};
inline constexpr std::uint32_t record_type_max = 128;
std::uint32_t take_record_type_id() noexcept;

// Calls f with the typed value behind a `kind`.
template <class F>
decltype(auto) visit_value(Kind kind, const void* value, F&& f) {
  switch (kind) {
    case Kind::boolean: return f(*static_cast<const bool*>(value));
    case Kind::u8: return f(*static_cast<const std::uint8_t*>(value));
    case Kind::u16: return f(*static_cast<const std::uint16_t*>(value));
    case Kind::u32: return f(*static_cast<const std::uint32_t*>(value));
    case Kind::u64: return f(*static_cast<const std::uint64_t*>(value));
    case Kind::i64: return f(*static_cast<const std::int64_t*>(value));
    case Kind::f64: return f(*static_cast<const double*>(value));
    case Kind::text: return f(*static_cast<const Text*>(value));
    case Kind::time: return f(*static_cast<const Time*>(value));
    case Kind::duration: return f(*static_cast<const Duration*>(value));
    case Kind::addr: return f(*static_cast<const Addr*>(value));
    case Kind::mac: return f(*static_cast<const Mac*>(value));
    case Kind::proto: return f(*static_cast<const IpProto*>(value));
  }
  __builtin_unreachable();
}

namespace detail {

template <class T>
struct Member {
  static void describe(FieldInfo& f) {
    f.kind = Leaf<T>::kind;
    f.size = sizeof(T);
    f.store = [](std::byte* m, const void* value, std::size_t) { std::memcpy(m, value, sizeof(T)); };
  }
};
template <>
struct Member<Text> {
  static void describe(FieldInfo& f) {
    f.kind = Kind::text;
    f.size = sizeof(Text);
    f.nullable = true;
    f.store = [](std::byte* m, const void* value, std::size_t) { std::memcpy(m, value, sizeof(Text)); };
  }
};
template <class T>
struct Member<std::optional<T>> {
  static void describe(FieldInfo& f) {
    f.kind = Leaf<T>::kind;
    f.size = sizeof(T);
    f.nullable = true;
    f.store = [](std::byte* m, const void* value, std::size_t) {
      *reinterpret_cast<std::optional<T>*>(m) = *static_cast<const T*>(value);
    };
    f.unwrap = [](const std::byte* m) -> const void* {
      const auto& o = *reinterpret_cast<const std::optional<T>*>(m);
      return o ? &*o : nullptr;
    };
  }
};
template <class T>
struct Member<List<T>> {
  static void describe(FieldInfo& f) {
    f.kind = Leaf<T>::kind;
    f.size = sizeof(T);
    f.nullable = f.is_list = true;
    f.store = [](std::byte* m, const void* values, std::size_t count) {
      *reinterpret_cast<List<T>*>(m) = {static_cast<const T*>(values), count};
    };
    f.elements = [](const std::byte* m) -> ListView {
      const auto& l = *reinterpret_cast<const List<T>*>(m);
      return {reinterpret_cast<const std::byte*>(l.data()), l.size(), sizeof(T)};
    };
  }
};

template <Record R>
void flatten(std::vector<FieldInfo>& out, std::uint32_t base) {
  static const R sample{};
  const auto add = [&]<class T>(const Field<R, T>& f) {
    const auto offset =
        base + static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(&(sample.*f.member)) -
                                          reinterpret_cast<const std::byte*>(&sample));
    if constexpr (Record<T>) {
      flatten<T>(out, offset);
    } else {
      FieldInfo info{.name = f.name, .doc = f.doc, .unit = f.unit, .offset = offset};
      Member<T>::describe(info);
      out.push_back(info);
    }
  };
  std::apply([&](const auto&... f) { (add(f), ...); }, schema<R>.fields);
}

}  // namespace detail

// The one RecordType of R, made on first use. Thread-safe.
template <Record R>
const RecordType& record_type() {
  static_assert(std::is_trivially_copyable_v<R> && std::is_trivially_destructible_v<R>);
  static const RecordType type = [] {
    static const R blank{};
    RecordType t{schema<R>.name, schema<R>.doc, {}, sizeof(R), alignof(R), take_record_type_id(), &blank};
    detail::flatten<R>(t.fields, 0);
    return t;
  }();
  return type;
}

// For constexpr tables of record types: RecordTypeOf rows = {record_type<Dns>, record_type<Http>}.
using RecordTypeOf = const RecordType& (*)();

}  // namespace weir

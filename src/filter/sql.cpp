#include "filter/sql.hpp"

#include <fmt/format.h>

#include <limits>

namespace weir::filter {
namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view word) {
  return parts.size() == 1 ? parts.front() : fmt::format("({})", fmt::join(parts, word));
}

// `value` between two literals; an end at the edge of the kind says nothing.
std::string between(const std::string& value, const Range& range, const Domain& all, auto&& literal) {
  if (range.low == range.high) return fmt::format("{} = {}", value, literal(range.low));
  if (range.low == all.low) return fmt::format("{} <= {}", value, literal(range.high));
  if (range.high == all.high) return fmt::format("{} >= {}", value, literal(range.low));
  return fmt::format("{} BETWEEN {} AND {}", value, literal(range.low), literal(range.high));
}

std::int64_t signed_of(Key key) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(key) ^ sign_bit);
}

std::string signed_text(Key key) {
  const std::int64_t value = signed_of(key);
  // The smallest one cannot be written: its magnitude is read first.
  return value == std::numeric_limits<std::int64_t>::min() ? "(-9223372036854775807 - 1)"
                                                           : std::to_string(value);
}

double double_of(Key key) noexcept {
  const auto ordered = static_cast<std::uint64_t>(key);
  const std::uint64_t bits = ordered & sign_bit ? ordered ^ sign_bit : ~ordered;
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

Addr addr_of(Key key) noexcept {
  Addr a;
  for (std::size_t i = 16; i-- > 0; key >>= 8) a.bytes[i] = static_cast<std::uint8_t>(key);
  return a;
}

std::string mac_text(const SqlDialect& sql, Key key) {
  Mac mac;
  for (std::size_t i = 6; i-- > 0; key >>= 8) mac.bytes[i] = static_cast<std::uint8_t>(key);
  char buffer[mac_text_max];
  return sql.text({buffer, static_cast<std::size_t>(write_mac(buffer, mac) - buffer)});
}

// With an exponent, so that it is a double from the start and not a decimal.
std::string double_text(double value) {
  std::string out = fmt::format("{}", value);
  return out.find_first_of("en") == std::string::npos ? out + "e0" : out;
}

// Stored times are whole microseconds: of a range in nanoseconds those that lie inside.
std::string time_range(const SqlDialect& sql, const std::string& value, const Range& range) {
  const auto floor_micros = [](std::int64_t ns) { return ns / 1000 - (ns % 1000 < 0 ? 1 : 0); };
  const std::int64_t low = signed_of(range.low), high = signed_of(range.high);
  constexpr auto least = std::numeric_limits<std::int64_t>::min(),
                 most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t first = low == least ? low : floor_micros(low) + (low % 1000 != 0 ? 1 : 0);
  const std::int64_t last = high == most ? high : floor_micros(high);
  if (first > last) return sql.boolean(false);
  if (first == last) return value + " = " + sql.time(first);
  if (low == least) return value + " <= " + sql.time(last);
  if (high == most) return value + " >= " + sql.time(first);
  return fmt::format("{} BETWEEN {} AND {}", value, sql.time(first), sql.time(last));
}

// ::/0: all but the IPv4-mapped addresses, which are written as IPv4.
bool is_all_ipv6(const std::vector<Range>& ranges) noexcept {
  constexpr Key mapped = Key{0xffff} << 32;
  return ranges.size() == 2 && ranges[0].low == 0 && ranges[0].high == mapped - 1 &&
         ranges[1].low == mapped + (Key{1} << 32) && ranges[1].high == ~Key{0};
}

// "10.1." for 10.1.0.0-10.1.255.255: networks on a boundary between the numbers are told by how the text
// starts. Empty for other ranges.
std::string text_prefix(const Addr& low, const Addr& high) {
  if (!low.is_v4() || !high.is_v4()) return {};
  std::size_t same = 12;
  while (same < 16 && low.bytes[same] == high.bytes[same]) ++same;
  if (same == 12 || same == 16) return {};
  std::string out;
  for (std::size_t i = 12; i < same; ++i) out += std::to_string(low.bytes[i]) + '.';
  for (std::size_t i = same; i < 16; ++i)
    if (low.bytes[i] != 0 || high.bytes[i] != 255) return {};
  return out;
}

std::string address_range(const SqlDialect& sql, const std::string& value, const Range& range) {
  const Addr low = addr_of(range.low), high = addr_of(range.high);
  if (range.low == range.high) return fmt::format("{} = {}", value, sql.text(to_string(low)));
  if (const std::string start = text_prefix(low, high); !start.empty()) return sql.starts_with(value, start);
  constexpr Key mapped = Key{0xffff} << 32;
  if (range.low == mapped && range.high == mapped + 0xffffffff) return value + " NOT LIKE '%:%'";
  return sql.address_between(value, to_string(low), to_string(high));
}

std::string protocol_range(const SqlDialect& sql, const std::string& value, const Range& range) {
  std::vector<std::string> names;
  for (Key k = range.low; k <= range.high; ++k) {
    const std::string_view known = name_of(static_cast<IpProto>(k));
    names.push_back(sql.text(known.empty() ? std::to_string(static_cast<unsigned>(k)) : std::string(known)));
  }
  return fmt::format("{} IN ({})", value, fmt::join(names, ", "));
}

std::string key_range(const SqlDialect& sql, const std::string& value, Kind kind, const Range& range) {
  const Domain all = domain_of(kind);
  switch (kind) {
    case Kind::boolean: return range.low == 1 ? value : "NOT " + value;
    case Kind::i64: return between(value, range, all, signed_text);
    case Kind::time: return time_range(sql, value, range);
    case Kind::duration:
      return between(value, range, all, [](Key k) { return double_text(Duration{signed_of(k)}.seconds()); });
    case Kind::f64: return between(value, range, all, [](Key k) { return double_text(double_of(k)); });
    case Kind::mac:  // fixed width, lower case: text sorts as numbers do
      return between(value, range, all, [&](Key k) { return mac_text(sql, k); });
    case Kind::addr: return address_range(sql, value, range);
    case Kind::proto: return protocol_range(sql, value, range);
    default:
      return between(value, range, all, [](Key k) { return std::to_string(static_cast<std::uint64_t>(k)); });
  }
}

std::string condition(const SqlDialect& sql, const std::string& value, Kind kind, const Operand& operand) {
  std::vector<std::string> parts;
  switch (operand.form) {
    case Operand::Form::never: return sql.boolean(false);
    case Operand::Form::present: return value + " IS NOT NULL";
    case Operand::Form::texts:
      for (const std::string& t : operand.texts) parts.push_back(sql.text(t));
      return fmt::format("{} IN ({})", value, fmt::join(parts, ", "));
    case Operand::Form::contains: return sql.contains(value, operand.texts.front());
    case Operand::Form::starts_with: return sql.starts_with(value, operand.texts.front());
    case Operand::Form::ends_with: return sql.ends_with(value, operand.texts.front());
    case Operand::Form::regex: return sql.matches(value, operand.texts.front(), operand.ignore_case);
    case Operand::Form::flags:
      for (const char letter : operand.texts.front())
        parts.push_back(sql.contains(value, std::string_view(&letter, 1)));
      return joined(parts, " AND ");
    case Operand::Form::keys: break;
  }
  if (kind == Kind::addr && is_all_ipv6(operand.ranges)) return value + " LIKE '%:%'";
  for (const Range& range : operand.ranges) parts.push_back(key_range(sql, value, kind, range));
  return joined(parts, " OR ");
}

}  // namespace

std::string to_sql(const Part& part, const SqlDialect& sql, bool negated) {
  switch (part.kind) {
    case Part::Kind::never: return sql.boolean(false);
    case Part::Kind::always: return sql.boolean(true);
    case Part::Kind::negation: return "NOT " + to_sql(part.children.front(), sql, true);
    case Part::Kind::all_of:
    case Part::Kind::any_of: {
      std::vector<std::string> parts;
      for (const Part& child : part.children) parts.push_back(to_sql(child, sql, negated));
      return joined(parts, part.kind == Part::Kind::all_of ? " AND " : " OR ");
    }
    case Part::Kind::test: break;
  }
  const std::string column = sql.name(part.column->name);
  std::string test =
      condition(sql, part.column->is_list ? "element" : column, part.column->kind, *part.operand);
  if (part.column->is_list) test = sql.any_element(column, test);
  return negated ? fmt::format("coalesce({}, {})", test, sql.boolean(false)) : test;
}

}  // namespace weir::filter

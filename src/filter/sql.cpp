#include "filter/sql.hpp"

#include <fmt/format.h>

#include <limits>

namespace weir::filter {
namespace {

std::string name(std::string_view identifier) {
  return fmt::format("\"{}\"", identifier);
}  // never holds a quote

std::string text(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

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

std::string mac_text(Key key) {
  Mac mac;
  for (std::size_t i = 6; i-- > 0; key >>= 8) mac.bytes[i] = static_cast<std::uint8_t>(key);
  char buffer[mac_text_max];
  return text({buffer, static_cast<std::size_t>(write_mac(buffer, mac) - buffer)});
}

// ::/0: all but the IPv4-mapped addresses, which are written as IPv4.
bool is_all_ipv6(const std::vector<Range>& ranges) noexcept {
  constexpr Key mapped = Key{0xffff} << 32;
  return ranges.size() == 2 && ranges[0].low == 0 && ranges[0].high == mapped - 1 &&
         ranges[1].low == mapped + (Key{1} << 32) && ranges[1].high == ~Key{0};
}

Result<std::string> address_range(const std::string& value, const Range& range) {
  const Addr low = addr_of(range.low), high = addr_of(range.high);
  if (range.low == range.high) return fmt::format("{} = {}", value, text(to_string(low)));
  if (!low.is_v4() || !high.is_v4())
    return fail(Code::usage, "a range of IPv6 addresses has no SQL form: columns hold addresses as text");
  std::string number;
  for (unsigned i = 1; i <= 4; ++i)
    number += fmt::format("{}TRY_CAST(split_part({}, '.', {}) AS BIGINT) * {}", i == 1 ? "" : " + ", value, i,
                          1U << (32 - 8 * i));
  const auto v4 = [](Key k) { return std::to_string(static_cast<std::uint32_t>(k)); };
  return fmt::format("({}) BETWEEN {} AND {}", number, v4(range.low), v4(range.high));
}

Result<std::string> key_range(const std::string& value, Kind kind, const Range& range) {
  const Domain all = domain_of(kind);
  const auto number = [](Key k) { return std::to_string(static_cast<std::uint64_t>(k)); };
  switch (kind) {
    case Kind::boolean: return range.low == 1 ? value : "NOT " + value;
    case Kind::i64: return between(value, range, all, signed_text);
    case Kind::time: return between("epoch_ns(CAST(" + value + " AS TIMESTAMP_NS))", range, all, signed_text);
    case Kind::duration:
      return between("CAST(round(" + value + " * 1e9) AS BIGINT)", range, all, signed_text);
    case Kind::f64:
      return between(value, range, all, [](Key k) { return fmt::format("{:.17g}::DOUBLE", double_of(k)); });
    case Kind::mac:
      return between(value, range, all, mac_text);  // fixed width, lower case: text sorts as numbers do
    case Kind::addr: return address_range(value, range);
    case Kind::proto: {
      std::vector<std::string> names;
      for (Key k = range.low; k <= range.high; ++k) {
        const std::string_view known = name_of(static_cast<IpProto>(k));
        names.push_back(text(known.empty() ? std::to_string(static_cast<unsigned>(k)) : std::string(known)));
      }
      return fmt::format("{} IN ({})", value, fmt::join(names, ", "));
    }
    default: return between(value, range, all, number);
  }
}

Result<std::string> condition(const std::string& value, Kind kind, const Operand& operand) {
  std::vector<std::string> parts;
  for (const std::string& t : operand.texts) parts.push_back(text(t));
  switch (operand.form) {
    case Operand::Form::never: return "false";
    case Operand::Form::present: return value + " IS NOT NULL";
    case Operand::Form::texts: return fmt::format("{} IN ({})", value, fmt::join(parts, ", "));
    case Operand::Form::contains: return fmt::format("contains({}, {})", value, parts.front());
    case Operand::Form::starts_with: return fmt::format("starts_with({}, {})", value, parts.front());
    case Operand::Form::ends_with: return fmt::format("ends_with({}, {})", value, parts.front());
    case Operand::Form::regex:
      return fmt::format("regexp_matches({}, {}, '{}')", value, parts.front(),
                         operand.ignore_case ? "i" : "c");
    case Operand::Form::flags:
      parts.clear();
      for (const char letter : operand.texts.front())
        parts.push_back(fmt::format("contains({}, '{}')", value, letter));
      return joined(parts, " AND ");
    case Operand::Form::keys: break;
  }
  if (kind == Kind::addr && is_all_ipv6(operand.ranges)) return value + " LIKE '%:%'";
  for (const Range& range : operand.ranges) {
    WEIR_TRY(std::string part, key_range(value, kind, range));
    parts.push_back(std::move(part));
  }
  return joined(parts, " OR ");
}

}  // namespace

Result<std::string> to_sql(const Part& part) {
  switch (part.kind) {
    case Part::Kind::never: return "false";
    case Part::Kind::always: return "true";
    case Part::Kind::negation: {
      WEIR_TRY(const std::string child, to_sql(part.children.front()));
      return "NOT " + child;
    }
    case Part::Kind::all_of:
    case Part::Kind::any_of: {
      std::vector<std::string> parts;
      for (const Part& child : part.children) {
        WEIR_TRY(std::string sql, to_sql(child));
        parts.push_back(std::move(sql));
      }
      return joined(parts, part.kind == Part::Kind::all_of ? " AND " : " OR ");
    }
    case Part::Kind::test: break;
  }
  const std::string column = name(part.column->name);
  WEIR_TRY(const std::string sql,
           condition(part.column->is_list ? "element" : column, part.column->kind, *part.operand));
  if (!part.column->is_list) return fmt::format("coalesce({}, false)", sql);
  return fmt::format("coalesce(len(list_filter({}, lambda element: {})) > 0, false)", column, sql);
}

}  // namespace weir::filter

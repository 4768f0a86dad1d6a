#include "store/clickhouse_sql.hpp"

#include <fmt/format.h>

#include "store/clickhouse_table.hpp"

namespace weir {
namespace {

class ClickHouseSql final : public SqlDialect {
 public:
  explicit ClickHouseSql(ClickHouseVersion version) noexcept : has_times_(has_clickhouse_times(version)) {}

  std::string text(std::string_view value) const override { return clickhouse_text(value); }
  std::string name(std::string_view identifier) const override { return clickhouse_name(identifier); }
  std::string boolean(bool value) const override { return value ? "1" : "0"; }

  bool materializes() const noexcept override { return false; }
  std::string time(std::int64_t micros) const override { return as_time(fmt::format("toInt64({})", micros)); }
  std::string micros(const std::string& value) const override {
    return has_times_ ? fmt::format("toUnixTimestamp64Micro({})", value) : value;
  }
  std::string step(const std::string& value, Duration step, Duration offset) const override {
    // Rounded down, also before 1970: the remainder has the sign of what is divided.
    const std::string at = micros(value);
    return as_time(
        fmt::format("({0} - (({0} - {2}) % {1} + {1}) % {1})", at, step.ns / 1000, offset.ns / 1000));
  }
  std::string sum(const std::string& value) const override {
    return fmt::format(
        "if(sum(toFloat64({0})) >= 18446744073709551615, 18446744073709551615, toUInt64(sum({0})))", value);
  }
  std::string as_u64(const std::string& value) const override { return "toUInt64(" + value + ")"; }
  std::string as_i64(const std::string& value) const override { return "toInt64(" + value + ")"; }
  std::string as_f64(const std::string& value) const override { return "toFloat64(" + value + ")"; }

  std::string starts_with(const std::string& value, std::string_view t) const override {
    return fmt::format("startsWith({}, {})", value, text(t));
  }
  std::string ends_with(const std::string& value, std::string_view t) const override {
    return fmt::format("endsWith({}, {})", value, text(t));
  }
  std::string contains(const std::string& value, std::string_view t) const override {
    return fmt::format("position({}, {}) > 0", value, text(t));
  }
  std::string matches(const std::string& value, std::string_view regex, bool ignore_case) const override {
    return fmt::format("match({}, {})", value, text((ignore_case ? "(?i)" : "") + std::string(regex)));
  }
  std::string any_element(const std::string& list, const std::string& condition) const override {
    return fmt::format("arrayExists(element -> {}, {})", condition, list);
  }

  std::string address_between(const std::string& value, std::string_view low,
                              std::string_view high) const override {
    return fmt::format("{} BETWEEN {} AND {}", number(value), number(low), number(high));
  }
  std::string network(const std::string& value, unsigned v4_length, unsigned v6_length) const override {
    return fmt::format("if(position({}, ':') > 0, {}, {})", value, network_v6(value, v6_length),
                       network_v4(value, v4_length));
  }

 private:
  std::string as_time(const std::string& micros) const {
    return has_times_ ? fmt::format("fromUnixTimestamp64Micro({}, 'UTC')", micros) : micros;
  }
  // Sixteen bytes that sort as addresses do.
  static std::string number(const std::string& value) {
    return fmt::format("IPv6StringToNum(if(position({0}, ':') > 0, {0}, concat('::ffff:', {0})))", value);
  }
  std::string number(std::string_view literal) const {
    return fmt::format("IPv6StringToNum({})",
                       text((literal.find(':') == literal.npos ? "::ffff:" : "") + std::string(literal)));
  }
  // Today's servers refuse a statement over an address of the other kind, also in the branch that is not
  // taken.
  static std::string network_v4(const std::string& value, unsigned length) {
    if (length >= 32) return value;
    const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    return fmt::format(
        "concat(IPv4NumToString(toUInt32(bitAnd(IPv4StringToNum(if(position({0}, ':') > 0, '0.0.0.0', {0})), "
        "{1}))), '/{2}')",
        value, mask, length);
  }
  // The whole bytes that stay, and what stays of the next; toFixedString() adds zeros.
  static std::string network_v6(const std::string& value, unsigned length) {
    if (length >= 128) return value;
    const std::string bytes = number(value);
    std::string kept = fmt::format("substring({}, 1, {})", bytes, length / 8);
    if (const unsigned bits = length % 8; bits != 0)
      kept = fmt::format(
          "concat({}, reinterpretAsString(toUInt8(bitAnd(reinterpretAsUInt8(substring({}, {}, 1)), {}))))",
          kept, bytes, length / 8 + 1, 0xffU << (8 - bits) & 0xffU);
    return fmt::format("concat(IPv6NumToString(toFixedString({}, 16)), '/{}')", kept, length);
  }

  bool has_times_;
};

}  // namespace

const SqlDialect& clickhouse_sql(ClickHouseVersion version) noexcept {
  static const ClickHouseSql numbers(ClickHouseVersion{}), times(ClickHouseVersion{~0U, 0});
  return has_clickhouse_times(version) ? times : numbers;
}

}  // namespace weir

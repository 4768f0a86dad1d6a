#include "core/sql.hpp"

#include <fmt/format.h>

namespace weir {
namespace {

std::string quoted(std::string_view value, char quote) {
  std::string out(1, quote);
  for (const char c : value) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

class DuckDbSql final : public SqlDialect {
 public:
  explicit DuckDbSql(bool quick) noexcept : quick_(quick) {}
  bool materializes() const noexcept override { return true; }
  std::string time(std::int64_t micros) const override {
    char buffer[time_text_max];
    std::string written(buffer, write_rfc3339(buffer, {micros * 1000}));
    written.resize(written.size() - 4);  // nanoseconds, which are zero, and the Z
    written[10] = ' ';
    while (written.ends_with('0')) written.pop_back();
    if (written.ends_with('.')) written.pop_back();
    return "TIMESTAMP '" + written + "'";
  }
  std::string micros(const std::string& value) const override { return "epoch_us(" + value + ")"; }
  std::string step(const std::string& value, Duration step, Duration offset) const override {
    return fmt::format("time_bucket(to_microseconds({}), {}, {})", step.ns / 1000, value,
                       time(offset.ns / 1000));
  }
  std::string sum(const std::string& value) const override {
    constexpr std::string_view most = "18446744073709551615";  // least() would take it for null, too
    // DuckDB adds up unsigned numbers of 64 bits as numbers of 128.
    return fmt::format("CAST(CASE WHEN sum({0}) > {1} THEN {1} ELSE sum({0}) END AS UBIGINT)",
                       quick_ ? as_i64(value) : value, most);
  }
  std::string as_u64(const std::string& value) const override { return "CAST(" + value + " AS UBIGINT)"; }
  std::string as_i64(const std::string& value) const override { return "CAST(" + value + " AS BIGINT)"; }
  std::string as_f64(const std::string& value) const override { return "CAST(" + value + " AS DOUBLE)"; }
  std::string starts_with(const std::string& value, std::string_view t) const override {
    return fmt::format("starts_with({}, {})", value, text(t));
  }
  std::string ends_with(const std::string& value, std::string_view t) const override {
    return fmt::format("ends_with({}, {})", value, text(t));
  }
  std::string contains(const std::string& value, std::string_view t) const override {
    return fmt::format("contains({}, {})", value, text(t));
  }
  std::string matches(const std::string& value, std::string_view regex, bool ignore_case) const override {
    return fmt::format("regexp_matches({}, {}, '{}')", value, text(regex), ignore_case ? "i" : "c");
  }
  std::string any_element(const std::string& list, const std::string& condition) const override {
    return fmt::format("len(list_filter({}, lambda element: {})) > 0", list, condition);
  }
  std::string address_between(const std::string& value, std::string_view low,
                              std::string_view high) const override {
    return fmt::format("weir_between({}, {}, {})", value, text(low), text(high));
  }
  std::string network(const std::string& value, unsigned v4_length, unsigned v6_length) const override {
    return fmt::format("weir_prefix({}, {}, {})", value, v4_length, v6_length);
  }

 private:
  bool quick_;
};

}  // namespace

std::string SqlDialect::text(std::string_view value) const {
  return quoted(value, '\'');
}
std::string SqlDialect::name(std::string_view identifier) const {
  return quoted(identifier, '"');
}
std::string SqlDialect::boolean(bool value) const {
  return value ? "true" : "false";
}

const SqlDialect& duckdb_sql() noexcept {
  static const DuckDbSql dialect(false);
  return dialect;
}

const SqlDialect& duckdb_quick_sql() noexcept {
  static const DuckDbSql dialect(true);
  return dialect;
}

}  // namespace weir

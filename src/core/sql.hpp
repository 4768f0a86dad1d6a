// The pieces of SQL in which the databases that weir asks differ. Statements are put together elsewhere
// (filter/sql.cpp, store/question.cpp) from these and from what all of them share: SELECT, GROUP BY, ORDER
// BY, UNION ALL, BETWEEN, IN, coalesce, sum, min, max, count. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/time.hpp"

namespace weir {

class SqlDialect {
 public:
  virtual ~SqlDialect() = default;

  virtual std::string text(std::string_view value) const;       // 'it''s'
  virtual std::string name(std::string_view identifier) const;  // "a""b"
  virtual std::string boolean(bool value) const;

  // Whether WITH name AS MATERIALIZED (…) is known, so that one statement reads once what it uses twice.
  virtual bool materializes() const noexcept = 0;

  // Times are stored in microseconds.
  virtual std::string time(std::int64_t micros) const = 0;
  // Microseconds since 1970 of a time column, as a whole number.
  virtual std::string micros(const std::string& value) const = 0;
  // The start of the step that holds the time, as a time. Steps count from 1970-01-01T00:00:00Z plus
  // `offset`.
  virtual std::string step(const std::string& value, Duration step, Duration offset) const = 0;

  // The sum of unsigned numbers as one; of more than there is room for, the most.
  virtual std::string sum(const std::string& value) const = 0;

  // Casts, of numbers that fit.
  virtual std::string as_u64(const std::string& value) const = 0;
  virtual std::string as_i64(const std::string& value) const = 0;
  virtual std::string as_f64(const std::string& value) const = 0;

  // Conditions about texts; the right-hand side is given as it is, not quoted.
  virtual std::string starts_with(const std::string& value, std::string_view text) const = 0;
  virtual std::string ends_with(const std::string& value, std::string_view text) const = 0;
  virtual std::string contains(const std::string& value, std::string_view text) const = 0;
  virtual std::string matches(const std::string& value, std::string_view regex, bool ignore_case) const = 0;

  // A condition over the name `element` holds for some element of the list.
  virtual std::string any_element(const std::string& list, const std::string& condition) const = 0;

  // Addresses are stored as text, and text does not sort as addresses do.
  virtual std::string address_between(const std::string& value, std::string_view low,
                                      std::string_view high) const = 0;
  // The network that holds the address: "10.1.2.0/24". A length that is the whole address gives it alone.
  virtual std::string network(const std::string& value, unsigned v4_length, unsigned v6_length) const = 0;
};

// DuckDB's. address_between() and network() use functions that store/duckdb_functions.hpp adds.
const SqlDialect& duckdb_sql() noexcept;
// The same, with sums that take a fifth less time and fail for a number of 2^63 or more.
const SqlDialect& duckdb_quick_sql() noexcept;

}  // namespace weir

// SQL in, records out.
#include "store/duckdb.hpp"

#include <gtest/gtest.h>

#include "core/format.hpp"

namespace weir {
namespace {

DuckConnection connection() {
  // Never closed: at exit what DuckDB keeps itself goes first.
  static const DuckDatabase& database = *new DuckDatabase(DuckDatabase::open({}).value());
  return database.connect().value();
}

// Every value as text, a row a line.
std::string asked(const std::string& sql) {
  DuckConnection c = connection();
  auto rows = c.query(sql);
  if (!rows) return rows.error().line();
  Batch batch;
  for (;;) {
    const auto more = rows->read(batch);
    if (!more) return more.error().line();
    if (!*more) break;
  }
  std::string out;
  for (const Batch::Entry& entry : batch.entries()) {
    for (const FieldInfo& field : rows->type().fields) {
      out += out.empty() || out.back() == '\n' ? "" : "|";
      if (field.is_list) {
        const ListView list = field.list(entry.record);
        for (std::size_t i = 0; i < list.size; ++i) {
          if (i != 0) out += ';';
          append_value(out, field.kind, list.data + i * list.stride, TimeStyle::rfc3339);
        }
      } else if (const void* value = field.value(entry.record)) {
        append_value(out, field.kind, value, TimeStyle::rfc3339);
      } else {
        out += "null";
      }
    }
    out += '\n';
  }
  return out;
}

TEST(DuckDb, ValuesOfEveryKindAndNull) {
  EXPECT_EQ(
      asked("SELECT true, 1::UTINYINT, 2::USMALLINT, 3::UINTEGER, 18446744073709551615::UBIGINT, -5::BIGINT, "
            "1.5::DOUBLE, 'a text longer than twelve characters', TIMESTAMP '2026-01-31 23:59:59.123456', "
            "NULL"),
      "true|1|2|3|18446744073709551615|-5|1.5|a text longer than twelve characters|"
      "2026-01-31T23:59:59.123456000Z|null\n");
}

TEST(DuckDb, OtherTypesAreCast) {
  EXPECT_EQ(
      asked("SELECT 7, 8::HUGEINT, 0.25::DECIMAL(9, 2), DATE '2026-01-31', {'a': 1}, [1, 2], ['x', 'y'];  "),
      "7|8|0.25|2026-01-31|{'a': 1}|1;2|x;y\n");
}

TEST(DuckDb, ColumnsMayShareAName) {
  EXPECT_EQ(asked("SELECT 1 AS a, 2 AS a"), "1|2\n");
}

TEST(DuckDb, OrderAndNumberOfRowsAreKept) {
  const std::string out =
      asked("SELECT sum(i), min(i) FROM (SELECT i::UBIGINT AS i FROM range(100000) t(i) ORDER BY i)");
  EXPECT_EQ(out, "4999950000|0\n");
  const std::string many = asked("SELECT i FROM range(5000) t(i) ORDER BY i DESC");
  EXPECT_TRUE(many.starts_with("4999\n4998\n"));
  EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 5000);
}

TEST(DuckDb, ErrorsNameThePlace) {
  EXPECT_TRUE(
      asked("SELECT 1 FORM x y").starts_with("query:1:15: Parser Error: syntax error at or near \"x\""))
      << asked("SELECT 1 FORM x y");
  EXPECT_TRUE(asked("SELECT nothing").starts_with("query:1:8: Binder Error: ")) << asked("SELECT nothing");
  EXPECT_EQ(asked("SELECT 1; SELECT 2"), "query: holds more than one statement (ask them one by one)");
  EXPECT_TRUE(asked("SELECT 9223372036854775808::HUGEINT").find("Conversion Error") != std::string::npos);
}

TEST(DuckDb, AWatchEndsTheQuery) {
  DuckConnection c = connection();
  const auto rows = c.query("SELECT count(*) FROM range(100000000000) t(i)", [](double) { return false; });
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().what, "interrupted");
}

TEST(DuckDb, QuotesInTextsAndNames) {
  EXPECT_EQ(asked("SELECT " + sql_text("it's") + " AS " + sql_name("a\"b")), "it's\n");
}

}  // namespace
}  // namespace weir

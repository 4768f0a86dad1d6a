// The condition of a WHERE, in DuckDB's dialect.
#include <gtest/gtest.h>

#include "filter/filter.hpp"
#include "filter_records.hpp"

namespace weir {
namespace {

std::string sql(std::string_view expression) {
  const auto filter = Filter::compile(expression, sample_types());
  if (!filter) return filter.error().line();
  return filter->to_sql(record_type<FilterSample>());
}

TEST(FilterSql, NotIsTwoValued) {
  EXPECT_EQ(sql("rtt > 1s"), "\"rtt\" >= 1.000000001e0");
  EXPECT_EQ(sql("not (vlan == 5)"), "NOT coalesce(\"vlan\" = 5, false)");
  EXPECT_EQ(sql("not (vlan == 5 and bytes == 1)"),
            "NOT (coalesce(\"vlan\" = 5, false) AND coalesce(\"bytes\" = 1, false))");
  EXPECT_EQ(sql("vlan != 5"), "(\"vlan\" IS NOT NULL AND NOT coalesce(\"vlan\" = 5, false))");
}

TEST(FilterSql, OneFormPerKind) {
  EXPECT_EQ(sql("dst_port in {80, 8000-9000}"), "(\"dst_port\" = 80 OR \"dst_port\" BETWEEN 8000 AND 9000)");
  EXPECT_EQ(sql("offset < -5"), "\"offset\" <= -6");
  EXPECT_EQ(sql("encrypted"), "\"encrypted\"");
  EXPECT_EQ(sql("encrypted == false"), "NOT \"encrypted\"");
  EXPECT_EQ(sql("proto in {tcp, 142}"), "(\"proto\" IN ('tcp') OR \"proto\" IN ('142'))");
  EXPECT_EQ(sql("src_mac == 00:1B:21:0a:0b:0c"), "\"src_mac\" = '00:1b:21:0a:0b:0c'");
  EXPECT_EQ(sql("score in 0.5..1"), "\"score\" BETWEEN 0.5e0 AND 1e0");
  EXPECT_EQ(sql("ttls > 60"), "len(list_filter(\"ttls\", lambda element: element >= 61)) > 0");
}

TEST(FilterSql, TimesAreWholeMicroseconds) {
  EXPECT_EQ(sql("time == 1970-01-01"), "\"time\" = TIMESTAMP '1970-01-01 00:00:00'");
  EXPECT_EQ(sql("time == 1970-01-01T00:00:00.0000005Z"), "false");
  EXPECT_EQ(sql("time > 2026-01-31T12:00:00Z"), "\"time\" >= TIMESTAMP '2026-01-31 12:00:00.000001'");
  EXPECT_EQ(sql("time < 2026-01-31T12:00:00Z"), "\"time\" <= TIMESTAMP '2026-01-31 11:59:59.999999'");
  EXPECT_EQ(sql("time < 1969-12-31T23:59:59.9999995Z"), "\"time\" <= TIMESTAMP '1969-12-31 23:59:59.999999'");
}

TEST(FilterSql, Addresses) {
  EXPECT_EQ(sql("src_ip == 10.0.0.1"), "\"src_ip\" = '10.0.0.1'");
  EXPECT_EQ(sql("src_ip in ::/0"), "\"src_ip\" LIKE '%:%'");
  EXPECT_EQ(sql("src_ip in 0.0.0.0/0"), "\"src_ip\" NOT LIKE '%:%'");
  EXPECT_EQ(sql("src_ip in 10.0.0.0/8"), "starts_with(\"src_ip\", '10.')");
  EXPECT_EQ(sql("src_ip in 10.1.2.0/24"), "starts_with(\"src_ip\", '10.1.2.')");
  EXPECT_EQ(sql("src_ip in 10.1.2.0/25"), "weir_between(\"src_ip\", '10.1.2.0', '10.1.2.127')");
  EXPECT_EQ(sql("src_ip in 10.0.0.0/7"), "weir_between(\"src_ip\", '10.0.0.0', '11.255.255.255')");
  EXPECT_EQ(sql("src_ip in 2001:db8::/32"),
            "weir_between(\"src_ip\", '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff')");
}

TEST(FilterSql, TextIsQuoted) {
  EXPECT_EQ(sql("host == \"it's\""), "\"host\" IN ('it''s')");
  EXPECT_EQ(sql("host ~* \"'; DROP\""), "regexp_matches(\"host\", '''; DROP', 'i')");
  EXPECT_EQ(sql("host contains '%'"), "contains(\"host\", '%')");
}

TEST(FilterSql, FieldsThatAreRead) {
  const auto filter = Filter::compile("bytes > 5 and (port == 53 or not vlan == 3)", sample_types()).value();
  EXPECT_EQ(filter.fields(record_type<FilterSample>()),
            (std::vector<std::string_view>{"src_port", "dst_port", "bytes", "vlan"}));
}

TEST(FilterSql, MissingFieldsAreFolded) {
  EXPECT_EQ(sql("version == 3"), "false");
  EXPECT_EQ(sql("not (version == 3)"), "true");
}

}  // namespace
}  // namespace weir

// The condition for DuckDB.
#include <gtest/gtest.h>

#include "filter/filter.hpp"
#include "filter_records.hpp"

namespace weir {
namespace {

std::string sql(std::string_view expression) {
  const auto filter = Filter::compile(expression, sample_types());
  if (!filter) return filter.error().line();
  const auto text = filter->to_sql(record_type<FilterSample>());
  return text ? *text : text.error().line();
}

TEST(FilterSql, EveryTestIsTwoValued) {
  EXPECT_EQ(sql("rtt > 1s"), "coalesce(CAST(round(\"rtt\" * 1e9) AS BIGINT) >= 1000000001, false)");
  EXPECT_EQ(sql("not (vlan == 5)"), "NOT coalesce(\"vlan\" = 5, false)");
  EXPECT_EQ(sql("vlan != 5"),
            "(coalesce(\"vlan\" IS NOT NULL, false) AND NOT coalesce(\"vlan\" = 5, false))");
}

TEST(FilterSql, OneFormPerKind) {
  EXPECT_EQ(sql("dst_port in {80, 8000-9000}"),
            "coalesce((\"dst_port\" = 80 OR \"dst_port\" BETWEEN 8000 AND 9000), false)");
  EXPECT_EQ(sql("offset < -5"), "coalesce(\"offset\" <= -6, false)");
  EXPECT_EQ(sql("encrypted"), "coalesce(\"encrypted\", false)");
  EXPECT_EQ(sql("encrypted == false"), "coalesce(NOT \"encrypted\", false)");
  EXPECT_EQ(sql("proto in {tcp, 142}"), "coalesce((\"proto\" IN ('tcp') OR \"proto\" IN ('142')), false)");
  EXPECT_EQ(sql("src_ip == 10.0.0.1"), "coalesce(\"src_ip\" = '10.0.0.1', false)");
  EXPECT_EQ(sql("src_ip in ::/0"), "coalesce(\"src_ip\" LIKE '%:%', false)");
  EXPECT_EQ(sql("src_mac == 00:1B:21:0a:0b:0c"), "coalesce(\"src_mac\" = '00:1b:21:0a:0b:0c', false)");
  EXPECT_EQ(sql("time == 1970-01-01"), "coalesce(epoch_ns(CAST(\"time\" AS TIMESTAMP_NS)) = 0, false)");
  EXPECT_EQ(sql("score in 0.5..1"), "coalesce(\"score\" BETWEEN 0.5::DOUBLE AND 1::DOUBLE, false)");
  EXPECT_EQ(sql("ttls > 60"),
            "coalesce(len(list_filter(\"ttls\", lambda element: element >= 61)) > 0, false)");
}

TEST(FilterSql, TextIsQuoted) {
  EXPECT_EQ(sql("host == \"it's\""), "coalesce(\"host\" IN ('it''s'), false)");
  EXPECT_EQ(sql("host ~* \"'; DROP\""), "coalesce(regexp_matches(\"host\", '''; DROP', 'i'), false)");
  EXPECT_EQ(sql("host contains '%'"), "coalesce(contains(\"host\", '%'), false)");
}

TEST(FilterSql, WhatTextCannotTell) {
  EXPECT_EQ(sql("src_ip in 2001:db8::/32"),
            "a range of IPv6 addresses has no SQL form: columns hold addresses as text");
}

TEST(FilterSql, MissingFieldsAreFolded) {
  EXPECT_EQ(sql("version == 3"), "false");
  EXPECT_EQ(sql("not (version == 3)"), "true");
}

}  // namespace
}  // namespace weir

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "records/flow.hpp"
#include "store/clickhouse.hpp"
#include "store/clickhouse_sql.hpp"
#include "store/clickhouse_table.hpp"

namespace weir {
namespace {

using testing::HasSubstr;

constexpr ClickHouseVersion old_server{18, 16}, new_server{26, 9};

TEST(ClickHouseUrl, ReadsWhatItNames) {
  const auto url =
      ClickHouseUrl::parse("clickhouse://me:a%3Ab%40c@one,[::1]:9123,two:81/net?cluster=big", "--store");
  ASSERT_TRUE(url) << url.error().line();
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->password, "a:b@c");
  EXPECT_EQ(url->database, "net");
  EXPECT_EQ(url->cluster, "big");
  ASSERT_EQ(url->hosts.size(), 3U);
  EXPECT_EQ(url->hosts[0].name, "one");
  EXPECT_EQ(url->hosts[0].port, 8123);
  EXPECT_EQ(url->hosts[1].name, "::1");
  EXPECT_EQ(url->hosts[1].port, 9123);
  EXPECT_EQ(url->hosts[2].port, 81);
}

TEST(ClickHouseUrl, SaysWhatIsWrong) {
  const auto wrong = [](std::string_view text) {
    const auto url = ClickHouseUrl::parse(text, "--store");
    return url ? std::string("accepted") : url.error().line();
  };
  EXPECT_THAT(wrong("http://one/net"), HasSubstr("no address of a ClickHouse"));
  EXPECT_THAT(wrong("clickhouse://one"), HasSubstr("database is missing"));
  EXPECT_THAT(wrong("clickhouse://one/"), HasSubstr("database is missing"));
  EXPECT_THAT(wrong("clickhouse:///net"), HasSubstr("without a name"));
  EXPECT_THAT(wrong("clickhouse://one:0/net"), HasSubstr("port 0"));
  EXPECT_THAT(wrong("clickhouse://one:70000/net"), HasSubstr("port 70000"));
  EXPECT_THAT(wrong("clickhouse://[::1/net"), HasSubstr("no ]"));
  EXPECT_THAT(wrong("clickhouse://one,two/net"), HasSubstr("cluster"));
  EXPECT_THAT(wrong("clickhouse://one/net?shards=2"), HasSubstr("unknown parameter"));
  EXPECT_THAT(wrong("clickhouse://a%zz@one/net"), HasSubstr("hexadecimal"));
  EXPECT_THAT(wrong("clickhouse://a%0d%0ab@one/net"), HasSubstr("control character"));
}

TEST(ClickHouseUrl, EncodingComesBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const auto back = url_decode(url_encode(all));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, all);
}

TEST(ClickHouseTable, DaysAreThoseOfThePartitions) {
  constexpr std::int64_t day = 86'400'000'000'000;
  EXPECT_EQ(clickhouse_day(Time{0}), 0);
  EXPECT_EQ(clickhouse_day(Time{-1}), 0);
  EXPECT_EQ(clickhouse_day(Time{-3 * day}), 0);
  EXPECT_EQ(clickhouse_day(Time{day - 1}), 0);
  EXPECT_EQ(clickhouse_day(Time{day}), 1);
  EXPECT_EQ(stored_micros(Time{-1}), -1);
  EXPECT_EQ(stored_micros(Time{1999}), 1);
}

TEST(ClickHouseTable, OldServersHaveNumbersForTimes) {
  const auto columns = clickhouse_columns(record_type<Flow>(), old_server);
  EXPECT_EQ(columns.front().type, "Int64");
  EXPECT_EQ(clickhouse_columns(record_type<Flow>(), new_server).front().type, "DateTime64(6, 'UTC')");
  EXPECT_EQ(columns[columns.size() - 2].name, "sensor");
  EXPECT_EQ(columns.back().name, "batch");
  EXPECT_THAT(create_table_sql(record_type<Flow>(), old_server, "t"), HasSubstr("ORDER BY time"));
}

TEST(ClickHouseTable, ABlockTellsItsRowsFirst) {
  ClickHouseBlock block(record_type<Flow>());
  Flow flow{};
  flow.time = Time{5'000};
  block.add(&flow);
  flow.time = Time{3'000};
  flow.application = "dns";
  block.add(&flow);
  EXPECT_EQ(block.rows(), 2U);
  EXPECT_EQ(block.first(), Time{3'000});
  EXPECT_EQ(block.last(), Time{5'000});
  const auto columns = clickhouse_columns(record_type<Flow>(), old_server);
  std::string bytes;
  for (const std::string_view piece : block.native(columns, "s", 7)) bytes += piece;
  const std::string start{static_cast<char>(columns.size()),
                          2,
                          4,
                          't',
                          'i',
                          'm',
                          'e',
                          5,
                          'I',
                          'n',
                          't',
                          '6',
                          '4',
                          5,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          3,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0};
  EXPECT_EQ(bytes.substr(0, start.size()), start);
  const std::string application =
      std::string("\x0b") + "application\x10Nullable(String)" + std::string{1, 0, 0, 3} + "dns";
  EXPECT_THAT(bytes, HasSubstr(application));
  const std::string end =
      std::string("\x05") + "batch\x06UInt64" + std::string{7, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(bytes.ends_with(end));
}

TEST(ClickHouseSql, QuotesWhatWouldEndAText) {
  EXPECT_EQ(clickhouse_sql(old_server).text("a'b\\"), "'a\\'b\\\\'");
  EXPECT_EQ(clickhouse_sql(old_server).name("a`b"), "`a\\`b`");
}

}  // namespace
}  // namespace weir

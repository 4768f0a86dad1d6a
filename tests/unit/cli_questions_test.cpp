// How questions are said on the command line, and how answers are drawn.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/front/chart.hpp"
#include "cli/front/data.hpp"
#include "cli/front/keys.hpp"
#include "cli/front/ranking.hpp"
#include "cli/front/time_range.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "small_lake.hpp"
#include "store/lake_reader.hpp"

namespace weir {
namespace {

// "src_ip", "ip(src_ip dst_ip)", "src_ip/24/128", or the error.
std::string key(std::string_view word, const RecordType& type = record_type<Flow>()) {
  const auto parsed = parse_key(word, type, "KEYS");
  if (!parsed) return parsed.error().line();
  std::string out = parsed->name;
  if (parsed->fields.size() == 2) out += "(" + parsed->fields[0] + " " + parsed->fields[1] + ")";
  if (parsed->fields.size() == 1 && parsed->fields[0] != parsed->name) out += "=" + parsed->fields[0];
  if (parsed->prefix)
    out += "/" + std::to_string(parsed->prefix->v4) + "/" + std::to_string(parsed->prefix->v6);
  return out;
}

TEST(Keys, FieldsAndTheWordsOfOthers) {
  EXPECT_EQ(key("src_ip"), "src_ip");
  EXPECT_EQ(key("sensor"), "sensor");
  EXPECT_EQ(key("srcip"), "src_ip");
  EXPECT_EQ(key("ip.src"), "src_ip");
  EXPECT_EQ(key("router"), "exporter");
  EXPECT_EQ(key("ip"), "ip(src_ip dst_ip)");
  EXPECT_EQ(key("host"), "host(src_ip dst_ip)");
  EXPECT_EQ(key("as"), "as(src_as dst_as)");
  EXPECT_EQ(key("if"), "if(in_interface out_interface)");
  EXPECT_EQ(key("query", record_type<Dns>()), "query");
}

TEST(Keys, Networks) {
  EXPECT_EQ(key("src_ip/24"), "src_ip/24/128");
  EXPECT_EQ(key("src_ip/64"), "src_ip/32/64");
  EXPECT_EQ(key("srcip4/16"), "src_ip/16/128");
  EXPECT_EQ(key("srcip6/16"), "src_ip/32/16");
  EXPECT_EQ(key("ip/24/48"), "ip(src_ip dst_ip)/24/48");
  EXPECT_EQ(key("src_ip/129"),
            "KEYS: /129 is no prefix length (write src_ip/24, or src_ip/24/64 for IPv4 and IPv6)");
  EXPECT_EQ(key("src_ip/33/64"),
            "KEYS: /33/64 is no prefix length (write src_ip/24, or src_ip/24/64 for IPv4 and IPv6)");
  EXPECT_EQ(key("src_ip/"), "KEYS: / is no prefix length (what ranks is given as --by )");
  EXPECT_EQ(key("dst_port/24"), "KEYS: dst_port is no address and has no prefix");
}

TEST(Keys, Errors) {
  EXPECT_EQ(key("dst_prot"), "KEYS: unknown key dst_prot (did you mean dst_port?)");
  EXPECT_EQ(key("answers", record_type<Dns>()), "KEYS: answers is a list (weir query can unnest it)");
  const auto keys = [](std::string_view words) {
    const auto parsed = parse_keys(words, record_type<Flow>(), "KEYS");
    if (!parsed) return parsed.error().line();
    std::string out;
    for (const QuestionKey& k : *parsed) out += k.name + " ";
    return out;
  };
  EXPECT_EQ(keys("src_ip,,dst_port"), "src_ip dst_port ");
  EXPECT_EQ(keys("src_ip,src_ip/24"), "src_ip src_ip/24 ");
  EXPECT_EQ(keys("src_ip,srcip"), "src_ip srcip ");
  EXPECT_EQ(keys("src_ip,src_ip"), "KEYS: key src_ip is given twice");
  EXPECT_EQ(keys(","), "KEYS: no key is named (src_ip, dst_port, proto)");
}

class InIndia : public testing::Test {
 protected:
  InIndia() {
    ::setenv("TZ", "Asia/Kolkata", 1);
    ::tzset();
  }
  ~InIndia() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  // As RFC 3339; now is 2026-01-31 03:30 there.
  static std::string at(std::string_view text) {
    const auto time = parse_local_time(text, parse_time("2026-01-30T22:00:00Z").value());
    if (!time) return time.error().what;
    char buffer[time_text_max];
    return {buffer, write_rfc3339(buffer, *time) - 11};
  }
};

TEST_F(InIndia, TimesAreLocalUnlessAZoneIsGiven) {
  EXPECT_EQ(at("now"), "2026-01-30T22:00:00");
  EXPECT_EQ(at("today"), "2026-01-30T18:30:00");
  EXPECT_EQ(at("yesterday"), "2026-01-29T18:30:00");
  EXPECT_EQ(at("12:00"), "2026-01-31T06:30:00");
  EXPECT_EQ(at("12:00:30"), "2026-01-31T06:30:30");
  EXPECT_EQ(at("2026-01-31"), "2026-01-30T18:30:00");
  EXPECT_EQ(at("2026-01-31T12:00"), "2026-01-31T06:30:00");
  EXPECT_EQ(at("2026-01-31 12:00:00.5"), "2026-01-31T06:30:00");
  EXPECT_EQ(at("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00");
  EXPECT_EQ(at("2026-01-31T12:00:00+02:00"), "2026-01-31T10:00:00");
  EXPECT_EQ(at("0"), "1970-01-01T00:00:00");
  EXPECT_EQ(at("noon"), "\"noon\" is not a time");
  EXPECT_EQ(at("25:00"), "\"25:00\" is not a time");
}

TEST(TimeRanges, FromTheOptions) {
  const Time now = parse_time("2026-01-31T12:00:00Z").value();
  const auto range = [&](std::map<std::string, std::vector<std::string>, std::less<>> values) {
    return time_range_from(Arguments{std::move(values)}, now);
  };
  EXPECT_EQ(range({}).value(), TimeRange{});
  const TimeRange hour = range({{"last", {"1h"}}}).value();
  EXPECT_EQ(hour.to, now);
  EXPECT_EQ(now - hour.from, seconds(3600));
  EXPECT_FALSE(range({{"from", {"2026-01-31T11:00:00Z"}}}).value().has_to());
  EXPECT_EQ(range({{"last", {"1h"}}, {"to", {"now"}}}).error().where, "--last");
  EXPECT_EQ(range({{"from", {"now"}}, {"to", {"now"}}}).error().where, "--to");
}

Chart sample_chart() {
  return {.start = parse_time("2026-01-31T12:00:00Z").value(),
          .step = seconds(60),
          .series = {{"a", {4, 8, 0, 0}}, {"b", {4, 0, 0, 8}}},
          .known = {true, true, false, true},
          .unit = Unit::none,
          .width = 80,
          .height = 2,
          .colour = false};
}

TEST(Charts, ALinePerSeriesWithGaps) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  EXPECT_EQ(draw(sample_chart()),
            "a, at most 8\n            ▄█· \nb, at most 8\n            ▄ ·█\n            12:00\n");
}

TEST(Charts, StackedInColour) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  Chart chart = sample_chart();
  chart.colour = true;
  EXPECT_EQ(draw(chart),
            "          8 \x1b[32m█\x1b[0m\x1b[34m█\x1b[0m \x1b[32m█\x1b[0m\n"
            "          4 \x1b[34m█\x1b[0m\x1b[34m█\x1b[0m·\x1b[32m█\x1b[0m\n"
            "            12:00\n"
            "  \x1b[34m■\x1b[0m a\n  \x1b[32m■\x1b[0m b\n");
}

TEST(Charts, MoreStepsThanColumnsAreAveraged) {
  Chart chart = sample_chart();
  chart.series = {{"a", std::vector<double>(1000, 3)}};
  chart.known.assign(1000, true);
  const std::string drawn = draw(chart);
  const std::size_t line = drawn.find('\n') + 1;
  EXPECT_LT(drawn.find('\n', line) - line, 80 * std::string_view("█").size());
  EXPECT_TRUE(drawn.starts_with("a, at most 3\n"));
}

// One of 2^63 makes the quick sums fail; they are asked for again as exact ones.
TEST(Rankings, NumbersOfAnySizeAreSummedUp) {
  SmallLake small;
  small.add("flow", "2026-01-31", 12, "a",
            "SELECT TIMESTAMP '2026-01-31 12:00:00' AS time, '192.0.2.' || i AS src_ip, "
            "(CASE i WHEN 1 THEN 9223372036854775808 ELSE 7 END)::UBIGINT AS bytes FROM range(1, 3) t(i)");
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  RankingQuestion asked;
  asked.question.record = &record_type<Flow>();
  asked.question.keys = {{.name = "src_ip", .fields = {"src_ip"}, .prefix = {}}};
  asked.question.sums = {"bytes"};
  asked.question.by = "bytes";
  Waiting waiting(true);
  const auto answer = ask_ranking(lake, asked, waiting);
  ASSERT_TRUE(answer.has_value()) << answer.error().line();
  ASSERT_EQ(answer->rows.entries().size(), 2U);
  ASSERT_TRUE(answer->totals);
  EXPECT_EQ(answer->totals->sums.front().second, (std::uint64_t{1} << 63) + 7);
}

TEST(VanishedFiles, AreToldFromOtherErrors) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  const auto hours = lake_hours(small.path(), "flow", {}).value();
  std::filesystem::remove_all(small.path() + "/lake");
  const auto gone = lake.table_sql(record_type<Flow>(), "flow", hours.front().files, {"time"});
  ASSERT_FALSE(gone);
  EXPECT_TRUE(LakeReader::vanished(gone.error())) << gone.error().line();
  EXPECT_FALSE(LakeReader::vanished(lake.connection().query("SELECT nothing").error()));
  int asked = 0;
  const auto again = ask_again([&]() -> Result<int> {
    if (++asked < 3) return tl::unexpected<Error>(gone.error());
    return asked;
  });
  EXPECT_EQ(again.value(), 3);
  const auto never = ask_again([&]() -> Result<int> { return ++asked, tl::unexpected<Error>(gone.error()); });
  EXPECT_FALSE(never);
  EXPECT_EQ(asked, 8);
}

}  // namespace
}  // namespace weir

// The normal form, --explain, and that both mean what was written.
#include <gtest/gtest.h>

#include "filter/filter.hpp"
#include "filter_records.hpp"

namespace weir {
namespace {

struct Case {
  std::string_view expression, normal;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expression;
}

class FilterNormal : public testing::TestWithParam<Case> {};

TEST_P(FilterNormal, FormAndRoundTrip) {
  const auto filter = Filter::compile(GetParam().expression, sample_types());
  ASSERT_TRUE(filter) << filter.error().line();
  EXPECT_EQ(filter->normal_form(), GetParam().normal);
  const auto again = Filter::compile(filter->normal_form(), sample_types());
  ASSERT_TRUE(again) << again.error().line();
  EXPECT_EQ(again->normal_form(), filter->normal_form());
  EXPECT_EQ(again->explain(), filter->explain());
}

constexpr Case cases[] = {
    {"", "true"},
    {"dst_port=443", "dst_port == 443"},
    {"dst_port in {443}", "dst_port == 443"},
    {"dst_port in 1-1024", "dst_port in 1..1024"},
    {"dst_port != 1..1024", "dst_port not in 1..1024"},
    {"src_ip == 10.1.2.3/8", "src_ip in 10.0.0.0/8"},
    {"src_ip != 2001:DB8:0::/32", "src_ip not in 2001:db8::/32"},
    {"dst_port in {80, 443} and src_ip in 10.0.0.0/8 and bytes > 1M and not host ~ \"\\\\.example\\\\.com$\"",
     "(dst_port in {80, 443} and src_ip in 10.0.0.0/8 and bytes > 1M and not (host ~ "
     "\"\\\\.example\\\\.com$\"))"},
    {"host ~ \"\\.com$\"", "host ~ \"\\\\.com$\""},
    {"port 53 or (proto udp and not src net 10.0.0.0/8)",
     "(port == 53 or (proto == udp and not (src_ip in 10.0.0.0/8)))"},
    {"(rtt and vlan) and (encrypted or (vlan or rtt))", "(rtt and vlan and (encrypted or vlan or rtt))"},
    {"tcp.port != 80", "(proto == tcp and port != 80)"},
    {"dns", "(type == dns or application == \"dns\")"},
    {"tcp", "proto == tcp"},
    {"inet6", "ip in ::/0"},
    {"not not rtt", "rtt"},
    {"not (rtt or vlan)", "not (rtt or vlan)"},
    {"exists rtt", "rtt != null"},
    {"src flags SA", "src flags SA"},
    {"flags S", "flags S"},
    {"time > \"2026-01-31 12:00\"", "time > \"2026-01-31T12:00:00Z\""},
    {"time > 1769860800.25", "time > \"2026-01-31T12:00:00.25Z\""},
    {"duration in 60s..1h30m", "duration in 1m..90m"},
    {"duration < 250ms", "duration < 0.25s"},
    {"bytes in {1024, 1Mi, 2500, 1000000}", "bytes in {1Ki, 1Mi, 2500, 1M}"},
    {"medium == 1M", "medium == 1000000"},
    {"proto in {6, 142}", "proto in {tcp, 142}"},
    {"mac != 00-1B-21-0a-0b-0c", "mac != 00:1b:21:0a:0b:0c"},
    {"type in {other}", "type == other"},
    {"score == high", "score == \"high\""},  // in the type where it is text
    {"score == 0.50", "score == \"0.50\""},  // a number in one type, text in the other: as written
    {"score > 0.50", "score > 0.5"},         // > is for the number only
    {"sample.host ~* 'a\"b'", "sample.host ~* \"a\\\"b\""},
};
INSTANTIATE_TEST_SUITE_P(Forms, FilterNormal, testing::ValuesIn(cases));

TEST(FilterExplain, StepsAndWhereTheyRun) {
  const auto filter = Filter::compile(
      "not host ~ x and dst_port in {80, 443} and (src_ip in 10.0.0.0/8 or rtt > 1s or version == 3)",
      sample_types());
  ASSERT_TRUE(filter);
  EXPECT_EQ(
      filter->explain(),
      R"((not (host ~ "x") and dst_port in {80, 443} and (src_ip in 10.0.0.0/8 or rtt > 1s or version == "3"))
sample:
  1  headers  dst_port in {80, 443}  yes: 2  no: refuse
  2  headers  src_ip in 10.0.0.0/8   yes: 4  no: 3
  3  record   rtt > 1s               yes: 4  no: refuse
  4  record   host ~ "x"             yes: refuse  no: accept
  flow alone: dst_port in {80, 443}
no record can pass: other
headers: known with a flow's first packet; record: once the record is made
flow alone: what the headers can tell; a flow that passes none of these is not parsed
)");
}

TEST(FilterExplain, TypesWithTheSameStepsAreToldOnce) {
  const auto filter = Filter::compile("time > 2026-01-31", sample_types());
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->explain(), R"(time > "2026-01-31T00:00:00Z"
sample, other:
  1  record   time > "2026-01-31T00:00:00Z"  yes: accept  no: refuse
headers: known with a flow's first packet; record: once the record is made
)");
}

TEST(FilterExplain, DecidedWithoutLooking) {
  const auto filter = Filter::compile("type == sample or not (version == 3)", sample_types());
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->explain(), R"((type == sample or not (version == "3"))
other:
  1  record   version == "3"  yes: refuse  no: accept
every record passes: sample
headers: known with a flow's first packet; record: once the record is made
)");
}

}  // namespace
}  // namespace weir

// Which records an expression lets through.
#include "filter/filter.hpp"

#include <gtest/gtest.h>

#include "filter_records.hpp"
#include "records/flow_ref.hpp"

namespace weir {
namespace {

struct Case {
  std::string_view expression;
  bool accepted;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expression;
}

class FilterAccept : public testing::TestWithParam<Case> {};

TEST_P(FilterAccept, Record) {
  const auto filter = Filter::compile(GetParam().expression, sample_types());
  ASSERT_TRUE(filter) << filter.error().line();
  EXPECT_EQ(Filter::accept(filter->predicate(record_type<FilterSample>()), &sample()), GetParam().accepted)
      << filter->explain();
  // The flow alone never refuses what the record passes.
  const FlowRef flow{.src_ip = sample().src_ip,
                     .dst_ip = sample().dst_ip,
                     .src_port = sample().src_port,
                     .dst_port = sample().dst_port,
                     .proto = sample().proto};
  const void* test = filter->flow_predicate(record_type<FilterSample>());
  EXPECT_TRUE(!GetParam().accepted || test == nullptr || Filter::accept(test, &flow)) << filter->explain();
}

TEST(FilterFlow, WhatTheFlowAloneDecides) {
  struct Decided {
    std::string_view expression;
    bool refused;
  };
  constexpr Decided cases[] = {
      {"dst_port == 80", true},
      {"dst_port == 80 and bytes > 1", true},
      {"dst_port == 80 or bytes > 1", false},
      {"not (dst_port == 443 and bytes > 1)", false},
      {"not (dst_port == 443 or bytes > 1)", true},
      {"not (not (dst_port == 80) or host == 'x')", true},
      {"port == 80", true},
      {"dst_port != 443 and exists rtt", true},
      {"host == 'x'", false},
      {"src_ip not in 0.0.0.0/0 and bytes > 1", true},
  };
  const FlowRef flow{.src_ip = sample().src_ip, .src_port = 50000, .dst_port = 443, .proto = IpProto::tcp};
  for (const Decided& c : cases) {
    const auto filter = Filter::compile(c.expression, sample_types());
    ASSERT_TRUE(filter) << filter.error().line();
    const void* test = filter->flow_predicate(record_type<FilterSample>());
    EXPECT_EQ(test != nullptr && !Filter::accept(test, &flow), c.refused) << filter->explain();
  }
}

constexpr Case comparisons[] = {
    {"", true},
    {"true", true},
    {"false", false},
    {"dst_port == 443", true},
    {"dst_port = 443", true},
    {"dst_port eq 443", true},
    {"dst_port==443", true},
    {"dst_port == 0x1bb", true},
    {"dst_port == 80", false},
    {"dst_port != 443", false},
    {"dst_port ne 80", true},
    {"dst_port < 443", false},
    {"dst_port le 443", true},
    {"dst_port > 442", true},
    {"dst_port >= 444", false},
    {"dst_port >= 65535", false},
    {"dst_port > 65535", false},
    {"dst_port <= 65535", true},
    {"small < 8 and small > 6", true},
    {"medium == 70k", true},
    {"offset == -5", true},
    {"offset < 0", true},
    {"offset > -5", false},
    {"offset in -10..-5", true},
    {"score > 0.5 and score < 1", true},
    {"score == 0.75", true},
    {"score in 0.1..0.2", false},
    {"bytes > 1M", true},
    {"bytes > 1.5M", false},
    {"bytes >= 1.5MB", true},
    {"bytes < 1.5Mi", true},
    {"bytes in 1M..2M", true},
    {"proto == tcp", true},
    {"proto == 6", true},
    {"proto == TCP and not proto == Udp and proto in {ICMPv6, tCP}", true},
    {"proto in {udp, icmp}", false},
    {"encrypted", true},
    {"not encrypted", false},
    {"encrypted == false", false},
    {"encrypted != true", false},
    {"duration > 2s", true},
    {"duration > 2.5s", false},
    {"duration >= 2500ms", true},
    {"duration < 1m30s", true},
    {"duration > 3", false},
    {"time >= 2026-01-31", true},
    {"time == 2026-01-31T12:00:00Z", true},
    {"time == \"2026-01-31 12:00\"", true},
    {"time < 1769860800", false},
    {"time in \"2026-01-31 11:00\" .. \"2026-01-31 13:00\"", true},
    {"time in 2026-02-01..2026-02-02", false},
    {"src_mac == 00:1b:21:0a:0b:0c", true},
    {"src_mac == 00-1B-21-0A-0B-0D", false},
};
INSTANTIATE_TEST_SUITE_P(Comparisons, FilterAccept, testing::ValuesIn(comparisons));

constexpr Case sets[] = {
    {"dst_port in {80, 443}", true},
    {"dst_port in {80 443}", true},
    {"dst_port in [80,443]", true},
    {"dst_port in (80, 443)", true},
    {"dst_port in {80, 8000-9000}", false},
    {"dst_port in {400..500}", true},
    {"dst_port in 400-500", true},
    {"dst_port not in {80, 443}", false},
    {"dst_port not in {80}", true},
    {"dst_port in {1, 3, 5, 7, 9, 11, 443}", true},
    {"dst_port in {1, 3, 5, 7, 9, 11, 444}", false},
    {"medium in {1, 3, 5, 7, 9, 11, 60000-80000}", true},
    {"src_ip in 10.0.0.0/8", true},
    {"src_ip == 10.0.0.0/8", true},
    {"src_ip in 10.1.2.3", true},
    {"src_ip in 10.1.2.0-10.1.2.9", true},
    {"src_ip in {192.168.0.0/16, 10.1.0.0/16, 2001:db8::/32}", true},
    {"src_ip not in 10.0.0.0/8", false},
    {"src_ip in 0.0.0.0/0", true},
    {"src_ip in ::/0", false},
    {"src_ip >= 10.1.2.3 and src_ip < 10.1.2.4", true},
    {"src_ip > ::1", false},
    {"application in {dns, tls}", true},
    {"application in {dns, http}", false},
    {"answers == 192.0.2.1", true},
    {"answers == 192.0.2.2", false},
    {"answers in 2001:db8::/32", true},
    {"answers != 192.0.2.1", false},
    {"answers != 192.0.2.2", true},
    {"names ~ \"^cdn\\.\"", true},
    {"names contains example", true},
    {"names == www.example.org", false},
    {"ttls < 100", true},
    {"ttls > 3600", false},
};
INSTANTIATE_TEST_SUITE_P(Sets, FilterAccept, testing::ValuesIn(sets));

constexpr Case texts[] = {
    {"application == tls", true},
    {"application == \"tls\"", true},
    {"application == 'tls'", true},
    {"application == TLS", false},
    {"host contains example", true},
    {"host contains Example", false},
    {"host startswith www.", true},
    {"host endswith .com", true},
    {"host endswith .net", false},
    {"host ~ \"\\.example\\.com$\"", true},
    {"host ~ \"\\\\.example\\\\.com$\"", true},
    {"host ~ \"wwwxexample\"", false},
    {"host ~ \"www.example\"", true},
    {"host ~ EXAMPLE", false},
    {"host ~* EXAMPLE", true},
    {"host matches EXAMPLE", true},
    {"host !~ example", false},
    {"host !~ sample", true},
    {"host !~* EXAMPLE", false},
    {"host != www.example.org", true},
};
INSTANTIATE_TEST_SUITE_P(Texts, FilterAccept, testing::ValuesIn(texts));

constexpr Case nulls[] = {
    {"rtt", false},
    {"vlan", true},
    {"not rtt", true},
    {"exists vlan", true},
    {"exists rtt", false},
    {"rtt == null", true},
    {"rtt != null", false},
    {"vlan != null", true},
    {"rtt > 1s", false},
    {"not (rtt > 1s)", true},
    {"rtt != 1s", false},
    {"not (rtt == 1s)", true},
    {"dst_mac != 00:00:00:00:00:01", false},
    {"version == 1", false},
    {"not (version == 1)", true},
    {"version != 1", false},
    {"version == null", false},
};
INSTANTIATE_TEST_SUITE_P(Nulls, FilterAccept, testing::ValuesIn(nulls));

constexpr Case precedence[] = {
    {"dst_port == 1 and dst_port == 2 or dst_port == 443", true},
    {"dst_port == 443 or dst_port == 1 and dst_port == 2", true},
    {"(dst_port == 443 or dst_port == 1) and dst_port == 2", false},
    {"not dst_port == 1 and dst_port == 2", false},
    {"not (dst_port == 1 and dst_port == 2)", true},
    {"!(dst_port == 1) && !(dst_port == 2) || false", true},
    {"not not dst_port == 443", true},
    {"NOT dst_port == 1 AND dst_port == 443", true},
    {"false or true and false", false},
};
INSTANTIATE_TEST_SUITE_P(Precedence, FilterAccept, testing::ValuesIn(precedence));

constexpr Case aliases[] = {
    {"ip == 10.1.2.3", true},
    {"ip == 192.0.2.80", true},
    {"ip != 10.1.2.3", false},
    {"ip != 10.1.2.4", true},
    {"ip 192.0.2.80", true},
    {"src ip 10.1.2.3", true},
    {"dst ip 10.1.2.3", false},
    {"src 10.1.2.3", true},
    {"dst 192.0.2.0/24", true},
    {"src host 10.1.2.3", true},
    {"host 192.0.2.80", true},
    {"host www.example.com", true},
    {"host == 192.0.2.80", false},
    {"net 192.0.2.0/24", true},
    {"src net 10.0.0.0/8", true},
    {"dst net 10.0.0.0/8", false},
    {"port 443", true},
    {"port 53", false},
    {"port in [80 443]", true},
    {"src port > 1024", true},
    {"dst port in [80 443]", true},
    {"dst port 443 and proto tcp", true},
    {"proto tcp", true},
    {"tcp", true},
    {"udp", false},
    {"icmp", false},
    {"other", false},
    {"sample", true},
    {"bytes > 1k", true},
    {"vlan 12", true},
    {"any", true},
    {"inet", true},
    {"ipv4", true},
    {"inet6", false},
    {"not ipv6", true},
    {"flags S", true},
    {"flags SF", true},
    {"flags SR", false},
    {"src flags F", true},
    {"dst flags F", false},
    {"mac 00:1b:21:0a:0b:0c", true},
    {"type == sample", true},
    {"type != sample", false},
    {"type in {other, sample}", true},
    {"sample.dst_port == 443", true},
    {"ip.src == 10.1.2.3", true},
    {"ip.addr == 192.0.2.80", true},
    {"ip.proto == 6", true},
    {"tcp.port == 443", true},
    {"tcp.dstport in {80 443}", true},
    {"udp.port == 443", false},
    {"eth.src == 00:1b:21:0a:0b:0c", true},
    {"vlan.id == 12", true},
    {"frame.time >= \"2026-01-31 00:00:00\"", true},
    {"tcp.port == 443 && ip.src == 10.0.0.0/8 && host contains \"example\"", true},
};
INSTANTIATE_TEST_SUITE_P(Aliases, FilterAccept, testing::ValuesIn(aliases));

TEST(Filter, MissingFieldsDecideTypes) {
  const auto filter = Filter::compile("dst_port == 443", sample_types());
  ASSERT_TRUE(filter);
  EXPECT_TRUE(filter->possible(record_type<FilterSample>()));
  EXPECT_FALSE(filter->possible(record_type<FilterOther>()));
  const auto both = Filter::compile("not (dst_port == 443) and src_ip in 10.0.0.0/8", sample_types());
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->possible(record_type<FilterOther>()));
  FilterOther record{};
  EXPECT_FALSE(Filter::accept(both->predicate(record_type<FilterOther>()), &record));
  record.src_ip = *parse_addr("10.0.0.1");
  EXPECT_TRUE(Filter::accept(both->predicate(record_type<FilterOther>()), &record));
}

TEST(Filter, FieldOfTwoKinds) {
  const auto filter = Filter::compile("score == high", sample_types());
  ASSERT_TRUE(filter) << filter.error().line();
  EXPECT_FALSE(filter->possible(record_type<FilterSample>()));
  const FilterOther other{.score = "high"};
  EXPECT_TRUE(Filter::accept(filter->predicate(record_type<FilterOther>()), &other));
}

TEST(Filter, TypeNotCompiledForIsRefused) {
  const RecordType* const one[] = {&record_type<FilterSample>()};
  const auto filter = Filter::compile("true", one);
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->possible(record_type<FilterOther>()));
}

}  // namespace
}  // namespace weir

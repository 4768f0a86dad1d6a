// Mistakes in an expression: one line with the column and, where there is one, the remedy.
#include <gtest/gtest.h>

#include "filter/filter.hpp"
#include "filter_records.hpp"

namespace weir {
namespace {

struct Case {
  std::string_view expression, line;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expression;
}

class FilterError : public testing::TestWithParam<Case> {};

TEST_P(FilterError, Line) {
  const auto filter = Filter::compile(GetParam().expression, sample_types());
  ASSERT_FALSE(filter) << filter->normal_form();
  EXPECT_EQ(filter.error().line(), GetParam().line);
  EXPECT_EQ(filter.error().code, Code::usage);
}

constexpr Case cases[] = {
    {"proto == tcp and dst_prot == 443", "--where:18: no field \"dst_prot\" (did you mean dst_port?)"},
    {"bytes == \"abc\"",
     "--where:10: bytes is a number; \"abc\" is not one (write 1500, 1k, 1M, 1Mi or 0x1f)"},
    {"sample.byte > 1", "--where:1: no field \"sample.byte\" (did you mean sample.bytes?)"},
    {"dst_port == 70000", "--where:13: dst_port 70000 is outside 0-65535"},
    {"dst_port == -1", "--where:13: dst_port -1 is outside 0-65535"},
    {"bytes > 1.0001k",
     "--where:9: bytes is a number; \"1.0001k\" is not one (write 1500, 1k, 1M, 1Mi or 0x1f)"},
    {"bytes > 1X", "--where:9: bytes is a number; \"1X\" is not one (write 1500, 1k, 1M, 1Mi or 0x1f)"},
    {"offset < -9223372036854775809", "--where:10: offset -9223372036854775809 is outside 64 bits"},
    {"src_ip == 10.0.0", "--where:11: src_ip is an address; \"10.0.0\" is not one"},
    {"src_ip in 10.0.0.0/33",
     "--where:11: src_ip is an address; \"10.0.0.0/33\" is not one (prefix length \"33\" is outside 0-32)"},
    {"src_ip in 10.0.0.0/8-11.0.0.0", "--where:11: a range runs between two addresses, not prefixes"},
    {"dst_port in 10..5", "--where:13: the range \"10\" to \"5\" is empty"},
    {"src_ip in 10.0.0.1-2001:db8::1", "--where:11: a range does not mix IPv4 and IPv6"},
    {"proto == tpc", "--where:10: proto is a protocol; \"tpc\" is not one (did you mean tcp?)"},
    {"src_mac == 00:11",
     "--where:12: src_mac is a MAC address; \"00:11\" is not one (write 00:1b:21:0a:0b:0c)"},
    {"time > yesterday",
     "--where:8: time is a time; \"yesterday\" is not one (write 2026-01-31T12:00:00Z, 2026-01-31 12:00 or "
     "seconds since 1970)"},
    {"duration > 5x",
     "--where:12: duration is a duration; \"5x\" is not one (write 250ms, 30s, 5m, 2h, 7d or 1h30m)"},
    {"rtt > fast",
     "--where:7: rtt is a duration; \"fast\" is not one (write 250ms, 30s, 5m, 2h, 7d or 1h30m)"},
    {"encrypted == maybe", "--where:14: encrypted is true or false; \"maybe\" is not one"},
    {"encrypted > true",
     "--where:11: encrypted is true or false; > needs a number, time, duration or address"},
    {"dst_port ~ 44", "--where:10: ~ works on text; dst_port is a number"},
    {"dst_port contains 4", "--where:10: contains works on text; dst_port is a number"},
    {"host < abc",
     "--where:6: host is text; < needs a number, time, duration or address (for text: == != in ~ contains "
     "startswith endswith)"},
    {"application == ", "--where:16: expected a value after ==, found the end"},
    {"application == and", "--where:16: expected a value after ==, found \"and\""},
    {"dst_port in {80, 443", "--where:13: no closing }"},
    {"dst_port in {}", "--where:13: an empty set"},
    {"dst_port in (80", "--where:13: no closing )"},
    {"dst_port == {80}", "--where:13: a set needs in (field in {a, b})"},
    {"(dst_port == 80", "--where:1: no closing parenthesis"},
    {"dst_port == 80)", "--where:15: no opening parenthesis for this one"},
    {"not", "--where:4: expected a field, a protocol or (, found the end"},
    {"and", "--where:1: expected a field, a protocol or (, found \"and\""},
    {"dst_port == 80 dst_port == 81", "--where:16: expected and, or or the end, found \"dst_port\""},
    {"dst_port == 80 and", "--where:19: expected a field, a protocol or (, found the end"},
    {"\"abc\" == 1", "--where:1: expected a field, a protocol or (, found \"abc\""},
    {"443", "--where:1: no field \"443\" (weir schema lists the fields)"},
    {"host == \"abc", "--where:9: no closing quote"},
    {"host ~ \"(abc\"", "--where:8: regular expression \"(abc\": missing closing parenthesis at character 5"},
    {"host ~ \"a\\\"b[\"",
     "--where:8: regular expression \"a\\\"b[\": missing terminating ] for character class at character 5"},
    {"host & x", "--where:6: unexpected \"&\" (write and, or &&)"},
    {"host | x", "--where:6: unexpected \"|\" (write or, or ||)"},
    {"flags X", "--where:7: \"X\" are not TCP flags (letters out of CEUAPRSF)"},
    {"src bytez > 3", "--where:5: no field \"src_bytez\" (weir schema lists the fields)"},
    {"dst", "--where:4: expected ip, net, port, an address or another field's name after dst, found the end"},
    {"src foo", "--where:5: no field \"src_foo\" (weir schema lists the fields)"},
    {"tunnel tcp", "--where:1: no field \"tunnel\" (weir schema lists the fields)"},
    {"type == dsn", "--where:9: no record type \"dsn\" (did you mean dns?)"},
    {"type ~ dns", "--where:6: type needs ==, != or in (type in {dns, http})"},
    {"type", "--where:5: type needs ==, != or in (type in {dns, http})"},
    {"tcp port 80", "--where:5: expected and, or or the end, found \"port\""},
    {"exists zzz", "--where:8: no field \"zzz\" (weir schema lists the fields)"},
    {"exists", "--where:7: expected a field after exists, found the end"},
    {"dst_port in 80, 443",
     "--where:15: expected and, or or the end, found \",\" (a set needs braces: in {a, b})"},
    {"time > 2026-01-31 12:00",
     "--where:19: expected and, or or the end, found \"12:00\" (a time with a space needs quotes)"},
    {"héllo == 1", "--where:1: no field \"héllo\" (weir schema lists the fields)"},
    {"host == \"é\" and zzz == 1", "--where:17: no field \"zzz\" (weir schema lists the fields)"},
    {"vlan and rt > 3", "--where:10: no field \"rt\" (did you mean rtt?)"},
    {"bytes > 1k and packtes > 3", "--where:16: no field \"packtes\" (did you mean packet?)"},
    {"host == \"a\tb\"",
     "--where:11: control character in quotes (in a regular expression, write \\n, \\t or \\x00)"},
    {"dst_port == 'x' or", "--where:19: expected a field, a protocol or (, found the end"},
    {")", "--where:1: expected a field, a protocol or (, found \")\""},
    {"src_ip == host", "--where:11: src_ip is an address; \"host\" is not one"},
    {"1h30m", "--where:1: no field \"1h30m\" (weir schema lists the fields)"},
    {"ip.sorc == 1", "--where:1: no field \"ip.sorc\" (did you mean ip.src?)"},
    {"tcp.prt == 80", "--where:1: no field \"tcp.prt\" (did you mean tcp.port?)"},
    {"%", "--where:1: no field \"%\" (weir schema lists the fields)"},
    {"host in a..b .. c", "--where:9: host is text; a range needs numbers, times or addresses"},
    {"dst_port 443", "--where:10: expected an operator after dst_port, found \"443\" (dst_port == …)"},
    {"dst_port == null and src_port > null",
     "--where:33: src_port is a number; \"null\" is not one (write 1500, 1k, 1M, 1Mi or 0x1f)"},
};
INSTANTIATE_TEST_SUITE_P(Lines, FilterError, testing::ValuesIn(cases));

TEST(FilterError, FieldOfATypeNotSelected) {
  for (const std::string field : {"dns.query", "dns.qry.name", "qtype"}) {
    const auto filter = Filter::compile(field + " ~ x", sample_types());
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().line(),
              "--where:1: no field \"" + field + "\" (dns records have it, and they are not selected)");
  }
}

TEST(FilterError, DepthIsBounded) {
  for (const std::string opening : {"(", "not (", "!"}) {
    std::string deep;
    for (unsigned i = 0; i < 10'000; ++i) deep += opening;
    const auto filter = Filter::compile(deep + "true", sample_types());
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().what, "nested too deep");
  }
}

TEST(FilterError, LengthIsBounded) {
  const auto filter = Filter::compile(std::string(300'000, ' '), sample_types());
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().line(), "--where:1: the expression is longer than 262144 bytes");
}

TEST(FilterError, OriginIsTheCallers) {
  const auto filter = Filter::compile("zzz", sample_types(), "weir.toml:12");
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().where, "weir.toml:12:1");
}

}  // namespace
}  // namespace weir

#include "records/dns.hpp"

#include <gmock/gmock.h>

#include "parser_fixture.hpp"

namespace weir {
namespace {

using test::ParserFlow;
using test::Turn;
using test::unhex;
using testing::ElementsAre;

std::string be16(unsigned n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n)};
}
std::string be32(unsigned n) {
  return be16(n >> 16) + be16(n & 0xffff);
}

std::string wire_name(std::string_view dotted) {
  std::string out;
  while (!dotted.empty()) {
    const auto label = dotted.substr(0, dotted.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    dotted.remove_prefix(std::min(label.size() + 1, dotted.size()));
  }
  return out + '\0';
}

std::string header(unsigned id, unsigned flags, unsigned qd, unsigned an = 0, unsigned ns = 0,
                   unsigned ar = 0) {
  return be16(id) + be16(flags) + be16(qd) + be16(an) + be16(ns) + be16(ar);
}
std::string question(std::string_view name, unsigned type, unsigned klass = 1) {
  return wire_name(name) + be16(type) + be16(klass);
}
// A record whose owner is the question's name.
std::string answer(unsigned type, unsigned ttl, const std::string& data,
                   const std::string& owner = "\xc0\x0c") {
  return owner + be16(type) + be16(1) + be32(ttl) + be16(static_cast<unsigned>(data.size())) + data;
}
std::string framed(const std::string& message) {
  return be16(static_cast<unsigned>(message.size())) + message;
}

// How one record's data is shown.
std::string shown(unsigned type, const std::string& data) {
  ParserFlow flow("dns", 53, IpProto::udp);
  flow.datagram(Side::resp, header(1, 0x8180, 1, 1) + question("x.example", type) + answer(type, 1, data));
  const auto records = flow.records<Dns>();
  if (records.size() != 1 || records[0].answers.size() != 1) return "no answer";
  return std::string(records[0].answers[0]) + (flow.oddities().empty() ? "" : " !" + flow.oddities()[0]);
}

TEST(Dns, AnswerJoinsItsQuestion) {
  ParserFlow flow("dns", 53, IpProto::udp);
  flow.datagram(Side::orig, header(0x1234, 0x0100, 1) + question("WWW.Example.com", 1));
  flow.now.ns += 25'000'000;
  flow.datagram(Side::resp, header(0x1234, 0x8580, 1, 2) + question("www.example.com", 1) +
                                answer(5, 60, wire_name("web.example.com")) +
                                answer(1, 300, unhex("c0000201"), wire_name("web.example.com")));
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 1u);
  const Dns& d = records[0];
  EXPECT_EQ(d.time.ns, 1'000'000'000'000'000'000);
  EXPECT_EQ(d.variant, "dns");
  EXPECT_EQ(d.id, 0x1234);
  EXPECT_EQ(d.query, "www.example.com");
  EXPECT_EQ(d.qtype_name, "A");
  EXPECT_EQ(d.qclass_name, "IN");
  EXPECT_EQ(d.opcode_name, "query");
  EXPECT_EQ(d.rcode_name, "NOERROR");
  EXPECT_EQ(d.rtt->ns, 25'000'000);
  EXPECT_THAT(d.answers, ElementsAre("web.example.com", "192.0.2.1"));
  EXPECT_THAT(d.answer_types, ElementsAre("CNAME", "A"));
  EXPECT_THAT(d.answer_names, ElementsAre("www.example.com", "web.example.com"));
  EXPECT_THAT(d.ttls, ElementsAre(seconds(60), seconds(300)));
  EXPECT_TRUE(d.authoritative && d.recursion_desired && d.recursion_available);
  EXPECT_FALSE(d.truncated || d.rejected);
  EXPECT_EQ(d.request_bytes, 33u);
}

TEST(Dns, UnansweredQuestionIsRecordedAtTheEnd) {
  ParserFlow flow("dns", 53, IpProto::udp);
  flow.datagram(Side::orig, header(7, 0x0100, 1) + question("a.example", 28));
  EXPECT_TRUE(flow.records<Dns>().empty());
  flow.end();
  ASSERT_EQ(flow.records<Dns>().size(), 1u);
  EXPECT_FALSE(flow.records<Dns>()[0].rcode);
  EXPECT_FALSE(flow.records<Dns>()[0].rtt);
  EXPECT_EQ(flow.records<Dns>()[0].answers.data(), nullptr);
}

TEST(Dns, SameIdentifierDifferentNameIsNotTheAnswer) {
  ParserFlow flow("dns", 53, IpProto::udp);
  flow.datagram(Side::orig, header(7, 0x0100, 1) + question("a.example", 1));
  flow.datagram(Side::resp, header(7, 0x8180, 1) + question("b.example", 1));
  flow.end();
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].query, "b.example");
  EXPECT_TRUE(records[0].rejected);
  EXPECT_FALSE(records[0].rtt);
  EXPECT_EQ(records[1].query, "a.example");
}

TEST(Dns, PendingQuestionsAreBounded) {
  ParserFlow flow("dns", 53, IpProto::udp);
  for (unsigned id = 0; id < 100; ++id)
    flow.datagram(Side::orig, header(id, 0x0100, 1) + question("a.example", 1));
  EXPECT_EQ(flow.records<Dns>().size(), 36u);
  flow.end();
  EXPECT_EQ(flow.records<Dns>().size(), 100u);
}

TEST(Dns, TcpFramingDoesNotDependOnSegments) {
  const std::string q1 = framed(header(1, 0x0100, 1) + question("one.example", 1));
  const std::string q2 = framed(header(2, 0x0100, 1) + question("two.example", 16));
  const std::string a2 =
      framed(header(2, 0x8180, 1, 1) + question("two.example", 16) + answer(16, 5, "\x02hi"));
  const std::string a1 = framed(header(1, 0x8183, 1) + question("one.example", 1));
  test::expect_same_when_split("dns", {{Side::orig, q1 + q2}, {Side::resp, a2 + a1}});
  ParserFlow flow("dns");
  flow.ref.proto = IpProto::tcp;
  flow.play({{Side::orig, q1 + q2}, {Side::resp, a2 + a1}});
  ASSERT_EQ(flow.records<Dns>().size(), 2u);
  EXPECT_EQ(flow.records<Dns>()[0].query, "two.example");
  EXPECT_EQ(flow.records<Dns>()[1].rcode_name, "NXDOMAIN");
}

TEST(Dns, GapLosesOnlyItsSide) {
  ParserFlow flow("dns", 53, IpProto::tcp);
  flow.send(Side::orig, framed(header(1, 0x0100, 1) + question("one.example", 1)));
  flow.gap(Side::orig, 10);
  flow.send(Side::orig, "garbage that is no message");
  flow.send(Side::resp, framed(header(1, 0x8180, 1) + question("one.example", 1)));
  ASSERT_EQ(flow.records<Dns>().size(), 1u);
  EXPECT_TRUE(flow.records<Dns>()[0].rtt);
}

TEST(Dns, DataIsShownAsDigDoes) {
  EXPECT_EQ(shown(1, unhex("01020304")), "1.2.3.4");
  EXPECT_EQ(shown(28, unhex("20010db8000000000000000000000001")), "2001:db8::1");
  EXPECT_EQ(shown(15, be16(10) + wire_name("Mail.example")), "10 mail.example");
  EXPECT_EQ(shown(6, wire_name("ns.example") + wire_name("admin.example") + be32(2026) + be32(1) + be32(2) +
                         be32(3) + be32(4)),
            "ns.example admin.example 2026 1 2 3 4");
  EXPECT_EQ(shown(16,
                  "\x03"
                  "a\"b"
                  "\x02"
                  "c\xff"),
            R"("a\"b" "c\255")");
  EXPECT_EQ(shown(33, be16(0) + be16(5) + be16(5060) + wire_name("sip.example")), "0 5 5060 sip.example");
  EXPECT_EQ(shown(35, be16(100) + be16(10) + "\x01S\x07SIP+D2U" + std::string(1, '\0') +
                          wire_name("_sip._udp.example")),
            R"(100 10 "S" "SIP+D2U" "" _sip._udp.example)");
  EXPECT_EQ(shown(257, std::string(1, '\0') + "\x05issueca.example"), R"(0 issue "ca.example")");
  EXPECT_EQ(shown(52, unhex("030101abcd")), "3 1 1 ABCD");
  EXPECT_EQ(shown(43, unhex("30390d02aabb")), "12345 13 2 AABB");
  EXPECT_EQ(shown(48, unhex("01010308") + "abcd"), "257 3 8 YWJjZA==");
  EXPECT_EQ(shown(47, wire_name("b.example") + unhex("0006400000000003")), "b.example A RRSIG NSEC");
  EXPECT_EQ(shown(46, unhex("0001 0802 0000012c 6955b900 692cda80 3039") + wire_name("example") + "xyz"),
            "A 8 2 300 20260101000000 20251201000000 12345 example eHl6");
  EXPECT_EQ(shown(65, be16(1) + std::string(1, '\0') + unhex("0001 0006 02") + "h2\x02h3" +
                          unhex("0003 0002 01bb 0004 0004 c0000201")),
            R"(1 . alpn="h2,h3" port=443 ipv4hint=192.0.2.1)");
  // RFC 1876's own example: 42 21 54 N 71 06 18 W -24m 30m, the precisions at their defaults.
  EXPECT_EQ(shown(29, unhex("00331613") + be32(0x80000000u + 152514000u) + be32(0x80000000u - 255978000u) +
                          be32(10'000'000 - 2400)),
            "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m");
  EXPECT_EQ(shown(50, unhex("01 00 000a 02 aabb 05 0000000001 0001 40")), "1 0 10 AABB 00000001 A");
  EXPECT_EQ(shown(4711, unhex("0102")), "\\# 2 0102");
}

TEST(Dns, BadDataIsShownRawAndNoted) {
  EXPECT_EQ(shown(1, unhex("010203")), "\\# 3 010203 !dns_bad_record");
  EXPECT_EQ(shown(1, unhex("0102030405")), "\\# 5 0102030405 !dns_bad_record");
  EXPECT_EQ(shown(15, unhex("000a 05 61")), "\\# 4 000A0561 !dns_bad_record");
}

TEST(Dns, NamesAreEscapedAndBounded) {
  ParserFlow flow("dns", 53, IpProto::udp);
  flow.datagram(Side::orig, header(1, 0x0100, 1) +
                                "\x05"
                                "a.b \xe9"
                                "\x01"
                                "C" +
                                std::string(1, '\0') + be16(1) + be16(1));
  flow.datagram(Side::orig, header(2, 0x0100, 1) + std::string(1, '\0') + be16(2) + be16(1));
  std::string longest;
  for (int i = 0; i < 5; ++i) longest += "\x3f" + std::string(63, 'x');
  flow.datagram(Side::orig, header(3, 0x0100, 1) + longest + std::string(1, '\0') + be16(2) + be16(1));
  flow.end();
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].query, "a\\.b\\032\\233.c");
  EXPECT_EQ(records[1].query, ".");
  EXPECT_THAT(flow.oddities(), ElementsAre("dns_bad_question"));
}

TEST(Dns, CompressionLoopsAreMalformed) {
  for (const std::string& name : {std::string("\xc0\x0c", 2),
                                  std::string("\x01"
                                              "a\xc0\x0c",
                                              4),
                                  std::string("\xc0\xff", 2)}) {
    ParserFlow flow("dns", 53, IpProto::udp);
    flow.datagram(Side::orig, header(1, 0x0100, 1) + name + be16(1) + be16(1));
    flow.end();
    EXPECT_TRUE(flow.records<Dns>().empty());
    EXPECT_THAT(flow.oddities(), ElementsAre("dns_bad_question"));
  }
}

TEST(Dns, MulticastAnswersStandAlone) {
  ParserFlow flow("dns", 5353, IpProto::udp);
  flow.ref.src_port = 5353;
  flow.ref.dst_ip = *parse_addr("224.0.0.251");
  flow.datagram(Side::orig,
                header(0, 0, 2) + question("_ipp._tcp.local", 12) + question("host.local", 28, 0x8001));
  flow.datagram(Side::orig, header(0, 0x8400, 0, 1) + answer(12, 120, wire_name("My Printer._ipp._tcp.local"),
                                                             wire_name("_ipp._tcp.local")));
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].variant, "mdns");
  EXPECT_EQ(records[0].query, "_ipp._tcp.local");
  EXPECT_EQ(records[1].qclass, 1);
  EXPECT_EQ(records[2].query.data(), nullptr);
  EXPECT_THAT(records[2].answers, ElementsAre("my\\032printer._ipp._tcp.local"));
  EXPECT_THAT(records[2].answer_names, ElementsAre("_ipp._tcp.local"));
}

TEST(Dns, NetbiosNamesAreDecoded) {
  ParserFlow flow("dns", 137, IpProto::udp);
  const std::string name =
      "\x20"
      "FHEPFCELEHFCEPFFFACACACACACACABN" +
      std::string(1, '\0');
  flow.datagram(Side::orig, header(1, 0x0110, 1) + name + be16(32) + be16(1));
  flow.datagram(Side::resp, header(1, 0x8500, 0, 1) + answer(32, 60, unhex("00000a000001"), name));
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].variant, "netbios");
  EXPECT_EQ(records[0].query, "WORKGROUP<1d>");
  EXPECT_EQ(records[0].qtype_name, "NB");
  EXPECT_THAT(records[0].answers, ElementsAre("10.0.0.1"));
  EXPECT_FALSE(records[0].checking_disabled);
}

TEST(Dns, EdnsIsRead) {
  ParserFlow flow("dns", 53, IpProto::udp);
  const std::string subnet = unhex("0008 0007 0001 18 00 c00002");
  const std::string opt = std::string(1, '\0') + be16(41) + be16(1232) + be32(0x8000) +
                          be16(static_cast<unsigned>(subnet.size())) + subnet;
  flow.datagram(Side::orig, header(1, 0x0120, 1, 0, 0, 1) + question("a.example", 1) + opt);
  flow.datagram(Side::resp, header(1, 0x8180, 1, 0, 0, 1) + question("a.example", 1) + std::string(1, '\0') +
                                be16(41) + be16(512) + be32(0x01000000) + be16(0));
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].edns_udp_size, 1232);
  EXPECT_EQ(records[0].dnssec_ok, true);
  EXPECT_EQ(records[0].client_subnet, "192.0.2.0/24");
  EXPECT_EQ(records[0].rcode_name, "BADVERS");
  EXPECT_EQ(records[0].additional_count, 1);
}

TEST(Dns, CutDatagramGivesWhatIsThere) {
  ParserFlow flow("dns", 53, IpProto::udp);
  const std::string whole = header(1, 0x8180, 1, 2) + question("a.example", 1) +
                            answer(1, 9, unhex("01020304")) + answer(1, 9, unhex("01020305"));
  flow.datagram(Side::resp, whole.substr(0, whole.size() - 3), 3);
  ASSERT_EQ(flow.records<Dns>().size(), 1u);
  EXPECT_THAT(flow.records<Dns>()[0].answers, ElementsAre("1.2.3.4"));
  EXPECT_EQ(flow.records<Dns>()[0].response_bytes, whole.size());
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Dns, ContentIsRecognised) {
  const ParserFlow flow("dns");
  const std::string message = header(9, 0x0100, 1) + question("a.example", 1);
  EXPECT_EQ(flow.match(message), Match::yes);
  EXPECT_EQ(flow.match(framed(message)), Match::yes);
  EXPECT_EQ(flow.match(framed(message).substr(0, 20)), Match::maybe);
  EXPECT_EQ(flow.match(framed(message).substr(0, 1)), Match::maybe);
  EXPECT_EQ(flow.match(message + "x"), Match::maybe);
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Match::no);
  EXPECT_EQ(flow.match("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), Match::no);
}

}  // namespace
}  // namespace weir

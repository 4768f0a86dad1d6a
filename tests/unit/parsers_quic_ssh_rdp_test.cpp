#include "capture_turns.hpp"
#include "records/quic.hpp"
#include "records/rdp.hpp"
#include "records/ssh.hpp"

namespace weir {
namespace {

using test::conversations;
using test::ParserFlow;
using test::Turn;
using test::unhex;

TEST(Quic, DatagramsInAnyOrderAndTwice) {
  const auto all = conversations("quic.pcap", IpProto::udp);
  ASSERT_FALSE(all.empty());
  for (const auto& turns : all) {
    ParserFlow straight("quic"), twice("quic");
    straight.play(turns);
    straight.end();
    for (const Turn& t : turns) {
      twice.datagram(t.side, t.bytes);
      twice.datagram(t.side, t.bytes);
    }
    twice.end();
    ASSERT_EQ(straight.records<Quic>().size(), 1U);
    ASSERT_EQ(twice.records<Quic>().size(), 1U);
    EXPECT_EQ(straight.records<Quic>()[0].server_name, twice.records<Quic>()[0].server_name);
    EXPECT_EQ(straight.records<Quic>()[0].ja4, twice.records<Quic>()[0].ja4);
  }
}

TEST(Quic, DamagedBytesAreSafe) {
  const auto all = conversations("quic.pcap", IpProto::udp);
  std::uint32_t random = 7;
  for (int round = 0; round < 100; ++round) {
    for (const auto& turns : all) {
      ParserFlow flow("quic");
      for (Turn turn : turns) {
        random = random * 1664525 + 1013904223;
        turn.bytes[random % std::min<std::size_t>(turn.bytes.size(), 64)] = static_cast<char>(random >> 24);
        if (random % 5 == 0) turn.bytes.resize(random % turn.bytes.size());
        flow.datagram(turn.side, turn.bytes);
      }
      flow.end();
      EXPECT_LE(flow.records<Quic>().size(), 1U);
    }
  }
}

TEST(Quic, GoogleHelloInClear) {
  // Flags, connection ID, Q043, packet number, hash, stream frame; then CHLO with SNI and UAID.
  const std::string hello =
      unhex("43484c4f 0200 0000 534e4900 0b000000 55414944 0f000000") + "example.comcurl";
  const std::string datagram =
      unhex("09 0102030405060708 51303433 01 000000000000000000000000 a00100") + hello;
  ParserFlow flow("quic");
  EXPECT_EQ(flow.match(datagram), Match::yes);
  flow.datagram(Side::orig, datagram);
  ASSERT_EQ(flow.records<Quic>().size(), 1U);
  const Quic record = flow.records<Quic>()[0];
  EXPECT_EQ(record.version, "Q043");
  EXPECT_EQ(record.server_name, "example.com");
  EXPECT_EQ(record.user_agent, "curl");
}

TEST(Quic, IsNotTakenForOtherThings) {
  const ParserFlow flow("quic");
  EXPECT_EQ(flow.match(unhex("c0 12345678 08 0102030405060708 00 00 00")), Match::no);
  EXPECT_EQ(flow.match(unhex("40 00000001 08")), Match::no);
  EXPECT_EQ(flow.match(unhex("c0 00000001 ff 0102")), Match::no);
}

TEST(Ssh, SegmentsDoNotShow) {
  // Banners and key exchange; what follows is judged by the sizes of segments.
  std::vector<Turn> turns;
  for (const auto& all : conversations("ssh.pcap", IpProto::tcp))
    if (turns.empty() && all.size() > 6) turns.assign(all.begin(), all.begin() + 6);
  ASSERT_EQ(turns.size(), 6U);
  test::expect_same_when_split("ssh", turns);
}

TEST(Ssh, DamagedBytesAreSafe) {
  const auto all = conversations("ssh.pcap", IpProto::tcp);
  std::uint32_t random = 3;
  for (int round = 0; round < 100; ++round) {
    for (const auto& turns : all) {
      ParserFlow flow("ssh");
      for (Turn turn : turns) {
        random = random * 1664525 + 1013904223;
        turn.bytes[random % turn.bytes.size()] = static_cast<char>(random >> 24);
        flow.send(turn.side, turn.bytes);
      }
      flow.end();
      EXPECT_LE(flow.records<Ssh>().size(), 1U);
    }
  }
}

TEST(Ssh, HasshOfAKnownClient) {
  // The value for these lists is the MD5 of them joined by ';', as HASSH's description has it.
  const auto list = [](std::string_view s) {
    return std::string(3, '\0') + static_cast<char>(s.size()) + std::string(s);
  };
  std::string payload = '\x14' + std::string(16, 'c') + list("a,b") + list("k") + list("c1") + list("c2") +
                        list("m1") + list("m2") + list("none") + list("zlib") + list("") + list("") +
                        std::string(5, '\0');
  const std::size_t padding = 8;
  payload = static_cast<char>(padding) + payload + std::string(padding, 'p');
  const std::string packet = std::string(3, '\0') + static_cast<char>(payload.size()) + payload;
  ParserFlow flow("ssh");
  flow.send(Side::orig, "SSH-2.0-Test_1 hello\r\n" + packet);
  flow.send(Side::resp, "Welcome\r\nSSH-2.0-Server_2\r\n" + packet);
  flow.end();
  ASSERT_EQ(flow.records<Ssh>().size(), 1U);
  const Ssh record = flow.records<Ssh>()[0];
  EXPECT_EQ(record.hassh, "cb5196c696ab44b28e2df7eae5585156");         // a,b;c1;m1;none
  EXPECT_EQ(record.hassh_server, "163461f52855de797684c6adc7c08743");  // a,b;c2;m2;zlib
  EXPECT_EQ(record.client_software, "Test_1");
  EXPECT_EQ(record.cipher, "c1");
  EXPECT_EQ(record.version, 2);
}

TEST(Rdp, SegmentsDoNotShow) {
  const auto turns = test::conversation("rdp.pcap", IpProto::tcp, "mstshash=alice");
  ASSERT_GE(turns.size(), 4U);
  test::expect_same_when_split("rdp", std::vector<Turn>(turns.begin(), turns.begin() + 4));
}

TEST(Rdp, OtherUsersOfTheSameRequest) {
  const ParserFlow flow("rdp");
  // S7comm: the same X.224 request with parameters of its own.
  EXPECT_NE(flow.match(unhex("0300 0016 11 e0 0000 0001 00 c1 02 0100 c2 02 0102 c0 01 0a")), Match::yes);
  EXPECT_EQ(flow.match(unhex("0300 0013 0e e0 0000 0000 00 01 00 0800 03000000")), Match::yes);
  EXPECT_EQ(flow.match(unhex("0300 000b 06 e0 0000 0000 00") + "Cookie: mstshash=x\r\n"), Match::yes);
}

TEST(Rdp, RefusalNamesItsCause) {
  ParserFlow flow("rdp");
  flow.send(Side::orig, unhex("0300 0013 0e e0 0000 0000 00 01 00 0800 00000000"));
  flow.send(Side::resp, unhex("0300 0013 0e d0 0000 1234 00 03 00 0800 05000000"));
  ASSERT_EQ(flow.records<Rdp>().size(), 1U);
  EXPECT_EQ(flow.records<Rdp>()[0].result, "hybrid_required_by_server");
  EXPECT_EQ(flow.parse, Parse::done);
}

}  // namespace
}  // namespace weir

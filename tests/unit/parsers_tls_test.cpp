#include "capture_turns.hpp"
#include "records/certificate.hpp"
#include "records/tls.hpp"

namespace weir {
namespace {

using test::conversation;
using test::conversations;
using test::ParserFlow;
using test::Turn;
using test::unhex;

// TLS 1.2 with a client certificate; segments of one side that follow each other are one turn.
std::vector<Turn> client_certificate() {
  std::vector<Turn> turns;
  for (auto& turn : conversation("tls.pcap", IpProto::tcp, "mail.example.test")) {
    if (!turns.empty() && turns.back().side == turn.side)
      turns.back().bytes += turn.bytes;
    else
      turns.push_back(std::move(turn));
  }
  return turns;
}

TEST(Tls, SegmentsDoNotShow) {
  // TLS 1.3 with a retry.
  test::expect_same_when_split("tls", conversation("tls.pcap", IpProto::tcp, "retry.example.test"));
}

TEST(Tls, MessagesOverManyRecords) {
  const auto turns = client_certificate();
  ASSERT_GE(turns.size(), 4U);
  ParserFlow whole("tls");
  whole.play(turns);
  whole.end();
  // The same messages in records of seven bytes each, up to each side's ChangeCipherSpec.
  ParserFlow small("tls");
  bool encrypted[2] = {};
  for (const Turn& turn : turns) {
    std::string out;
    for (std::string_view rest = turn.bytes; rest.size() >= 5;) {
      const std::size_t size = load_be16(as_bytes(rest).data() + 3);
      const std::string_view record = rest.substr(0, 5 + size);
      bool& is_encrypted = encrypted[static_cast<std::size_t>(turn.side)];
      is_encrypted = is_encrypted || record[0] == 20;
      if (record[0] != 22 || is_encrypted) {
        out += record;
      } else {
        for (std::string_view body = record.substr(5); !body.empty();
             body.remove_prefix(std::min<std::size_t>(7, body.size()))) {
          const auto piece = body.substr(0, 7);
          out +=
              std::string(record.substr(0, 3)) + '\0' + static_cast<char>(piece.size()) + std::string(piece);
        }
      }
      rest.remove_prefix(std::min(rest.size(), 5 + size));
    }
    small.send(turn.side, out);
    small.now.ns += 1'000'000;
  }
  small.end();
  EXPECT_EQ(small.lines(), whole.lines());
  EXPECT_EQ(small.records<Certificate>().size(), 3U);
}

TEST(Tls, EveryPrefixOfAConversationGivesARecord) {
  const auto turns = client_certificate();
  ASSERT_GE(turns.size(), 4U);
  const std::string& hello = turns[0].bytes;
  for (std::size_t size = 0; size <= turns[1].bytes.size(); size += 13) {
    ParserFlow flow("tls");
    flow.send(Side::orig, hello);
    flow.send(Side::resp, turns[1].bytes.substr(0, size));
    flow.end();
    ASSERT_EQ(flow.records<Tls>().size(), 1U);
    EXPECT_EQ(flow.records<Tls>()[0].server_name, "mail.example.test");
  }
}

TEST(Tls, AGapEndsOneSideOnly) {
  const auto turns = client_certificate();
  ASSERT_GE(turns.size(), 4U);
  ParserFlow flow("tls");
  flow.send(turns[0].side, turns[0].bytes);
  flow.gap(Side::resp, 500);
  for (std::size_t i = 1; i < turns.size(); ++i) flow.send(turns[i].side, turns[i].bytes);
  flow.end();
  ASSERT_EQ(flow.records<Tls>().size(), 1U);
  EXPECT_EQ(flow.records<Tls>()[0].cipher.data(), nullptr);
  EXPECT_EQ(flow.records<Tls>()[0].history, "CXGYI");
  EXPECT_EQ(flow.records<Tls>()[0].client_certificate_chain.size(), 1U);
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Tls, DamagedBytesAreSafe) {
  const auto turns = client_certificate();
  ASSERT_GE(turns.size(), 4U);
  std::uint32_t random = 1;
  for (int round = 0; round < 400; ++round) {
    ParserFlow flow("tls");
    for (Turn turn : turns) {
      for (int i = 0; i < 4; ++i) {
        random = random * 1664525 + 1013904223;
        turn.bytes[random % turn.bytes.size()] = static_cast<char>(random >> 24);
      }
      flow.send(turn.side, turn.bytes);
    }
    flow.end();
    EXPECT_LE(flow.records<Tls>().size(), 1U);
  }
}

TEST(Tls, MessageBeyondTheBoundIsAnOddity) {
  ParserFlow flow("tls");
  flow.send(Side::orig, unhex("16 0301 0006 01 ffffff 0303"));
  flow.end();
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"handshake_message_too_long"});
}

TEST(Tls, ExtensionThatDoesNotFitIsOdd) {
  ParserFlow flow("tls");
  flow.send(Side::orig, unhex("16 0301 0033 01 00002f 0303" + std::string(64, '7') +
                              "00 0002 1301 01 00 0004 ff77 0004"));
  flow.end();
  EXPECT_EQ(flow.records<Tls>().size(), 1U);
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"malformed_tls_extensions"});
}

TEST(Tls, HeartbeatThatClaimsMoreThanItHas) {
  const auto turns = client_certificate();
  ASSERT_GE(turns.size(), 4U);
  ParserFlow flow("tls");
  flow.send(Side::orig, turns[0].bytes);
  flow.send(Side::orig, unhex("18 0302 0003 01 4000"));
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"tls_heartbeat_overread"});
}

TEST(Tls, Sslv2Hello) {
  const std::string hello =
      unhex("802e 01 0301 0015 0000 0010 010080 020080 000004 000005 00000a 000009 0000ff") +
      std::string(16, 'c');
  ParserFlow flow("tls");
  EXPECT_EQ(flow.match(hello), Match::yes);
  flow.send(Side::orig, hello);
  flow.end();
  ASSERT_EQ(flow.records<Tls>().size(), 1U);
  EXPECT_EQ(flow.records<Tls>()[0].version, "TLSv1.0");
  EXPECT_EQ(flow.records<Tls>()[0].record_version, "SSLv2");
}

TEST(Tls, DtlsFragmentsInAnyOrder) {
  const auto all = conversations("tls.pcap", IpProto::udp);
  ASSERT_EQ(all.size(), 1U);
  ParserFlow straight("tls", 0, IpProto::udp);
  straight.play(all[0]);
  straight.end();
  std::vector<Turn> turns = all[0];
  // The server's flight with the fragmented certificate: the fourth to the seventh datagram.
  ASSERT_EQ(turns[3].side, Side::resp);
  ASSERT_EQ(turns[6].side, Side::resp);
  std::swap(turns[4], turns[5]);
  turns.insert(turns.begin() + 6, turns[5]);  // and one of them twice
  ParserFlow shuffled("tls", 0, IpProto::udp);
  for (const Turn& t : turns) shuffled.datagram(t.side, t.bytes);
  shuffled.end();
  ASSERT_EQ(straight.records<Tls>().size(), 1U);
  ASSERT_EQ(shuffled.records<Tls>().size(), 1U);
  EXPECT_EQ(straight.records<Tls>()[0].certificate_chain.size(), 2U);
  EXPECT_EQ(shuffled.records<Tls>()[0].certificate_chain.size(), 2U);
  EXPECT_TRUE(shuffled.records<Tls>()[0].established);
}

TEST(Tls, IsNotTakenForOtherThings) {
  const ParserFlow flow("tls");
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\n"), Match::no);
  EXPECT_EQ(flow.match(unhex("16 0301 0005 0f 000001 00")), Match::no);
  EXPECT_EQ(flow.match(unhex("16 03")), Match::maybe);
  EXPECT_EQ(flow.match(unhex("80 2e 04 00 01")), Match::no);
}

}  // namespace
}  // namespace weir

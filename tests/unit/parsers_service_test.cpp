// snmp, sip, mqtt and modbus: requests and answers. Messages with a capture's name are from tests/data.
#include "parser_fixture.hpp"
#include "records/modbus.hpp"
#include "records/mqtt.hpp"
#include "records/sip.hpp"
#include "records/snmp.hpp"

namespace weir::test {
namespace {

// snmp.pcap
constexpr std::string_view snmp_get =
    "303702010004067075626c6963a02a020458d1e54c020100020100301c300c06082b060102010101000500300c06082b06010201"
    "0103000500";
constexpr std::string_view snmp_got =
    "304202010004067075626c6963a235020458d1e54c0201000201003027301606082b06010201010100040a74657374206167656e"
    "74300d06082b06010201010300430138";
constexpr std::string_view snmp_v3_answer =
    "308193020103301102044b186caf020300ffe304010102010304323030041180001f8880c67c477f29d6046b0000000002010102"
    "010204056775617264040cbfa208c86840c149d889a1ac04003047041180001f8880c67c477f29d6046b000000000400a2300204"
    "088664da0201000201003022302006082b0601020101050004147377697463682d312e6578616d706c652e636f6d";

TEST(Snmp, GetAndItsResponse) {
  ParserFlow flow("snmp");
  EXPECT_EQ(flow.match(unhex(snmp_get)), Match::yes);
  flow.datagram(Side::orig, unhex(snmp_get));
  flow.now.ns += 3'000'000;
  flow.datagram(Side::resp, unhex(snmp_got));
  const auto records = flow.records<Snmp>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].version, "1");
  EXPECT_EQ(records[0].community, "public");
  EXPECT_EQ(records[0].pdu, "get");
  const Snmp& answer = records[1];
  EXPECT_EQ(answer.pdu, "response");
  ASSERT_EQ(answer.oids.size(), 2u);
  EXPECT_EQ(answer.oids[0], "1.3.6.1.2.1.1.1.0");
  EXPECT_EQ(answer.values[0], "test agent");
  EXPECT_EQ(answer.uptime, milliseconds(560));
  EXPECT_EQ(answer.rtt, milliseconds(3));
  EXPECT_EQ(answer.error.data(), nullptr);
}

TEST(Snmp, Version3WithAuthentication) {
  ParserFlow flow("snmp");
  EXPECT_EQ(flow.match(unhex(snmp_v3_answer)), Match::yes);
  flow.datagram(Side::resp, unhex(snmp_v3_answer));
  const auto records = flow.records<Snmp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].user, "guard");
  EXPECT_EQ(records[0].security, "auth");
  EXPECT_EQ(records[0].engine_id, "80001f8880c67c477f29d6046b00000000");
  ASSERT_EQ(records[0].values.size(), 1u);
  EXPECT_EQ(records[0].values[0], "switch-1.example.com");
}

TEST(Snmp, CutOrForgedLengthsAreOdd) {
  const std::string whole = unhex(snmp_v3_answer);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ParserFlow flow("snmp");
    flow.datagram(Side::orig, std::string_view(whole).substr(0, size));
    EXPECT_EQ(flow.parse, Parse::malformed) << size;
  }
  for (std::size_t at = 1; at < whole.size(); ++at) {
    std::string bent = whole;
    bent[at] = '\x84';
    ParserFlow flow("snmp");
    flow.datagram(Side::orig, bent);
    EXPECT_NE(flow.records<Snmp>().empty(), flow.parse == Parse::more) << at;
  }
}

const std::string sip_invite =
    "INVITE sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1\r\n"
    "From: alice <sip:alice@10.0.0.1>;tag=1\r\nTo: <sip:bob@10.0.0.2>\r\nCall-ID: 1-2@10.0.0.1\r\n"
    "CSeq: 1 INVITE\r\nContact: sip:alice@10.0.0.1:5060\r\nUser-Agent: phone\r\n  /1.0\r\n"
    "Content-Type: application/sdp\r\nContent-Length: 67\r\n\r\n"
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\nc=IN IP4 10.0.0.1\r\nm=audio 6000 RTP/A";
const std::string sip_ringing =
    "SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1\r\nf: alice "
    "<sip:alice@10.0.0.1>;tag=1\r\n"
    "t: <sip:bob@10.0.0.2>;tag=2\r\ni: 1-2@10.0.0.1\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n";
const std::string sip_ok =
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1\r\nFrom: alice "
    "<sip:alice@10.0.0.1>;tag=1\r\n"
    "To: <sip:bob@10.0.0.2>;tag=2\r\nCall-ID: 1-2@10.0.0.1\r\nCSeq: 1 INVITE\r\nServer: "
    "pbx\r\nContent-Length: 0\r\n\r\n";

TEST(Sip, InviteIsJoinedWithItsFinalAnswer) {
  ParserFlow flow("sip", 5060, IpProto::udp);
  EXPECT_EQ(flow.match(sip_invite), Match::yes);
  EXPECT_EQ(flow.match(sip_ok, Side::resp), Match::yes);
  flow.play({{Side::orig, sip_invite},
             {Side::orig, sip_invite},
             {Side::resp, sip_ringing},
             {Side::resp, sip_ok},
             {Side::resp, sip_ok}});
  flow.end();
  const auto records = flow.records<Sip>();
  ASSERT_EQ(records.size(), 1u) << "a retransmission makes no record";
  const Sip& s = records[0];
  EXPECT_EQ(s.method, "INVITE");
  EXPECT_EQ(s.uri, "sip:bob@10.0.0.2");
  EXPECT_EQ(s.status, 200);
  EXPECT_EQ(s.reason, "OK");
  EXPECT_EQ(s.server, "pbx");
  EXPECT_EQ(s.user_agent, "phone\r\n  /1.0");
  EXPECT_EQ(s.media, "audio 6000 RTP/A at 10.0.0.1");
  EXPECT_EQ(s.retransmissions, 1);
  EXPECT_EQ(s.rtt, milliseconds(3));
  ASSERT_EQ(s.request_path.size(), 1u);
}

TEST(Sip, UnansweredRequestIsWrittenAtTheEnd) {
  ParserFlow flow("sip", 5060, IpProto::udp);
  flow.datagram(Side::orig, sip_invite);
  EXPECT_TRUE(flow.records<Sip>().empty());
  flow.end();
  ASSERT_EQ(flow.records<Sip>().size(), 1u);
  EXPECT_FALSE(flow.records<Sip>()[0].status);
}

TEST(Sip, StreamSegmentsDoNotShow) {
  expect_same_when_split("sip", {{Side::orig, sip_invite + "\r\n\r\n"}, {Side::resp, sip_ringing + sip_ok}});
}

TEST(Sip, BadLengthIsOdd) {
  ParserFlow flow("sip", 5060, IpProto::udp);
  flow.datagram(Side::resp, "SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\nContent-Length: many\r\n\r\n");
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"sip_bad_content_length"});
}

// mqtt.pcap
const std::vector<Turn> mqtt_session = {
    {Side::orig, unhex("102500044d51545405c2003c03210003000672656164657200056d657465720006736563726574")},
    {Side::resp, unhex("200900000622000a210014")},
    {Side::orig, unhex("82210001000013706c616e742f2b2f74656d7065726174757265010005616c61726d01")},
    {Side::resp, unhex("90050001000101")},
    {Side::orig, unhex("320e0005616c61726d00010066697265")},
    {Side::resp, unhex("d000")}};

TEST(Mqtt, ConnectSubscribePublish) {
  ParserFlow flow("mqtt");
  EXPECT_EQ(flow.match(mqtt_session[0].bytes), Match::yes);
  flow.play(mqtt_session);
  const auto records = flow.records<Mqtt>();
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].message, "connect");
  EXPECT_EQ(records[0].version, "5");
  EXPECT_EQ(records[0].client_id, "reader");
  EXPECT_EQ(records[0].user, "meter");
  EXPECT_EQ(records[0].has_password, true);
  EXPECT_EQ(records[0].keep_alive, seconds(60));
  EXPECT_EQ(records[1].reason, "accepted");
  ASSERT_EQ(records[2].topics.size(), 2u);
  EXPECT_EQ(records[2].topics[0], "plant/+/temperature");
  ASSERT_EQ(records[3].codes.size(), 2u);
  EXPECT_EQ(records[4].topic, "alarm");
  EXPECT_EQ(records[4].payload, 4u);
  EXPECT_EQ(records[4].qos, 1);
}

TEST(Mqtt, StreamSegmentsDoNotShow) {
  expect_same_when_split("mqtt", mqtt_session);
}

TEST(Mqtt, LargePayloadIsSkippedUnseen) {
  ParserFlow flow("mqtt");
  flow.send(Side::orig, unhex("30 8480 8001 0002 6162"));  // 2 MiB and 4 octets
  for (int i = 0; i < 32; ++i) flow.send(Side::orig, std::string(65536, 'x'));
  flow.send(Side::orig, unhex("30 03 0001 63"));
  const auto records = flow.records<Mqtt>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].payload, 2097152u);
  EXPECT_EQ(records[1].topic, "c");
}

const std::vector<Turn> modbus_session = {{Side::orig, unhex("0001 0000 0006 07 03 0004 0003")},
                                          {Side::resp, unhex("0001 0000 0009 07 03 06 0004 0005 0006")},
                                          {Side::orig, unhex("0002 0000 0006 07 05 0002 ff00")},
                                          {Side::resp, unhex("0002 0000 0006 07 05 0002 ff00")},
                                          {Side::orig, unhex("0003 0000 0006 07 03 07d0 0003")},
                                          {Side::resp, unhex("0003 0000 0003 07 83 02")},
                                          {Side::orig, unhex("0004 0000 0006 07 01 0000 0001")}};

TEST(Modbus, RequestsAndAnswersAreJoined) {
  ParserFlow flow("modbus");
  flow.play(modbus_session);
  flow.end();
  const auto records = flow.records<Modbus>();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].name, "read_holding_registers");
  EXPECT_EQ(records[0].address, 4);
  EXPECT_EQ(records[0].quantity, 3);
  ASSERT_EQ(records[0].values.size(), 3u);
  EXPECT_EQ(records[0].values[2], 6);
  EXPECT_EQ(records[0].rtt, milliseconds(1));
  EXPECT_EQ(records[1].values[0], 1);
  EXPECT_EQ(records[2].exception, "illegal_data_address");
  EXPECT_EQ(records[2].address, 2000);
  EXPECT_FALSE(records[3].is_response_seen);
}

TEST(Modbus, StreamSegmentsDoNotShow) {
  expect_same_when_split("modbus", modbus_session);
}

TEST(Modbus, OtherProtocolOnItsPortIsRefused) {
  ParserFlow flow("modbus");
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\n"), Match::no);
  flow.send(Side::orig, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"modbus_bad_header"});
}

}  // namespace
}  // namespace weir::test

// dhcp, dhcpv6 and ntp: datagrams, one record each.
#include "parser_fixture.hpp"
#include "records/dhcp.hpp"
#include "records/dhcpv6.hpp"
#include "records/ntp.hpp"

namespace weir::test {
namespace {

// A DHCP message: the given head, an empty sname and file, the cookie, options.
std::string dhcp_message(std::string_view head, std::string_view options) {
  std::string m = unhex(head);
  m.resize(236);
  return m + unhex("63825363") + unhex(options);
}

// Options as udhcpc asks and dnsmasq answers (dhcp.pcap).
constexpr std::string_view request_options =
    "35010332040a4d007836040a4d00013902024037070103060c0f1c2a0c097072696e7465722d373c09776569722074657374"
    "3d070102000000000251180100007072696e7465722d372e6c616e2e6578616d706c65ff";
constexpr std::string_view ack_options =
    "35010536040a4d0001330400000e103a04000007083b0400000c4e0104ffffff001c040a4d00ff03040a4d00010f0b6c616e"
    "2e6578616d706c650c097072696e7465722d37511801ffff7072696e7465722d372e6c616e2e6578616d706c652a040a4d00"
    "01ff";
// A reply of dnsmasq to dhclient -6.
constexpr std::string_view reply6 =
    "078823b90001000e0001000132978f210200000000020002000a000300010200000000010003002800000002000007080000"
    "0c4e00050018fd77000000000000000000000000013b00000e1000000e10000d000900007375636365737300170010fd7700"
    "00000000000000000000000053";

TEST(Dhcp, RequestOfARealClient) {
  ParserFlow flow("dhcp");
  const std::string message = dhcp_message(
      "01010600a099e84c000080000000000000000000000000000000000002000000000200000000", request_options);
  EXPECT_EQ(flow.match(message), Match::yes);
  flow.datagram(Side::orig, message);
  const auto records = flow.records<Dhcp>();
  ASSERT_EQ(records.size(), 1u);
  const Dhcp& d = records[0];
  EXPECT_EQ(d.message, "request");
  EXPECT_EQ(d.xid, 0xa099e84cu);
  EXPECT_EQ(d.host_name, "printer-7");
  EXPECT_EQ(d.client_fqdn, "printer-7.lan.example");
  EXPECT_EQ(d.vendor_class, "weir test");
  EXPECT_EQ(d.fingerprint, "1,3,6,12,15,28,42");
  EXPECT_EQ(d.client_id, "01020000000002");
  EXPECT_EQ(d.is_broadcast, true);
  ASSERT_TRUE(d.requested_ip && d.server_ip);
  EXPECT_EQ(to_string(*d.requested_ip), "10.77.0.120");
  EXPECT_FALSE(d.client_ip);
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Dhcp, AckOfARealServer) {
  ParserFlow flow("dhcp");
  flow.datagram(
      Side::resp,
      dhcp_message("02010600a099e84c00000000000000000a4d00780a4d0001000000000200000000020000", ack_options));
  const auto records = flow.records<Dhcp>();
  ASSERT_EQ(records.size(), 1u);
  const Dhcp& d = records[0];
  EXPECT_EQ(d.message, "ack");
  EXPECT_EQ(d.lease_time, seconds(3600));
  EXPECT_EQ(d.domain, "lan.example");
  ASSERT_TRUE(d.assigned_ip);
  EXPECT_EQ(to_string(*d.assigned_ip), "10.77.0.120");
  ASSERT_EQ(d.routers.size(), 1u);
  EXPECT_EQ(to_string(d.routers[0]), "10.77.0.1");
}

TEST(Dhcp, OptionsSpillIntoFileAndSnameAndComeInPieces) {
  std::string message = dhcp_message("01010600 00000001", "350101 340103 0c02 6162 0c02 6364 ff");
  const std::string in_file = unhex("0f03 6c616e ff"), in_sname = unhex("0c02 6566 ff");
  message.replace(108, in_file.size(), in_file);
  message.replace(44, in_sname.size(), in_sname);
  ParserFlow flow("dhcp");
  flow.datagram(Side::orig, message);
  const auto records = flow.records<Dhcp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].host_name, "abcdef");
  EXPECT_EQ(records[0].domain, "lan");
  EXPECT_EQ(records[0].boot_file.data(), nullptr);
}

TEST(Dhcp, RelayAgentAndSearchListAndBinaryFqdn) {
  ParserFlow flow("dhcp");
  flow.datagram(
      Side::orig,
      dhcp_message(
          "01010600 00000001",
          "350101 520c 0104 65746830 0204 00ff0001 "
          "7713 03636f72 07 6578616d706c65 00 036c616e c004 00 510a 05 00 00 03 706331 02 6c6e 00 ff"));
  const auto records = flow.records<Dhcp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].circuit_id, "eth0");
  EXPECT_EQ(records[0].remote_id, "00ff0001");
  EXPECT_EQ(records[0].client_fqdn, "pc1.ln");
  ASSERT_GE(records[0].search_domains.size(), 2u);
  EXPECT_EQ(records[0].search_domains[0], "cor.example");
  EXPECT_EQ(records[0].search_domains[1], "lan.example");
}

TEST(Dhcp, BootpHasNoType) {
  ParserFlow flow("dhcp");
  flow.datagram(Side::orig, dhcp_message("01010600 00000001", "ff"));
  const auto records = flow.records<Dhcp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].message, "bootp_request");
}

TEST(Dhcp, EveryCutIsSafeAndNamed) {
  const std::string whole = dhcp_message("01010600 00000001", request_options);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ParserFlow flow("dhcp");
    flow.datagram(Side::orig, std::string_view(whole).substr(0, size));
    EXPECT_EQ(flow.records<Dhcp>().size() + (size < 236 ? 1 : 0), 1u) << size;
    EXPECT_TRUE(size >= 236 || flow.oddities() == std::vector<std::string>{"dhcp_truncated"}) << size;
  }
}

TEST(Dhcpv6, ReplyOfARealServer) {
  ParserFlow flow("dhcpv6");
  const std::string message = unhex(reply6);
  EXPECT_EQ(flow.match(message), Match::maybe);
  flow.datagram(Side::resp, message);
  const auto records = flow.records<Dhcpv6>();
  ASSERT_EQ(records.size(), 1u);
  const Dhcpv6& d = records[0];
  EXPECT_EQ(d.message, "reply");
  ASSERT_EQ(d.addresses.size(), 1u);
  EXPECT_EQ(to_string(d.addresses[0]), "fd77::13b");
  EXPECT_EQ(d.valid_lifetime, seconds(3600));
  EXPECT_EQ(d.status, "success");
  ASSERT_EQ(d.dns_servers.size(), 1u);
  EXPECT_EQ(to_string(d.dns_servers[0]), "fd77::53");
  EXPECT_EQ(d.relays, 0);
  ASSERT_TRUE(d.client_mac);
  EXPECT_EQ(*d.client_mac, *parse_mac("02:00:00:00:00:02"));
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Dhcpv6, RelayedPrefixDelegation) {
  ParserFlow flow("dhcpv6");
  flow.datagram(Side::orig, unhex("0c 00 20010db8000000000000000000000001 fe800000000000000000000000000002 "
                                  "0012 0004 65746830 0009 0031 "
                                  "03 000001 0019 0029 00000001 00000000 00000000 "
                                  "001a 0019 00000708 00000e10 38 20010db8010000000000000000000000"));
  const auto records = flow.records<Dhcpv6>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].message, "request");
  EXPECT_EQ(records[0].relays, 1);
  EXPECT_EQ(records[0].interface_id, "eth0");
  ASSERT_EQ(records[0].prefixes.size(), 1u);
  EXPECT_EQ(records[0].prefixes[0], "2001:db8:100::/56");
  ASSERT_TRUE(records[0].relay_peer);
  EXPECT_EQ(to_string(*records[0].relay_peer), "fe80::2");
}

TEST(Dhcpv6, EveryCutIsSafe) {
  const std::string whole = unhex(reply6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ParserFlow flow("dhcpv6");
    flow.datagram(Side::orig, std::string_view(whole).substr(0, size));
    EXPECT_LE(flow.records<Dhcpv6>().size(), 1u);
  }
}

// A chrony client's request and the answer (ntp.pcap).
constexpr std::string_view ntp_request =
    "230006200000000000000000000000000000000000000000 0000000000000000 0000000000000000 a2f58fc1408c9b15";
constexpr std::string_view ntp_answer =
    "240206e600000000000000007f7f0101eeaf51f0b9eff0fe a2f58fc1408c9b15 eeaf51f4db5b919d eeaf51f4db5ecbfe";

TEST(Ntp, AnswerKnowsItsRequest) {
  ParserFlow flow("ntp");
  EXPECT_EQ(flow.match(unhex(ntp_request)), Match::maybe);
  flow.datagram(Side::orig, unhex(ntp_request));
  flow.now.ns += 250'000;
  flow.datagram(Side::resp, unhex(ntp_answer));
  const auto records = flow.records<Ntp>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].mode, "client");
  EXPECT_EQ(records[0].poll, seconds(64));
  EXPECT_FALSE(records[0].rtt);
  EXPECT_EQ(records[0].reference_id.data(), nullptr);
  EXPECT_EQ(records[1].mode, "server");
  EXPECT_EQ(records[1].stratum, 2);
  EXPECT_EQ(records[1].reference_id, "127.127.1.1");
  ASSERT_TRUE(records[1].rtt && records[1].transmit_time && records[1].precision);
  EXPECT_EQ(records[1].rtt->ns, 250'000);
  EXPECT_EQ(records[1].precision->ns, 14);  // 2^-26 s
  EXPECT_EQ(records[1].transmit_time->ns / 1'000'000'000, 0xeeaf51f4 - 2'208'988'800);
}

TEST(Ntp, TimesGoOnAfter2036) {
  ParserFlow flow("ntp");
  std::string answer = unhex(ntp_answer);
  answer.replace(40, 8, unhex("0000000080000000"));
  flow.datagram(Side::resp, answer);
  const auto records = flow.records<Ntp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].transmit_time, *parse_time("2036-02-07T06:28:16.5Z"));
}

TEST(Ntp, ControlAndMonlist) {
  ParserFlow flow("ntp");
  flow.datagram(Side::orig, unhex("16 02 0001 0000 0000 0000 0000"));
  flow.datagram(Side::orig, unhex("17 00 03 2a 0000 0000"));
  flow.datagram(Side::resp, unhex("97 00 03 2a 0006 0048"));
  const auto records = flow.records<Ntp>();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].operation, "read_variables");
  EXPECT_EQ(records[1].operation, "monlist");
  EXPECT_EQ(records[1].is_response, false);
  EXPECT_EQ(records[2].is_response, true);
  EXPECT_EQ(records[2].items, 6);
}

TEST(Ntp, ShortPacketIsOdd) {
  ParserFlow flow("ntp");
  flow.datagram(Side::orig, unhex(ntp_request).substr(0, 47));
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"ntp_truncated"});
}

}  // namespace
}  // namespace weir::test

// arp, icmp and ndp: the parsers that read whole packets.
#include "parser_fixture.hpp"
#include "records/arp.hpp"
#include "records/icmp.hpp"
#include "records/ndp.hpp"

namespace weir::test {
namespace {

struct PacketFlow {
  PacketFlow(std::string_view parser, IpProto proto) : flow(parser, 1, proto) {}
  void packet(Side side, const std::string& bytes) {
    flow.network = as_bytes(bytes);
    flow.datagram(side, bytes);
    flow.network = {};
    flow.now.ns += 1'000'000;
  }
  ParserFlow flow;
};

std::string text_of(const Addr& a) {
  return to_string(a);
}

constexpr std::string_view arp_head = "0001 0800 06 04 ";

TEST(Arp, TellsRequestReplyProbeAndAnnouncementApart) {
  PacketFlow p("arp", IpProto{});
  const auto arp = [&](std::string_view operation, std::string_view sender, std::string_view target) {
    p.packet(Side::orig, unhex(std::string(arp_head) + std::string(operation) + " 020000000001 " +
                               std::string(sender) + " 000000000000 " + std::string(target)));
  };
  arp("0001", "0a4d0001", "0a4d0002");
  arp("0002", "0a4d0001", "0a4d0002");
  arp("0001", "00000000", "0a4d0002");
  arp("0001", "0a4d0001", "0a4d0001");
  arp("0002", "0a4d0001", "0a4d0001");
  arp("0017", "0a4d0001", "0a4d0001");
  const auto records = p.flow.records<Arp>();
  ASSERT_EQ(records.size(), 6u);
  const std::vector<std::string_view> kinds = {"request",      "reply",      "probe",
                                               "announcement", "gratuitous", "request"};
  for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(records[i].kind, kinds[i]) << i;
  EXPECT_EQ(records[0].operation, "request");
  EXPECT_EQ(records[5].operation, "23");
  EXPECT_EQ(text_of(records[0].src_ip), "10.77.0.1");
  EXPECT_EQ(text_of(records[0].dst_ip), "10.77.0.2");
  EXPECT_FALSE(records[0].target_mac);
}

TEST(Arp, TruncatedOrForeignAddressesAreOdd) {
  PacketFlow p("arp", IpProto{});
  p.packet(Side::orig, unhex("0001 0800 06 04 0001 0200"));
  p.packet(Side::orig, unhex("0001 86dd 06 10 0001 020000000001"));
  EXPECT_EQ(p.flow.oddities(), (std::vector<std::string>{"arp_truncated", "arp_unknown_addresses"}));
  EXPECT_TRUE(p.flow.records<Arp>().empty());
}

std::string ipv4_icmp(std::string_view icmp) {
  const std::string body = unhex(icmp);
  std::string packet = unhex("4500 0000 0001 4000 40 01 0000 0a000001 0a000002");
  packet[3] = static_cast<char>(20 + body.size());
  return packet + body;
}

TEST(Icmp, EchoReplyCarriesTheRoundTrip) {
  PacketFlow p("icmp", IpProto::icmp);
  p.packet(Side::orig, ipv4_icmp("08 00 0000 1234 0001 6162636465666768"));
  p.packet(Side::resp, ipv4_icmp("00 00 0000 1234 0001 6162636465666768"));
  p.packet(Side::resp, ipv4_icmp("00 00 0000 1234 0001 6162636465666768"));
  const auto records = p.flow.records<Icmp>();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].name, "echo_request");
  EXPECT_EQ(records[0].id, 0x1234);
  EXPECT_EQ(records[0].payload, 8u);
  EXPECT_FALSE(records[0].rtt);
  ASSERT_TRUE(records[1].rtt);
  EXPECT_EQ(records[1].rtt->ns, 1'000'000);
  EXPECT_FALSE(records[2].rtt) << "a duplicate reply has no request of its own";
}

TEST(Icmp, ErrorNamesThePacketItIsAbout) {
  PacketFlow p("icmp", IpProto::icmp);
  p.packet(Side::orig,
           ipv4_icmp("03 04 0000 0000 05dc 4500003c00014000401100000a0000010a000009 1111 0035 0028 0000"));
  p.packet(Side::orig, ipv4_icmp("05 01 0000 0a0000fe 4500003c00014000401100000a0000010a000009"));
  const auto records = p.flow.records<Icmp>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].reason, "fragmentation_needed");
  EXPECT_EQ(records[0].mtu, 1500u);
  ASSERT_TRUE(records[0].orig_dst_ip);
  EXPECT_EQ(text_of(*records[0].orig_dst_ip), "10.0.0.9");
  EXPECT_EQ(records[0].orig_proto, IpProto::udp);
  EXPECT_EQ(records[0].orig_src_port, 0x1111);
  EXPECT_EQ(records[0].orig_dst_port, 53);
  ASSERT_TRUE(records[1].gateway);
  EXPECT_EQ(text_of(*records[1].gateway), "10.0.0.254");
  EXPECT_FALSE(records[1].orig_dst_port) << "the quote ends before the ports";
}

std::string ipv6_icmp(std::string_view icmp, std::string_view before = {}) {
  const std::string body = unhex(before) + unhex(icmp);
  std::string packet =
      unhex("60000000 0000 3a ff fe800000000000000000000000000001 ff020000000000000000000000000001");
  if (!before.empty()) packet[6] = 0;
  packet[5] = static_cast<char>(body.size());
  return packet + body;
}

constexpr std::string_view router_advertisement =
    "86 00 0000 40 c8 0708 00007530 000003e8 "
    "01 01 020000000001 05 01 0000 000005dc "
    "03 04 40 c0 00015180 00003840 00000000 20010db8000100000000000000000000 "
    "19 03 0000 00000258 20010db8000100000000000000000053 "
    "1f 04 0000 00000258 03 6c 61 6e 07 65 78 61 6d 70 6c 65 00 0000000000000000000000 "
    "18 02 30 08 00000258 20010db800020000";

TEST(Ndp, RouterAdvertisementWithItsOptions) {
  PacketFlow p("ndp", IpProto::icmpv6);
  p.packet(Side::orig, ipv6_icmp(router_advertisement));
  const auto records = p.flow.records<Ndp>();
  ASSERT_EQ(records.size(), 1u);
  const Ndp& n = records[0];
  EXPECT_EQ(n.message, "router_advertisement");
  EXPECT_EQ(n.preference, "high");
  EXPECT_EQ(n.is_managed, true);
  EXPECT_EQ(n.is_other, true);
  EXPECT_EQ(n.router_lifetime, seconds(1800));
  EXPECT_EQ(n.reachable_time, seconds(30));
  EXPECT_EQ(n.mtu, 1500u);
  ASSERT_EQ(n.prefixes.size(), 1u);
  EXPECT_EQ(n.prefixes[0], "2001:db8:1::/64");
  ASSERT_EQ(n.dns_servers.size(), 1u);
  EXPECT_EQ(text_of(n.dns_servers[0]), "2001:db8:1::53");
  ASSERT_EQ(n.search_domains.size(), 1u);
  EXPECT_EQ(n.search_domains[0], "lan.example");
  ASSERT_EQ(n.routes.size(), 1u);
  EXPECT_EQ(n.routes[0], "2001:db8:2::/48");
  EXPECT_TRUE(p.flow.oddities().empty());
}

TEST(Ndp, EveryCutOfAnAdvertisementIsSafe) {
  const std::string whole = ipv6_icmp(router_advertisement);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    PacketFlow p("ndp", IpProto::icmpv6);
    p.packet(Side::orig, whole.substr(0, size));
    EXPECT_LE(p.flow.records<Ndp>().size(), 1u);
  }
}

TEST(Ndp, DuplicateAddressDetectionBehindExtensionHeaders) {
  PacketFlow p("ndp", IpProto::icmpv6);
  std::string packet =
      ipv6_icmp("87 00 0000 00000000 fe800000000000000000000000000009", "3a 00 0502 0000 0100");
  for (std::size_t i = 8; i < 24; ++i) packet[i] = 0;
  p.packet(Side::orig, packet);
  const auto records = p.flow.records<Ndp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].is_dad);
  ASSERT_TRUE(records[0].target);
  EXPECT_EQ(text_of(*records[0].target), "fe80::9");
}

TEST(Ndp, OptionOfNoLengthIsOdd) {
  PacketFlow p("ndp", IpProto::icmpv6);
  p.packet(Side::orig, ipv6_icmp("85 00 0000 00000000 01 00 020000000001"));
  EXPECT_EQ(p.flow.oddities(), std::vector<std::string>{"ndp_bad_option"});
  EXPECT_EQ(p.flow.records<Ndp>().size(), 1u);
}

}  // namespace
}  // namespace weir::test

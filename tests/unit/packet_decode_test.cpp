// decode(): every link type, transport and tunnel, from bytes put together by hand.
#include <gtest/gtest.h>

#include <memory>

#include "packet_bytes.hpp"

namespace weir::test {
namespace {

const Octets tcp_inside = tcp(1000, 80, text("hi"));
const std::string tcp4 = "ip 6 192.0.2.1:1000 > 198.51.100.2:80 [2]";
const std::string tcp6 = "ip 6 2001:db8::1:1000 > 2001:db8::2:80 [2]";
const Octets four = ip4(6, tcp_inside), six = ip6(6, tcp_inside);

// 802.11: what precedes the body.
const Octets to_station = hex("0802 0000 020000000001 020000000009 020000000002 1000");
const Octets quality = hex("8802 0000 020000000001 020000000009 020000000002 1000 0000");
const Octets snap4 = hex("aaaa03 000000 0800");

Octets vxlan(const Octets& inside) {
  return udp(50000, 4789, hex("08000000 00002a00") + inside);
}

struct Sample {
  std::string name;
  std::uint16_t link_type;
  Octets bytes;
  std::string expected;
};

std::vector<Sample> links() {
  return {
      {"ethernet", 1, ethernet(0x0800, four), tcp4},
      {"ethernet_padded", 1, ethernet(0x0800, ip4(17, udp(5, 6, {}))) + Octets(18),
       "ip 17 192.0.2.1:5 > 198.51.100.2:6 [0]"},
      {"ethernet_ipv6", 1, ethernet(0x86dd, six), tcp6},
      {"vlan", 1, ethernet(0x8100, hex("2007 0800") + four), tcp4 + " vlan=7"},
      {"qinq", 1, ethernet(0x88a8, hex("0064 8100 0007 86dd") + six), tcp6 + " outer_vlan=100 vlan=7"},
      {"old_qinq", 1, ethernet(0x9100, hex("0064 8100 0007 0800") + four), tcp4 + " outer_vlan=100 vlan=7"},
      {"snap", 1, ethernet(static_cast<std::uint16_t>(four.size() + 8), snap4 + four), tcp4},
      {"snap_behind_a_switch_tag", 284,
       hex("020000000001 020000000002 00000000") + be16(four.size() + 8) + snap4 + four, tcp4},
      {"spanning_tree", 1, ethernet(4, hex("42420300")), "other [4]"},
      {"lldp", 1, ethernet(0x88cc, hex("0000")), "other [2]"},
      {"arp", 1, ethernet(0x0806, hex("0001 0800 06 04 0001") + Octets(20) + Octets(18)), "arp [28]"},
      {"mpls", 1, ethernet(0x8847, hex("00010040 00020140") + four), tcp4},
      {"mpls_ipv6", 1, ethernet(0x8847, hex("00020140") + six), tcp6},
      {"mpls_pseudowire", 1, ethernet(0x8847, hex("00020140 00000000") + ethernet(0x0800, four)), tcp4},
      {"mpls_ethernet", 1, ethernet(0x8847, hex("00020140") + ethernet(0x0800, four)), tcp4},
      {"pppoe", 1, ethernet(0x8864, hex("1100 0001") + be16(four.size() + 2) + hex("0021") + four), tcp4},
      {"pppoe_discovery", 1, ethernet(0x8863, hex("11090000 0000")), "other [6]"},
      {"provider_backbone", 1, ethernet(0x88e7, hex("00000001") + ethernet(0x0800, four)), tcp4},
      {"raw", 101, four, tcp4},
      {"raw_ipv6", 101, six, tcp6},
      {"raw_openbsd", 14, six, tcp6},
      {"only_ipv4", 228, four, tcp4},
      {"only_ipv6", 229, six, tcp6},
      {"null_little", 0, hex("02000000") + four, tcp4},
      {"null_big", 0, hex("0000001e") + six, tcp6},
      {"loop", 108, hex("00000018") + six, tcp6},
      {"sll", 113, hex("0000 0001 0006 0200000000020000 0800") + four, tcp4},
      {"sll_vlan", 113, hex("0000 0001 0006 0200000000020000 8100 0005 86dd") + six, tcp6 + " vlan=5"},
      {"sll2", 276, hex("86dd 0000 00000002 0001 00 06 0200000000020000") + six, tcp6},
      {"sll_netlink", 113, hex("0004 0338 0000 0000000000000000 0000 00"), "other [1]"},
      {"ppp", 9, hex("0021") + four, tcp4},
      {"ppp_compressed", 9, hex("21") + four, tcp4},
      {"ppp_hdlc", 50, hex("ff03 0057") + six, tcp6},
      {"ppp_direction", 204, hex("01 ff03 0021") + four, tcp4},
      {"pppoe_link", 51, hex("1100 0001") + be16(six.size() + 2) + hex("0057") + six, tcp6},
      {"cisco_hdlc", 104, hex("0f00 0800") + four, tcp4},
      {"wireless", 105, to_station + snap4 + four, tcp4},
      {"wireless_quality", 105, quality + snap4 + four, tcp4},
      {"wireless_bridge", 105, hex("0803") + Octets(28) + snap4 + four, tcp4},
      {"wireless_encrypted", 105, hex("0842") + Octets(40), "other [42]"},
      {"wireless_beacon", 105, hex("8000") + Octets(40), "other [42]"},
      {"wireless_aggregate", 105,
       hex("8802 0000 020000000001 020000000009 020000000002 1000 8000") +
           mac_header(static_cast<std::uint16_t>(four.size() + 8)) + snap4 + four +
           mac_header(static_cast<std::uint16_t>(four.size() + 8)) + snap4 + four,
       tcp4 + " | " + tcp4},
      {"wireless_aggregate_of_a_fragment", 105,
       hex("8802 0000 020000000001 020000000009 020000000002 1000 8000") + mac_header(36) + snap4 +
           ip4(17, Octets(8), 0x2000) + Octets(2) + mac_header(static_cast<std::uint16_t>(four.size() + 8)) +
           snap4 + four,
       "ip 17 192.0.2.1:0 > 198.51.100.2:0 [8] fragment | " + tcp4},
      {"radiotap", 127, hex("0000 0a00 02000000 00 00") + to_station + snap4 + four, tcp4},
      {"radiotap_padded", 127,
       hex("0000 1200 03000000 0000000000000000 2000") + quality + Octets(2) + snap4 + four, tcp4},
      {"ppi", 192, hex("00000800 69000000") + to_station + snap4 + four, tcp4},
      {"prism", 119, hex("00000044 00000090") + Octets(136) + to_station + snap4 + four, tcp4},
      {"avs", 163, hex("80211001 00000040") + Octets(56) + to_station + snap4 + four, tcp4},
      {"fddi", 10, hex("50 020000000001 020000000002") + snap4 + four, tcp4},
      {"token_ring", 6, hex("1040 020000000001 820000000002 0270") + snap4 + four, tcp4},
      {"frame_relay", 107, hex("0871 03cc") + four, tcp4},
      {"pflog", 117, hex("3d020000") + Octets(60) + four, tcp4},
      {"nflog", 239, hex("02000000 08000100 08000003") + hex("2e000900") + four, tcp4},
      {"firewire", 138, Octets(16) + hex("86dd") + six, tcp6},
      {"usb", 189, Octets(8), "other [8]"},
      {"unknown", 12345, Octets(8), "other [8] !unknown_link_type"},
  };
}

const std::string outer = "ip 17 192.0.2.1:50000 > 198.51.100.2:";

std::vector<Sample> tunnels() {
  const Octets tagged = ethernet(0x8100, hex("0009 0800") + four);
  return {
      {"ipip", 101, ip4(4, four), "ip 4 192.0.2.1:0 > 198.51.100.2:0 [42] | " + tcp4 + " tunnel=ipip:0"},
      {"6in4", 101, ip4(41, six), "ip 41 192.0.2.1:0 > 198.51.100.2:0 [62] | " + tcp6 + " tunnel=6in4:0"},
      {"4in6", 101, ip6(4, four), "ip 4 2001:db8::1:0 > 2001:db8::2:0 [42] | " + tcp4 + " tunnel=ipip:0"},
      {"6in6", 101, ip6(41, six), "ip 41 2001:db8::1:0 > 2001:db8::2:0 [62] | " + tcp6 + " tunnel=ipip:0"},
      {"gre", 101, ip4(47, hex("00000800") + four),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [46] | " + tcp4 + " tunnel=gre:0"},
      {"gre_full", 101, ip4(47, hex("b0000800 12340000 00000005 00000001") + four),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [58] | " + tcp4 + " tunnel=gre:5"},
      {"gre_bridging", 101, ip4(47, hex("20006558 00000500") + tagged),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [68] | " + tcp4 + " tunnel=gre:1280 vlan=9"},
      {"gre_pptp", 101, ip4(47, hex("3001880b 002e0007 00000001 ff030021") + four),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [58] | " + tcp4 + " tunnel=gre:7"},
      {"gre_mpls", 101, ip4(47, hex("00008847 00010140") + four),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [50] | " + tcp4 + " tunnel=gre:0"},
      {"erspan_1", 101, ip4(47, hex("000088be") + ethernet(0x0800, four)),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [60] | " + tcp4 + " tunnel=erspan:0"},
      {"erspan_2", 101, ip4(47, hex("100088be 00000001 10010064 00000000") + ethernet(0x0800, four)),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [72] | " + tcp4 + " tunnel=erspan:100 vlan=1"},
      {"erspan_3", 101,
       ip4(47, hex("100022eb 00000001 20000064 00000000 00000001 0000000000000000") + ethernet(0x0800, four)),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [84] | " + tcp4 + " tunnel=erspan:100"},
      {"vxlan", 101, ip4(17, vxlan(tagged)), outer + "4789 [68] | " + tcp4 + " tunnel=vxlan:42 vlan=9"},
      {"vxlan_with_reserved_bits", 101,
       ip4(17, udp(50000, 4789, hex("ff01d1f2 00000b07") + ethernet(0x0800, four))),
       outer + "4789 [64] | " + tcp4 + " tunnel=vxlan:11"},
      {"vxlan_gpe_on_the_old_port", 101,
       ip4(17, udp(50000, 4789, hex("0c000003 00002a00") + ethernet(0x0800, four))),
       outer + "4789 [64] | " + tcp4 + " tunnel=vxlan:42"},
      {"vxlan_gpe", 101, ip4(17, udp(50000, 4790, hex("0c000002 00002a00") + six)),
       outer + "4790 [70] | " + tcp6 + " tunnel=vxlan:42"},
      {"geneve", 101, ip4(17, udp(50000, 6081, hex("01006558 00002a00 01020304") + ethernet(0x0800, four))),
       outer + "6081 [68] | " + tcp4 + " tunnel=geneve:42"},
      {"geneve_with_reserved_bits", 101,
       ip4(17, udp(50000, 6081, hex("001f6558 00002a09") + ethernet(0x0800, four))),
       outer + "6081 [64] | " + tcp4 + " tunnel=geneve:42"},
      {"gtp", 101, ip4(17, udp(50000, 2152, hex("30ff") + be16(four.size()) + hex("00000009") + four)),
       outer + "2152 [50] | " + tcp4 + " tunnel=gtp:9"},
      {"gtp_extension", 101,
       ip4(17,
           udp(50000, 2152, hex("34ff") + be16(four.size() + 8) + hex("00000009 00000085 01000900") + four)),
       outer + "2152 [58] | " + tcp4 + " tunnel=gtp:9"},
      {"teredo", 101,
       ip4(17, udp(50000, 3544,
                   hex("00010000 0000000000000000 00 0000 0000 00000000") +
                       hex("60000000 0000 3bff 20010000000000000000000000000001 "
                           "20010db8000000000000000000000002"))),
       outer + "3544 [61] | ip 59 2001::1:0 > 2001:db8::2:0 [0] tunnel=teredo:0"},
      {"nested", 101, ip4(47, hex("00000800") + ip4(41, ip6(17, udp(1, 2, text("x"))))),
       "ip 47 192.0.2.1:0 > 198.51.100.2:0 [73] | ip 41 192.0.2.1:0 > 198.51.100.2:0 [49] tunnel=gre:0 | "
       "ip 17 2001:db8::1:1 > 2001:db8::2:2 [1] tunnel=6in4:0"},
  };
}

TEST(PacketDecode, ReadsEveryLinkType) {
  for (const Sample& s : links()) EXPECT_EQ(render(layers_of(s.bytes, s.link_type)), s.expected) << s.name;
}

TEST(PacketDecode, OpensTunnels) {
  for (const Sample& s : tunnels()) EXPECT_EQ(render(layers_of(s.bytes, s.link_type)), s.expected) << s.name;
}

TEST(PacketDecode, ReservedBitsNeedAFrameThatSpeaksForItself) {
  const Octets noise = hex("0c0c0c0c0c0c 0d0d0d0d0d0d 9999") + Octets(40);
  EXPECT_EQ(layers_of(ip4(17, udp(50000, 4789, hex("ff01d1f2 00000b07") + noise)), 101).size(), 1U);
  EXPECT_EQ(layers_of(ip4(17, udp(50000, 6081, hex("001f6558 00002a09") + noise)), 101).size(), 1U);
}

TEST(PacketDecode, LeavesOtherTrafficOnTunnelPortsAlone) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{2152, 3544, 4789, 4790, 6081, 8472})
    EXPECT_EQ(render(layers_of(ip4(17, udp(50000, port, text("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"))),
                               101)),
              outer + std::to_string(port) + " [37]");
}

TEST(PacketDecode, ReadsTheFieldsOfTcp) {
  const Octets frame = ethernet(0x0800, four);
  const Layer l = layers_of(frame).front();
  EXPECT_EQ(l.sequence, 0x01020304U);
  EXPECT_EQ(l.acknowledgment, 0x05060708U);
  EXPECT_EQ(l.window, 0x2000);
  EXPECT_TRUE(l.tcp_header);
  EXPECT_EQ(l.tcp_flags, tcp_flag::psh | tcp_flag::ack);
  EXPECT_EQ(l.ttl, 64);
  EXPECT_EQ(l.tos, 0x10);
  EXPECT_EQ(l.ip_length, 42U);
  EXPECT_EQ(as_text(l.payload), "hi");
  ASSERT_NE(l.macs, nullptr);
  EXPECT_EQ(l.macs[11], 2);
  EXPECT_EQ(l.ether_type, 0x0800);
}

TEST(PacketDecode, TellsATcpHeaderThatIsNotThere) {
  EXPECT_FALSE(layers_of(ip4(6, hex("03e80050")), 101).front().tcp_header);
}

TEST(PacketDecode, GivesBothDirectionsOneKey) {
  Octets reply = ip4(6, tcp(80, 1000, {}));
  std::swap_ranges(reply.begin() + 12, reply.begin() + 16, reply.begin() + 16);
  const Layer there = layers_of(four, 101).front(), back = layers_of(reply, 101).front();
  EXPECT_EQ(there.key, back.key);
  EXPECT_EQ(there.hash, back.hash);
  EXPECT_NE(there.hash, 0U);
  EXPECT_NE(there.from_low, back.from_low);
  EXPECT_EQ(back.src_port, 80);
  const Layer other_port = layers_of(ip4(6, tcp(1001, 80, {})), 101).front();
  EXPECT_NE(other_port.hash, there.hash);
}

TEST(PacketDecode, KeepsOverlayNetworksApart) {
  const Octets frame = ethernet(0x0800, four);
  const auto inner = [&](std::string_view vni) {
    return layers_of(ip4(17, udp(50000, 4789, hex("08000000") + hex(vni) + frame)), 101).at(1);
  };
  EXPECT_FALSE(inner("00002a00").key == inner("00002b00").key);
  EXPECT_NE(inner("00002a00").hash, inner("00002b00").hash);
  EXPECT_TRUE(inner("00002a00").key == inner("00002a00").key);
}

// community-id-spec v1.
TEST(PacketDecode, PairsIcmpRequestsWithReplies) {
  Octets reply = ip4(1, hex("0000 0000 00010001"));
  std::swap_ranges(reply.begin() + 12, reply.begin() + 16, reply.begin() + 16);
  const Layer request = layers_of(ip4(1, hex("0800 0000 00010001")), 101).front();
  const Layer answer = layers_of(reply, 101).front();
  EXPECT_EQ(request.key, answer.key);
  EXPECT_EQ(request.hash, answer.hash);
  EXPECT_EQ(request.src_port, 8);
  EXPECT_EQ(answer.src_port, 0);
  EXPECT_EQ(request.payload_length, 8U);

  Octets unreachable = ip4(1, hex("0301 0000 00000000"));
  std::swap_ranges(unreachable.begin() + 12, unreachable.begin() + 16, unreachable.begin() + 16);
  const Layer one_way = layers_of(unreachable, 101).front();
  EXPECT_TRUE(one_way.from_low) << "a one-way message keeps its order";
  EXPECT_EQ(to_string(one_way.key.low), "198.51.100.2");
  EXPECT_EQ(one_way.key.low_port, 3);
  EXPECT_EQ(one_way.key.high_port, 1);
}

TEST(PacketDecode, WalksExtensionHeaders) {
  const Octets chain = hex("2b00 0104 00000000") + hex("3c00 0400 00000000") + hex("3300 0104 00000000") +
                       hex("0601 0000 00000001 00000001") + tcp_inside;
  EXPECT_EQ(render(layers_of(ip6(0, chain), 101)), tcp6);
  EXPECT_EQ(render(layers_of(ip4(51, hex("0601 0000 00000001 00000001") + tcp_inside), 101)), tcp4);
  EXPECT_EQ(render(layers_of(ip6(44, hex("0600 0000 00000001") + tcp_inside), 101)), tcp6)
      << "an atomic fragment";
  EXPECT_EQ(render(layers_of(ip6(50, Octets(16)), 101)), "ip 50 2001:db8::1:0 > 2001:db8::2:0 [16]");
  EXPECT_EQ(render(layers_of(ip6(135, hex("3b00 0000 00000000")), 101)),
            "ip 135 2001:db8::1:0 > 2001:db8::2:0 [8]");
  Octets endless;
  for (int i = 0; i < 20; ++i) endless = endless + hex("3c00 0104 00000000");
  EXPECT_EQ(layers_of(ip6(60, endless), 101).front().oddity, std::string("too_many_extension_headers"));
}

TEST(PacketDecode, ReadsJumbogramsAndOffloadedPackets) {
  Octets jumbo = ip6(0, hex("1100 c204 00011170") + udp(1, 2, {}));
  jumbo[4] = jumbo[5] = jumbo[52] = jumbo[53] = 0;  // lengths of IP and UDP
  const Layer l = layers_of(jumbo, 101, 40 + 70000).front();
  EXPECT_EQ(l.ip_length, 70040U);
  EXPECT_EQ(l.payload_length, 70000U - 16);
  EXPECT_EQ(l.oddity, nullptr);
  Octets offloaded = four;
  offloaded[2] = offloaded[3] = 0;
  EXPECT_EQ(render(layers_of(offloaded, 101)), tcp4);
  EXPECT_EQ(layers_of(offloaded, 101).front().ip_length, 42U);
}

TEST(PacketDecode, CountsTheWireLengthOfSnappedPackets) {
  Octets cut = ethernet(0x0800, ip4(6, tcp(1000, 80, Octets(1400))));
  const auto length = static_cast<std::uint32_t>(cut.size());
  cut.resize(96);
  const Layer l = layers_of(cut, 1, length).front();
  EXPECT_EQ(l.payload_length, 1400U);
  EXPECT_EQ(l.payload.size(), 96U - 54);
  EXPECT_EQ(l.ip_length, 1440U);
  EXPECT_EQ(l.oddity, nullptr);
  cut.resize(40);
  EXPECT_EQ(render(layers_of(cut, 1, length)),
            "ip 6 192.0.2.1:1000 > 198.51.100.2:80 [1400] !snapped_header");
}

TEST(PacketDecode, NamesWhatIsMalformed) {
  const auto oddity = [](Octets bytes, std::size_t at, std::uint8_t value) {
    if (at < bytes.size()) bytes[at] = value;
    const char* name = layers_of(bytes, 228).front().oddity;
    return std::string(name == nullptr ? "" : name);
  };
  const Octets datagram = ip4(17, udp(1, 2, text("x")));
  EXPECT_EQ(oddity(four, 999, 0), "");
  EXPECT_EQ(oddity(four, 0, 0x55), "bad_ip_version");
  EXPECT_EQ(oddity(four, 0, 0x44), "bad_ip_header_length");
  EXPECT_EQ(oddity(four, 3, 19), "bad_ip_length");
  EXPECT_EQ(oddity(four, 3, 90), "truncated_ip");
  EXPECT_EQ(oddity(four, 32, 0x40), "bad_tcp_header_length");
  EXPECT_EQ(oddity(four, 32, 0xf0), "bad_tcp_header_length");
  EXPECT_EQ(oddity(ip4(6, Octets(19)), 999, 0), "truncated_tcp_header");
  EXPECT_EQ(oddity(ip4(17, Octets(7)), 999, 0), "truncated_udp_header");
  EXPECT_EQ(oddity(datagram, 25, 0), "bad_udp_length");
  EXPECT_EQ(oddity(datagram, 25, 7), "bad_udp_length");
  EXPECT_EQ(oddity(datagram, 25, 90), "bad_udp_length");
  EXPECT_EQ(oddity(Octets(four.begin(), four.begin() + 19), 999, 0), "truncated_ip_header");
  EXPECT_EQ(oddity(ip4(47, hex("0002")), 999, 0), "truncated_gre");
}

TEST(PacketDecode, BoundsNesting) {
  Octets deep = four;
  for (int i = 0; i < 20; ++i) deep = ip4(4, deep);
  const auto layers = layers_of(deep, 101);
  EXPECT_EQ(layers.size(), max_layers);
  EXPECT_EQ(layers.back().oddity, std::string("tunnel_depth"));
  Octets tags = mac_header(0x8100);
  for (int i = 0; i < 100; ++i) tags = tags + hex("0001 8100");
  EXPECT_EQ(layers_of(tags).front().oddity, std::string("link_header_depth"));
  Octets nested;
  for (int i = 0; i < 500; ++i) nested = nested + hex("00000800 c0000000");
  EXPECT_NE(layers_of(nested, 192).front().oddity, nullptr);
}

// Each sample cut at every length, in memory of exactly that size: a read past its end is a sanitizer report.
TEST(PacketDecode, NeverReadsPastTheEnd) {
  std::vector<Sample> all = links();
  for (Sample& s : tunnels()) all.push_back(std::move(s));
  std::vector<Layer> out;
  for (const Sample& s : all) {
    for (std::uint32_t size = 0; size <= s.bytes.size(); ++size) {
      const auto copy = std::make_unique<std::uint8_t[]>(size);
      std::copy_n(s.bytes.begin(), size, copy.get());
      for (const auto length : {size, static_cast<std::uint32_t>(s.bytes.size())}) {
        out.clear();
        ASSERT_GE(decode({{}, copy.get(), size, length, s.link_type, 0}, out), 1U) << s.name << " " << size;
        for (const Layer& l : out) {
          ASSERT_LE(l.payload.size(), l.payload_length) << s.name << " " << size;
          if (l.payload.empty()) continue;
          ASSERT_GE(l.payload.data(), copy.get());
          ASSERT_LE(l.payload.data() + l.payload.size(), copy.get() + size);
        }
      }
    }
  }
}

TEST(LoggedPacket, IsFoundInANetfilterLog) {
  const Octets message = hex("02000000 08000100 08000003") + hex("2e000900") + four;
  const auto size = static_cast<std::uint32_t>(message.size());
  const auto packet = logged_packet({Time{7}, message.data(), size, size + 100, 239, 3});
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->link_type, 101);
  EXPECT_EQ(packet->interface, 3);
  EXPECT_EQ(packet->time, Time{7});
  EXPECT_EQ(Octets(packet->data, packet->data + packet->captured), four);
  EXPECT_EQ(packet->length, four.size());
  const auto cut = logged_packet({{}, message.data(), size - 10, size, 239, 0});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->captured + 10, cut->length);
  for (std::uint32_t captured = 0; captured < 16; ++captured)
    EXPECT_FALSE(logged_packet({{}, message.data(), captured, captured, 239, 0})) << captured;
  EXPECT_FALSE(logged_packet({{}, message.data(), size, size, 1, 0}));
}

}  // namespace
}  // namespace weir::test

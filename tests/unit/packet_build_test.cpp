// Built packets are what the decoder, and the checksums, say they are.
#include <gtest/gtest.h>

#include "packet/build.hpp"
#include "packet/decode.hpp"

namespace weir {
namespace {

constexpr std::uint16_t raw_ip = 101, ethernet = 1;

Layer only_layer(Bytes bytes, std::uint16_t link) {
  std::vector<Layer> layers;
  decode({.time = {},
          .data = bytes.data(),
          .captured = static_cast<std::uint32_t>(bytes.size()),
          .length = static_cast<std::uint32_t>(bytes.size()),
          .link_type = link,
          .interface = 0},
         layers);
  EXPECT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers[0].oddity, nullptr);
  return layers[0];
}

// A sum over all that it covers, itself included, is all ones (RFC 1071 §1).
bool sums_up(const IpFields& ip, IpProto proto, Bytes transport, bool pseudo = true) {
  std::uint64_t sum = checksum_add(transport);
  if (pseudo) {
    const std::size_t skip = ip.dst.is_v4() ? 12 : 0;
    sum =
        checksum_add(Bytes(ip.src.bytes).subspan(skip), checksum_add(Bytes(ip.dst.bytes).subspan(skip), sum));
    const std::uint8_t rest[] = {0, static_cast<std::uint8_t>(proto), 0,
                                 static_cast<std::uint8_t>(transport.size())};
    sum = checksum_add(rest, sum);
  }
  return checksum_fold(sum) == 0;
}

TEST(Build, TcpUdpAndIcmpOfBothFamilies) {
  const std::pair<const char*, const char*> ends[] = {{"192.0.2.1", "198.51.100.7"},
                                                      {"2001:db8::1", "2001:db8:ffff::7"}};
  for (const auto& [from, to] : ends) {
    const IpFields ip{.src = *parse_addr(from), .dst = *parse_addr(to), .ttl = 61, .id = 7};
    const std::size_t header = ip.dst.is_v4() ? 20 : 40;
    std::uint8_t out[256];
    const std::uint8_t options[] = {2, 4, 5, 180};
    Bytes packet{out, write_tcp(out, ip,
                                {.src_port = 61001,
                                 .dst_port = 443,
                                 .sequence = 0xdeadbeef,
                                 .acknowledgment = 5,
                                 .flags = tcp_flag::syn,
                                 .window = 64240,
                                 .options = options})};
    const Layer tcp = only_layer(packet, raw_ip);
    EXPECT_EQ(tcp.src(), ip.src);
    EXPECT_EQ(tcp.dst(), ip.dst);
    EXPECT_EQ(tcp.src_port, 61001);
    EXPECT_EQ(tcp.dst_port, 443);
    EXPECT_EQ(tcp.sequence, 0xdeadbeef);
    EXPECT_EQ(tcp.tcp_flags, tcp_flag::syn);
    EXPECT_EQ(tcp.ttl, 61);
    EXPECT_TRUE(tcp.payload.empty());
    EXPECT_TRUE(sums_up(ip, IpProto::tcp, packet.subspan(header)));
    if (ip.dst.is_v4()) {
      EXPECT_EQ(checksum_fold(checksum_add(packet.first(20))), 0);
    }

    packet = {out, write_udp(out, ip, 61002, 53, as_bytes("odd"))};
    const Layer udp = only_layer(packet, raw_ip);
    EXPECT_EQ(udp.dst_port, 53);
    EXPECT_EQ(as_text(udp.payload), "odd");
    EXPECT_TRUE(sums_up(ip, IpProto::udp, packet.subspan(header)));

    const bool v4 = ip.dst.is_v4();
    packet = {out, write_icmp(out, ip, v4 ? 8 : 128, 0, as_bytes("0123abc"))};
    EXPECT_EQ(only_layer(packet, raw_ip).src_port, v4 ? 8 : 128);
    EXPECT_TRUE(sums_up(ip, v4 ? IpProto::icmp : IpProto::icmpv6, packet.subspan(header), !v4));
  }
}

TEST(Build, NeighboursAreAskedFor) {
  const Mac mac = *parse_mac("02:00:5e:00:00:01");
  std::uint8_t out[128];
  const Bytes arp{out, write_arp_request(out, mac, *parse_addr("192.0.2.1"), *parse_addr("192.0.2.9"))};
  EXPECT_EQ(arp.size(), 42U);
  EXPECT_EQ(only_layer(arp, ethernet).kind, LayerKind::arp);
  const Bytes ask{
      out, write_neighbor_solicitation(out, mac, *parse_addr("fe80::1"), *parse_addr("2001:db8::12:3456"))};
  const Layer layer = only_layer(ask, ethernet);
  EXPECT_EQ(to_string(layer.dst()), "ff02::1:ff12:3456");
  EXPECT_EQ(layer.src_port, 135);
  EXPECT_EQ(layer.ttl, 255);
  const IpFields ip{.src = layer.src(), .dst = layer.dst()};
  EXPECT_TRUE(sums_up(ip, IpProto::icmpv6, ask.subspan(54)));
}

}  // namespace
}  // namespace weir

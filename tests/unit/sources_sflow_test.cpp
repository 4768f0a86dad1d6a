// sFlow v5, from bytes put together by hand.
#include "export_fixture.hpp"

namespace weir::test {
namespace {

struct Datagram {
  std::size_t sequence = 1, sub_agent = 3, uptime = 3'600'000, samples = 1;

  Octets operator()(const Octets& body) const {
    return be32(5) + be32(1) + hex("0a0000fe") + be32(sub_agent) + be32(sequence) + be32(uptime) +
           be32(samples) + body;
  }
};
Octets opaque(Octets bytes) {
  const std::size_t size = bytes.size();
  while (bytes.size() % 4 != 0) bytes.push_back(0);
  return be32(size) + bytes;
}
// A sample or a record: its format, its length, its body.
Octets section(std::size_t format, const Octets& body) {
  return be32(format) + be32(body.size()) + body;
}
Octets flow_sample(std::size_t records, const Octets& body, std::size_t in = 7, std::size_t out = 8,
                   std::size_t dropped = 0) {
  return section(1, be32(1) + be32(7) + be32(256) + be32(1000) + be32(dropped) + be32(in) + be32(out) +
                        be32(records) + body);
}
Octets expanded_sample(const Octets& body, std::size_t out_format, std::size_t out) {
  return section(3, be32(1) + be32(0) + be32(7) + be32(256) + be32(1000) + be32(0) + be32(0) + be32(70'000) +
                        be32(out_format) + be32(out) + be32(1) + body);
}
Octets header_record(std::size_t protocol, std::size_t frame_length, const Octets& header) {
  return section(1, be32(protocol) + be32(frame_length) + be32(4) + opaque(header));
}
const Octets ethernet = hex("020000000002 020000000001");
Octets tagged_frame() {
  return ethernet + hex("8100 0064 0800") + ip4(6, tcp(40000, 443, text("hello")));
}

TEST(Sflow, SampledHeadersAreDecoded) {
  Exporting device("sflow");
  const Octets frame = tagged_frame();
  device.send(Datagram{}(flow_sample(1, header_record(1, frame.size() + 4, frame))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(to_string(f.ref.src_ip), "192.0.2.1");
  EXPECT_EQ(to_string(f.ref.dst_ip), "198.51.100.2");
  EXPECT_EQ(f.ref.src_port, 40000);
  EXPECT_EQ(f.ref.dst_port, 443);
  EXPECT_EQ(f.ref.proto, IpProto::tcp);
  EXPECT_EQ(f.src_tcp_flags, "AP");
  EXPECT_EQ(f.src_ttl, 64);
  EXPECT_EQ(f.src_tos, 0x10);
  EXPECT_EQ(f.vlan, 100);
  EXPECT_EQ(f.src_mac->bytes[5], 1);
  EXPECT_EQ(f.dst_mac->bytes[5], 2);
  EXPECT_EQ(f.in_interface, 7U);
  EXPECT_EQ(f.out_interface, 8U);
  EXPECT_EQ(f.sampling, 256U);
  EXPECT_EQ(f.packets, 256U);
  EXPECT_EQ(f.bytes, 256 * (frame.size() - 18)) << "of IP";
  EXPECT_EQ(f.time, device.now);
  EXPECT_EQ(f.duration, Duration{});
  EXPECT_EQ(to_string(f.exporter.value()), "10.0.0.254") << "the agent, not who sent the datagram";
  EXPECT_EQ(f.domain, 3U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Sflow, ASampleThatWasCutHasTheLengthOfThePacket) {
  Exporting device("sflow");
  const Octets frame = ethernet + hex("0800") + ip4(17, udp(53, 5353, Octets(1000)));
  device.send(
      Datagram{}(flow_sample(1, header_record(1, frame.size(), {frame.begin(), frame.begin() + 64}))));
  EXPECT_EQ(device.flows().at(0).bytes, 256U * 1028U);
  EXPECT_EQ(device.flows().at(0).ref.dst_port, 5353);
}

TEST(Sflow, HeadersOfOtherKinds) {
  Exporting device("sflow");
  device.send(Datagram{}(flow_sample(1, header_record(11, 100, ip4(17, udp(53, 1000, {}))))));
  device.send(Datagram{.sequence = 2}(flow_sample(1, header_record(12, 100, ip6(17, udp(53, 1000, {}))))));
  device.send(Datagram{.sequence = 3}(
      flow_sample(1, header_record(13, 100, hex("000641ff") + ip4(17, udp(53, 1000, {}))))));
  device.send(Datagram{.sequence = 4}(flow_sample(1, header_record(99, 100, Octets(20)))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 4U);
  EXPECT_EQ(to_string(flows[0].ref.src_ip), "192.0.2.1");
  EXPECT_EQ(to_string(flows[1].ref.src_ip), "2001:db8::1");
  EXPECT_EQ(flows[1].bytes, 256U * 48U);
  EXPECT_EQ(flows[2].ref.dst_port, 1000);
  EXPECT_EQ(flows[3].bytes, 256U * 100U) << "nothing is known but its size";
}

TEST(Sflow, WhatIsNoIpIsCountedAsWell) {
  Exporting device("sflow");
  device.send(Datagram{}(flow_sample(1, header_record(1, 64, ethernet + hex("88cc") + Octets(46)))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.src_mac->bytes[5], 1);
  EXPECT_TRUE(f.ref.src_ip.is_unspecified());
  EXPECT_EQ(f.packets, 256U);
  EXPECT_EQ(f.bytes, 256U * 46U);
}

TEST(Sflow, OnlyTheOutermostPacketOfATunnelCounts) {
  Exporting device("sflow");
  const Octets inner = ip4(6, tcp(1, 2, {}));
  device.send(Datagram{}(flow_sample(1, header_record(11, 100, ip4(4, inner)))));
  ASSERT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.flows().at(0).ref.proto, IpProto::ipip);
  EXPECT_EQ(device.flows().at(0).bytes, 256 * (20 + inner.size()));
}

TEST(Sflow, RecordsOfIpFields) {
  Exporting device("sflow");
  device.send(Datagram{}(flow_sample(1, section(3, be32(60) + be32(6) + hex("0a000001 0a000002") +
                                                       be32(40000) + be32(443) + be32(2) + be32(8)))));
  const Octets ends = hex("20010db8000000000000000000000001 20010db8000000000000000000000002");
  device.send(Datagram{.sequence = 2}(
      flow_sample(1, section(4, be32(80) + be32(17) + ends + be32(53) + be32(5353) + be32(0) + be32(0)))));
  const auto flows = device.flows();
  EXPECT_EQ(to_string(flows.at(0).ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(flows.at(0).bytes, 256U * 60U);
  EXPECT_EQ(flows.at(0).src_tcp_flags, "S");
  EXPECT_EQ(flows.at(0).src_tos, 8);
  EXPECT_EQ(to_string(flows.at(1).ref.src_ip), "2001:db8::1");
  EXPECT_EQ(flows.at(1).ref.dst_port, 5353);
}

TEST(Sflow, WhatTheAgentAdds) {
  Exporting device("sflow");
  const Octets frame = tagged_frame();
  const Octets path =
      be32(2) + be32(2) + be32(2) + be32(64500) + be32(64501) + be32(1) + be32(1) + be32(64502);
  device.send(
      Datagram{}(flow_sample(6, section(1001, be32(100) + be32(0) + be32(200) + be32(0)) +  //
                                    section(1002, be32(1) + hex("0a0000fd") + be32(24) + be32(16)) +
                                    section(1003, be32(1) + hex("0a0000fc") + be32(64496) + be32(64497) +
                                                      be32(64498) + path + be32(0) + be32(100)) +
                                    section(1007, be32(1) + hex("cb007101") + be32(1) + hex("cb007102")) +
                                    section(1012, Octets(12)) + header_record(1, frame.size(), frame))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.vlan, 100);
  EXPECT_EQ(f.dst_vlan, 200);
  EXPECT_EQ(to_string(f.next_hop.value()), "10.0.0.253");
  EXPECT_EQ(f.src_mask, 24);
  EXPECT_EQ(f.dst_mask, 16);
  EXPECT_EQ(to_string(f.bgp_next_hop.value()), "10.0.0.252");
  EXPECT_EQ(f.src_as, 64497U);
  EXPECT_EQ(f.dst_as, 64502U);
  EXPECT_EQ(to_string(f.nat_src_ip.value()), "203.0.113.1");
  EXPECT_EQ(to_string(f.nat_dst_ip.value()), "203.0.113.2");
  EXPECT_EQ(f.ref.dst_port, 443);
}

TEST(Sflow, InterfacesThatAreNone) {
  Exporting device("sflow");
  const Octets record = header_record(11, 48, ip4(17, udp(53, 1000, {})));
  device.send(Datagram{}(flow_sample(1, record, 7, 0x40000001)));               // discarded
  device.send(Datagram{.sequence = 2}(flow_sample(1, record, 0x3fffffff, 0)));  // the device itself
  device.send(Datagram{.sequence = 3}(flow_sample(1, record, 7, 0x80000005)));  // five of them
  device.send(Datagram{.sequence = 4}(expanded_sample(record, 0, 100'000)));
  device.send(Datagram{.sequence = 5}(expanded_sample(record, 1, 258)));  // discarded
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 5U);
  EXPECT_EQ(flows[0].out_interface, std::nullopt);
  EXPECT_EQ(flows[0].forwarding, 128);
  EXPECT_EQ(flows[1].in_interface, std::nullopt);
  EXPECT_EQ(flows[1].out_interface, std::nullopt);
  EXPECT_EQ(flows[1].forwarding, std::nullopt);
  EXPECT_EQ(flows[2].out_interface, std::nullopt);
  EXPECT_EQ(flows[3].in_interface, 70'000U);
  EXPECT_EQ(flows[3].out_interface, 100'000U);
  EXPECT_EQ(flows[4].forwarding, 128);
}

TEST(Sflow, CountersOfInterfaces) {
  Exporting device("sflow");
  const Octets generic = be32(42) + be32(6) + be64(1'000'000'000) + be32(1) + be32(3) + be64(1'000'000) +
                         be32(100) + be32(20) + be32(3) + be32(4) + be32(5) + be32(0) + be64(2'000'000) +
                         be32(200) + be32(30) + be32(0xffffffff) + be32(6) + be32(0xffffffff) + be32(0);
  device.send(
      Datagram{.samples = 2}(section(2, be32(1) + be32(42) + be32(3) + section(1, generic) +
                                            section(2, Octets(52)) + section(1005, opaque(text("eth42")))) +
                             section(4, be32(1) + be32(0) + be32(42) + be32(1) + section(1, generic))));
  const auto counters = device.records<Counter>();
  ASSERT_EQ(counters.size(), 2U);
  const Counter& c = counters[0];
  EXPECT_EQ(c.time, device.now);
  EXPECT_EQ(to_string(c.device.value()), "10.0.0.254");
  EXPECT_EQ(c.interface, 42U);
  EXPECT_EQ(c.name, "eth42");
  EXPECT_EQ(c.speed, 1'000'000'000U);
  EXPECT_EQ(c.up, true);
  EXPECT_EQ(c.in_bytes, 1'000'000U);
  EXPECT_EQ(c.in_packets, 123U);
  EXPECT_EQ(c.in_multicast, 20U);
  EXPECT_EQ(c.in_broadcast, 3U);
  EXPECT_EQ(c.in_discards, 4U);
  EXPECT_EQ(c.in_errors, 5U);
  EXPECT_EQ(c.out_bytes, 2'000'000U);
  EXPECT_EQ(c.out_packets, 230U) << "broadcast is not counted by this device";
  EXPECT_EQ(c.out_broadcast, std::nullopt);
  EXPECT_EQ(c.out_discards, 6U);
  EXPECT_EQ(c.out_errors, std::nullopt);
  EXPECT_EQ(counters[1].name.data(), nullptr);
  EXPECT_EQ(device.count(ExportCount::counters), 2U);
}

TEST(Sflow, EveryAgentCountsItsDatagrams) {
  Exporting device("sflow");
  const auto send = [&](std::size_t sequence, std::size_t sub_agent, std::size_t uptime = 3'600'000) {
    device.send(Datagram{.sequence = sequence, .sub_agent = sub_agent, .uptime = uptime, .samples = 0}({}));
  };
  send(10, 0);
  send(500, 1);
  send(11, 0);
  send(501, 1);
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 0U);
  send(14, 0);
  EXPECT_EQ(device.count(ExportCount::lost), 2U);
  send(12, 0);
  EXPECT_EQ(device.count(ExportCount::lost), 1U);
  EXPECT_EQ(device.count(ExportCount::reordered), 1U);
  send(1, 0, 1000);
  EXPECT_EQ(device.count(ExportCount::restarts), 1U);
}

TEST(Sflow, SamplesThatTheDeviceDroppedAreTold) {
  Exporting device("sflow");
  const Octets record = header_record(11, 48, ip4(17, udp(53, 1000, {})));
  device.send(Datagram{}(flow_sample(1, record, 7, 8, 100)));
  device.send(Datagram{.sequence = 2}(flow_sample(1, record, 7, 8, 100)));
  EXPECT_TRUE(device.oddities.empty()) << "how many there were before is not known";
  device.send(Datagram{.sequence = 3}(flow_sample(1, record, 7, 8, 103)));
  EXPECT_EQ(device.oddities, std::vector<std::string>{"samples_dropped"});
  device.send(Datagram{.sequence = 4}(flow_sample(1, record, 7, 8, 0)));  // started anew
  EXPECT_EQ(device.oddities.size(), 1U);
}

TEST(Sflow, WhatIsNotKnownIsSkipped) {
  Exporting device("sflow");
  const Octets record = header_record(11, 48, ip4(17, udp(53, 1000, {})));
  device.send(Datagram{.samples = 3}(section(0x00112001, Octets(8)) + section(5, Octets(40)) +
                                     flow_sample(2, section(4096 * 8 + 7, Octets(12)) + record)));
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.flows().at(0).ref.dst_port, 1000);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Sflow, HostileDatagrams) {
  Exporting device("sflow");
  device.send(Datagram{.samples = 0xffffffff}({}));
  EXPECT_EQ(device.oddities.back(), "truncated_sample");
  device.send(Datagram{.sequence = 2}(section(1, be32(1))));
  EXPECT_EQ(device.oddities.back(), "bad_sample");
  device.send(Datagram{.sequence = 3}(flow_sample(0xffffffff, header_record(11, 48, ip4(17, {})))));
  EXPECT_EQ(device.oddities.back(), "bad_sample");
  EXPECT_TRUE(device.flows().empty());
  device.send(Datagram{.sequence = 4}(be32(1) + be32(0xffffffff)));
  EXPECT_EQ(device.oddities.back(), "truncated_sample");
  // An AS path that claims more than there is leaves the rest of the sample alone.
  device.send(Datagram{.sequence = 5}(
      flow_sample(1, section(1003, be32(1) + hex("0a0000fc") + be32(1) + be32(2) + be32(3) + be32(1) +
                                       be32(2) + be32(0x40000000)))));
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.flows().at(0).src_as, std::nullopt);
  EXPECT_EQ(device.count(ExportCount::malformed), 4U);
  device.send(be32(4) + be32(1) + Octets(20));
  EXPECT_EQ(device.oddities.back(), "unsupported_version");
}

}  // namespace
}  // namespace weir::test

#include "flow/community_id.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

FlowRef flow(const char* src, std::uint16_t src_port, const char* dst, std::uint16_t dst_port,
             IpProto proto) {
  return {.src_ip = *parse_addr(src),
          .dst_ip = *parse_addr(dst),
          .src_port = src_port,
          .dst_port = dst_port,
          .proto = proto};
}

// Expected values: computed with Python's hashlib and ipaddress from the specification's text.
TEST(CommunityId, Tcp) {
  EXPECT_EQ(community_id(flow("192.0.2.7", 49152, "198.51.100.9", 443, IpProto::tcp)),
            "1:VKP4Rt5KO2wneA2+sJQY9pFGPng=");
  EXPECT_EQ(community_id(flow("198.51.100.9", 443, "192.0.2.7", 49152, IpProto::tcp)),
            "1:VKP4Rt5KO2wneA2+sJQY9pFGPng=");
  EXPECT_EQ(community_id(flow("192.0.2.7", 49152, "198.51.100.9", 443, IpProto::tcp), 1),
            "1:sta6vUJTjoL/tLb+o8EGtA+RTFY=");
}

TEST(CommunityId, UdpOverIpv6) {
  EXPECT_EQ(community_id(flow("2001:db8::5", 5353, "ff02::fb", 5353, IpProto::udp)),
            "1:BosApKK2j/NZH5rkL2SMO4bkvF4=");
}

TEST(CommunityId, EqualAddressesOrderByPort) {
  EXPECT_EQ(community_id(flow("127.0.0.1", 6000, "127.0.0.1", 53, IpProto::udp)),
            "1:FMDxG/kBx7IuG64WQl8O/dDchmc=");
}

TEST(CommunityId, IcmpMapsQuestionAndAnswer) {
  EXPECT_EQ(community_id(flow("192.0.2.7", 8, "198.51.100.9", 0, IpProto::icmp)),
            "1:gGfV9Ki7KLTaADVjDLdEQdIYPYA=");
  EXPECT_EQ(community_id(flow("198.51.100.9", 0, "192.0.2.7", 0, IpProto::icmp)),
            "1:gGfV9Ki7KLTaADVjDLdEQdIYPYA=");
  EXPECT_EQ(community_id(flow("198.51.100.9", 3, "192.0.2.7", 1, IpProto::icmp)),
            "1:vhx/PchRhqSkCcdAHRCFkkTCWf4=");
}

TEST(CommunityId, Icmpv6) {
  EXPECT_EQ(community_id(flow("fe80::1", 135, "ff02::1:ff00:2", 0, IpProto::icmpv6)),
            "1:6GkV4Q23CW9hmt4IlBap+Dis6uk=");
  EXPECT_EQ(community_id(flow("fe80::2", 1, "fe80::1", 4, IpProto::icmpv6)),
            "1:KP7k20289QLlEmMHLKdRgaeGmfo=");
}

TEST(CommunityId, Sctp) {
  EXPECT_EQ(community_id(flow("192.0.2.7", 36412, "198.51.100.9", 36412, IpProto::sctp)),
            "1:7n8TrcH9WiCIVIWYSLihiQOcfhk=");
}

TEST(CommunityId, ProtocolsWithoutPorts) {
  EXPECT_EQ(community_id(flow("192.0.2.7", 0, "198.51.100.9", 0, IpProto::gre)),
            "1:8VQbNNwXDgzxUqz+jBlw8Focic0=");
}

TEST(CommunityId, IsTheSameFromBothEnds) {
  EXPECT_EQ(community_id(flow("10.0.0.1", 1024, "10.0.0.2", 80, IpProto::tcp)),
            community_id(flow("10.0.0.2", 80, "10.0.0.1", 1024, IpProto::tcp)));
  EXPECT_EQ(community_id(flow("fe80::1", 128, "fe80::2", 0, IpProto::icmpv6)),
            community_id(flow("fe80::2", 129, "fe80::1", 0, IpProto::icmpv6)));
}

TEST(CommunityId, KeepsTheDirectionOfOneWayIcmp) {
  EXPECT_NE(community_id(flow("10.0.0.1", 3, "10.0.0.2", 1, IpProto::icmp)),
            community_id(flow("10.0.0.2", 3, "10.0.0.1", 1, IpProto::icmp)));
}

TEST(CommunityId, SeedChangesTheHash) {
  const FlowRef f = flow("10.0.0.1", 1024, "10.0.0.2", 80, IpProto::tcp);
  EXPECT_NE(community_id(f, 0), community_id(f, 1));
  EXPECT_EQ(community_id(f, 1).size(), community_id_max);
}

}  // namespace
}  // namespace weir

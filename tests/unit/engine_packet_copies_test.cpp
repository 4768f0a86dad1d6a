#include "engine/packet_copies.hpp"

#include <gtest/gtest.h>

#include <array>

namespace weir {
namespace {

constexpr bool in = false, out = true;
enum : unsigned { eth0 = 2, eth1, br0, br0_5, eth2, eth2_7, bond0, eth3, eth4, bond0_9, far, veth0, veth1 };

class Copies : public ::testing::Test {
 protected:
  Copies() {
    copies_.learn({
        {.index = eth0, .kind = "", .master = br0},
        {.index = eth1, .kind = "veth", .master = br0},
        {.index = br0, .kind = "bridge"},
        {.index = br0_5, .kind = "vlan", .lower = br0, .vlan = 5},
        {.index = eth2, .kind = ""},
        {.index = eth2_7, .kind = "vlan", .master = br0, .lower = eth2, .vlan = 7},
        {.index = bond0, .kind = "bond"},
        {.index = eth3, .kind = "", .master = bond0},
        {.index = eth4, .kind = "", .master = bond0},
        {.index = bond0_9, .kind = "vlan", .lower = bond0, .vlan = 9},
        {.index = veth0, .kind = "veth", .lower = veth1},
        {.index = veth1, .kind = "veth", .master = br0, .lower = veth0},
        {.index = far, .kind = "vlan", .vlan = 3},  // what it is above of is in another namespace
    });
  }

  struct Seen {
    unsigned interface;
    bool outgoing;
    std::uint16_t vlan = 0;
  };
  // How often a packet counts that was seen so.
  int counted(std::initializer_list<Seen> path, std::array<std::uint8_t, 6> to = {2, 0, 0, 0, 0, 1}) const {
    int times = 0;
    for (const Seen& seen : path) {
      std::vector<std::uint8_t> frame(64);
      std::ranges::copy(to, frame.begin());
      frame[12] = seen.vlan == 0 ? 0x08 : 0x81;
      frame[15] = static_cast<std::uint8_t>(seen.vlan);
      const RawPacket packet{{}, frame.data(), 64, 64, 1, 0};
      times += copies_.is_copy(seen.interface, seen.outgoing, packet) ? 0 : 1;
    }
    return times;
  }

  PacketCopies copies_;
};

TEST_F(Copies, ABridgedPacketCountsWhereItCameIn) {
  EXPECT_EQ(counted({{eth0, in}, {eth1, out}}), 1);
  EXPECT_EQ(counted({{eth0, in}, {br0, in}}), 1) << "to this machine";
  EXPECT_EQ(counted({{eth0, in}, {br0, in}, {eth1, out}, {eth2_7, out}, {eth2, out, 7}}), 1) << "to all";
}

TEST_F(Copies, WhatIsSentIntoABridgeCountsOnIt) {
  EXPECT_EQ(counted({{br0, out}, {eth0, out}}), 1);
  EXPECT_EQ(counted({{br0_5, out}, {br0, out, 5}, {eth1, out, 5}}), 1);
}

TEST_F(Copies, OfAVlanWhatComesInCountsBelow) {
  EXPECT_EQ(counted({{eth0, in, 5}, {br0, in, 5}, {br0_5, in}}), 1);
  EXPECT_EQ(counted({{eth2, in, 7}, {eth2_7, in}, {br0, in}}), 1);
  EXPECT_EQ(counted({{eth2, out, 8}}), 1) << "a tag that no interface is for";
  EXPECT_EQ(counted({{eth2, out}}), 1);
}

TEST_F(Copies, ABondCountsForItsLinks) {
  EXPECT_EQ(counted({{eth3, in}, {eth4, in}, {bond0, in}}), 1) << "also what a link at rest hears";
  EXPECT_EQ(counted({{bond0, out}, {eth4, out}}), 1);
  EXPECT_EQ(counted({{eth3, in, 9}, {bond0, in, 9}, {bond0_9, in}}), 1);
  EXPECT_EQ(counted({{bond0_9, out}, {bond0, out, 9}, {eth3, out, 9}}), 1);
}

TEST_F(Copies, OfAVethsTwoEndsTheSendersCounts) {
  EXPECT_EQ(counted({{veth0, out}, {veth1, in}, {br0, in}, {eth1, out}}), 1);
  EXPECT_EQ(counted({{eth0, in}, {veth1, out}, {veth0, in}}), 1);
  EXPECT_EQ(counted({{br0, out}, {eth0, out}, {veth1, out}, {veth0, in}}), 1);
}

TEST_F(Copies, WhatPassesNoBridgeCountsWhereItIsSeen) {
  const std::array<std::uint8_t, 6> lldp = {0x01, 0x80, 0xc2, 0, 0, 0x0e},
                                    other = {0x01, 0x80, 0xc2, 0, 0, 0x21};
  EXPECT_EQ(counted({{eth0, in}}, lldp), 1);
  EXPECT_EQ(counted({{eth1, out}}, lldp), 1);
  EXPECT_EQ(counted({{eth3, in}}, lldp), 1);
  EXPECT_EQ(counted({{eth0, in}, {eth1, out}}, other), 1);
}

TEST_F(Copies, OthersStandAlone) {
  EXPECT_EQ(counted({{far, in}, {far, out}, {99, in}, {99, out}}), 4);
  copies_.learn({{.index = eth0, .kind = ""}, {.index = eth1, .kind = "veth"}});
  EXPECT_EQ(counted({{eth0, in}, {eth1, out}}), 2) << "taken off the bridge";
}

}  // namespace
}  // namespace weir

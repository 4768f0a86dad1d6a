// What a device is, whom it has seen where and what it is wired to, out of the tables of its SNMP agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/snmp_device.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// As their MIBs name them.
const std::map<std::string, ObjectId, std::less<>> objects = {
    {"sysDescr", {1, 3, 6, 1, 2, 1, 1, 1}},
    {"sysName", {1, 3, 6, 1, 2, 1, 1, 5}},
    {"sysLocation", {1, 3, 6, 1, 2, 1, 1, 6}},
    {"ifDescr", {1, 3, 6, 1, 2, 1, 2, 2, 1, 2}},
    {"ifPhysAddress", {1, 3, 6, 1, 2, 1, 2, 2, 1, 6}},
    {"ifName", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1}},
    {"entPhysicalClass", {1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 5}},
    {"entPhysicalSerialNum", {1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11}},
    {"entPhysicalModelName", {1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 13}},
    {"ipNetToMediaPhysAddress", {1, 3, 6, 1, 2, 1, 4, 22, 1, 2}},
    {"ipNetToPhysicalPhysAddress", {1, 3, 6, 1, 2, 1, 4, 35, 1, 4}},
    {"dot1dBaseBridgeAddress", {1, 3, 6, 1, 2, 1, 17, 1, 1}},
    {"dot1dBasePortIfIndex", {1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2}},
    {"dot1dTpFdbPort", {1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 2}},
    {"dot1dTpFdbStatus", {1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 3}},
    {"dot1qTpFdbPort", {1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 2}},
    {"dot1qTpFdbStatus", {1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 3}},
    {"lldpLocChassisIdSubtype", {1, 0, 8802, 1, 1, 2, 1, 3, 1}},
    {"lldpLocChassisId", {1, 0, 8802, 1, 1, 2, 1, 3, 2}},
    {"lldpLocPortIdSubtype", {1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 2}},
    {"lldpLocPortId", {1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 3}},
    {"lldpLocPortDesc", {1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 4}},
    {"lldpRemChassisIdSubtype", {1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 4}},
    {"lldpRemChassisId", {1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 5}},
    {"lldpRemPortIdSubtype", {1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 6}},
    {"lldpRemPortId", {1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 7}},
    {"lldpRemSysName", {1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 9}},
    {"cdpCacheDeviceId", {1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 6}},
    {"cdpCacheDevicePort", {1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 7}},
};

class Tables {
 public:
  Tables& put(std::string_view object, const ObjectId& index, std::string_view text) {
    tables_.take(column(object), {.index = index, .text = text});
    return *this;
  }
  Tables& put(std::string_view object, const ObjectId& index, std::uint64_t number) {
    tables_.take(column(object), {.index = index, .number = number});
    return *this;
  }
  SnmpDevice device() const { return tables_.device(); }

 private:
  static std::size_t column(std::string_view object) {
    static const auto columns = SnmpDeviceTables::columns();
    const auto found = std::ranges::find(columns, objects.find(object)->second);
    EXPECT_NE(found, columns.end()) << object;
    return static_cast<std::size_t>(found - columns.begin());
  }
  SnmpDeviceTables tables_;
};

constexpr std::string_view mac_1("\x00\x11\x22\x33\x44\x01", 6), mac_2("\x00\x11\x22\x33\x44\x02", 6);

std::string text_of(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}
std::vector<std::string> arp_of(const SnmpDevice& d) {
  std::vector<std::string> out;
  for (const auto& a : d.arp) out.push_back(to_string(a.ip) + " " + text_of(a.mac));
  return out;
}
std::vector<std::string> learned_of(const SnmpDevice& d) {
  std::vector<std::string> out;
  for (const auto& l : d.learned) out.push_back(text_of(l.mac) + " " + l.port);
  return out;
}
std::vector<std::string> neighbours_of(const SnmpDevice& d) {
  std::vector<std::string> out;
  for (const auto& n : d.neighbours)
    out.push_back(std::string(n.protocol) + " " + n.port + ": " + n.chassis + " " + n.neighbour_port + " " +
                  n.name);
  return out;
}

TEST(SnmpDeviceTables, SayWhatItIs) {
  const SnmpDevice d = Tables()
                           .put("sysDescr", {0}, "Switch OS\r\nVersion 7\x1b[2J")
                           .put("sysName", {0}, " core1 ")
                           .put("sysLocation", {0}, "rack 3")
                           .put("entPhysicalModelName", {1}, "PSU-1")
                           .put("entPhysicalModelName", {2}, "SW-48")
                           .put("entPhysicalSerialNum", {1}, "P1")
                           .put("entPhysicalSerialNum", {2}, "")
                           .put("entPhysicalClass", {1}, std::uint64_t{6})
                           .put("entPhysicalClass", {2}, std::uint64_t{3})
                           .put("ifPhysAddress", {1}, mac_1)
                           .put("ifPhysAddress", {2}, {"\x02\x11\x22\x33\x44\x03", 6})  // made up
                           .put("ifPhysAddress", {3}, "")
                           .device();
  EXPECT_EQ(d.description, "Switch OS Version 7.[2J");
  EXPECT_EQ(d.name, "core1");
  EXPECT_EQ(d.location, "rack 3");
  EXPECT_EQ(d.model, "SW-48");  // the chassis'
  EXPECT_EQ(d.serial, "P1");    // the only one
  ASSERT_EQ(d.macs.size(), 1U);
  EXPECT_EQ(text_of(d.macs[0]), "00:11:22:33:44:01");
}

TEST(SnmpDeviceTables, ArpIsThatOfEitherTable) {
  const ObjectId v6 = {2, 2, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  Tables t;
  t.put("ipNetToPhysicalPhysAddress", {2, 1, 4, 10, 0, 0, 9}, mac_1);
  t.put("ipNetToPhysicalPhysAddress", v6, mac_2);
  t.put("ipNetToPhysicalPhysAddress", {2, 1, 4, 10, 0}, mac_1);             // cut off
  t.put("ipNetToPhysicalPhysAddress", {2, 2, 4, 10, 0, 0, 9}, mac_1);       // no IPv6 address
  t.put("ipNetToPhysicalPhysAddress", {2, 1, 4, 10, 0, 0, 8}, "\x00\x11");  // no MAC address
  EXPECT_THAT(arp_of(t.device()), ElementsAre("10.0.0.9 00:11:22:33:44:01", "2001:db8::7 00:11:22:33:44:02"));
  // The old one has IPv4 alone, and is in both.
  t.put("ipNetToMediaPhysAddress", {2, 10, 0, 0, 9}, mac_1);
  t.put("ipNetToMediaPhysAddress", {2, 10, 0, 0}, mac_1);
  t.put("ipNetToMediaPhysAddress", {2, 10, 0, 0, 7}, {"\xff\xff\xff\xff\xff\xff", 6});  // a group's
  EXPECT_THAT(arp_of(t.device()), ElementsAre("10.0.0.9 00:11:22:33:44:01", "2001:db8::7 00:11:22:33:44:02"));
}

TEST(SnmpDeviceTables, BridgePortsAreInterfaces) {
  const ObjectId first = {0, 0x11, 0x22, 0x33, 0x44, 1}, second = {0, 0x11, 0x22, 0x33, 0x44, 2},
                 third = {0, 0x11, 0x22, 0x33, 0x44, 3}, own = {0, 0x11, 0x22, 0x33, 0x44, 4};
  Tables t;
  t.put("ifName", {10}, "Gi0/1").put("ifDescr", {11}, "port 2");
  t.put("dot1dBasePortIfIndex", {1}, std::uint64_t{10}).put("dot1dBasePortIfIndex", {2}, std::uint64_t{11});
  t.put("dot1dTpFdbPort", first, std::uint64_t{1}).put("dot1dTpFdbPort", second, std::uint64_t{2});
  t.put("dot1dTpFdbPort", third, std::uint64_t{3}).put("dot1dTpFdbPort", own, std::uint64_t{1});
  t.put("dot1dTpFdbStatus", first, std::uint64_t{3}).put("dot1dTpFdbStatus", own, std::uint64_t{4});
  t.put("dot1dTpFdbPort", {0, 0x11, 0x22, 0x33, 0x44, 5}, std::uint64_t{0});  // heard, on no port known
  t.put("dot1dTpFdbPort", {0, 0x11, 0x22}, std::uint64_t{1});                 // no MAC address
  EXPECT_THAT(learned_of(t.device()),
              ElementsAre("00:11:22:33:44:01 Gi0/1", "00:11:22:33:44:02 port 2", "00:11:22:33:44:03 3"));
}

TEST(SnmpDeviceTables, BridgesWithVlansHaveATableOfTheirOwn) {
  Tables t;
  t.put("dot1dBasePortIfIndex", {1}, std::uint64_t{10});
  t.put("ifName", {10}, "Gi0/1");
  t.put("dot1qTpFdbPort", {100, 0, 0x11, 0x22, 0x33, 0x44, 1}, std::uint64_t{1});
  t.put("dot1qTpFdbStatus", {100, 0, 0x11, 0x22, 0x33, 0x44, 1}, std::uint64_t{3});
  t.put("dot1qTpFdbPort", {100, 0, 0x11, 0x22, 0x33, 0x44, 2}, std::uint64_t{1});
  t.put("dot1qTpFdbStatus", {100, 0, 0x11, 0x22, 0x33, 0x44, 2}, std::uint64_t{4});  // its own
  EXPECT_THAT(learned_of(t.device()), ElementsAre("00:11:22:33:44:01 Gi0/1"));
  // Which says nothing new where there is the plain one.
  t.put("dot1dTpFdbPort", {0, 0x11, 0x22, 0x33, 0x44, 9}, std::uint64_t{1});
  EXPECT_THAT(learned_of(t.device()), ElementsAre("00:11:22:33:44:09 Gi0/1"));
}

TEST(SnmpDeviceTables, LldpNeighboursAreOfPorts) {
  Tables t;
  t.put("ifName", {3}, "Gi0/3");
  t.put("lldpLocPortIdSubtype", {1}, std::uint64_t{5}).put("lldpLocPortId", {1}, "Gi0/1");
  t.put("lldpLocPortIdSubtype", {2}, std::uint64_t{7}).put("lldpLocPortId", {2}, "2");
  t.put("lldpLocPortDesc", {2}, "second");
  t.put("lldpRemChassisIdSubtype", {0, 1, 1}, std::uint64_t{4}).put("lldpRemChassisId", {0, 1, 1}, mac_1);
  t.put("lldpRemPortIdSubtype", {0, 1, 1}, std::uint64_t{3}).put("lldpRemPortId", {0, 1, 1}, mac_2);
  t.put("lldpRemSysName", {0, 1, 1}, "dist1");
  t.put("lldpRemChassisIdSubtype", {5, 2, 1}, std::uint64_t{5});
  t.put("lldpRemChassisId", {5, 2, 1}, {"\x01\x0a\x00\x00\x02", 5});  // an IPv4 address
  t.put("lldpRemPortId", {5, 2, 1}, "eth0");
  t.put("lldpRemChassisId", {0, 3, 1}, "a name");
  t.put("lldpRemChassisId", {0, 3}, "no index");
  EXPECT_THAT(neighbours_of(t.device()), ElementsAre("lldp Gi0/1: 00:11:22:33:44:01 00:11:22:33:44:02 dist1",
                                                     "lldp Gi0/3: a name  ", "lldp second: 10.0.0.2 eth0 "));
}

TEST(SnmpDeviceTables, CdpNeighboursAreOfInterfaces) {
  Tables t;
  t.put("ifName", {7}, "Fa0/7");
  t.put("cdpCacheDeviceId", {7, 1}, "phone").put("cdpCacheDevicePort", {7, 1}, "Port 1");
  t.put("cdpCacheDeviceId", {8, 1}, "other").put("cdpCacheDeviceId", {8}, "no index");
  EXPECT_THAT(neighbours_of(t.device()), ElementsAre("cdp Fa0/7: phone Port 1 phone", "cdp 8: other  other"));
}

TEST(SnmpDeviceTables, TheChassisIsLldpsOrTheBridges) {
  Tables t;
  t.put("dot1dBaseBridgeAddress", {0}, mac_2);
  EXPECT_EQ(t.device().chassis, "00:11:22:33:44:02");
  t.put("lldpLocChassisIdSubtype", {0}, std::uint64_t{7}).put("lldpLocChassisId", {0}, "core1");
  EXPECT_EQ(t.device().chassis, "00:11:22:33:44:02");  // a name is no address
  t.put("lldpLocChassisIdSubtype", {0}, std::uint64_t{4}).put("lldpLocChassisId", {0}, mac_1);
  EXPECT_EQ(t.device().chassis, "00:11:22:33:44:01");
}

TEST(SnmpDeviceTables, OfNothingComesNothing) {
  const SnmpDevice d = Tables().device();
  EXPECT_EQ(d.name, "");
  EXPECT_THAT(d.learned, IsEmpty());
}

}  // namespace
}  // namespace weir

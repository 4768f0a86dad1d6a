// What LLDP, CDP, SSDP, mDNS services and NetBIOS tell the inventory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devices/evidence.hpp"
#include "records/arp.hpp"
#include "records/cdp.hpp"
#include "records/dns.hpp"
#include "records/lldp.hpp"
#include "records/netbios.hpp"
#include "records/ssdp.hpp"

namespace weir {
namespace {

const Mac port_1{{0x00, 0x0c, 0x29, 0, 0, 1}}, port_2{{0x00, 0x0c, 0x29, 0, 0, 2}},
    base{{0x00, 0x0c, 0x29, 0, 0, 0}}, other{{0x00, 0x0c, 0x29, 1, 0, 0}};

Addr ip(std::string_view text) {
  return *parse_addr(text);
}
template <class R>
void tell(Inventory& inventory, const R& record) {
  take_evidence(inventory, record_type<R>(), &record);
}
void arp(Inventory& inventory, const Mac& mac, std::string_view address, int at = 1) {
  tell(inventory,
       Arp{.time = Time{} + seconds(at), .kind = "reply", .src_ip = ip(address), .sender_mac = mac});
}
std::vector<std::string> facts(const KnownDevice& device, FactKind kind) {
  std::vector<std::string> values;
  for (const Fact& fact : device.facts)
    if (fact.kind == kind) values.push_back(fact.value);
  return values;
}
Lldp lldp(const Mac& from) {
  Lldp l{.time = Time{} + seconds(2), .chassis_id = "00:0c:29:00:00:00", .chassis_id_kind = "mac"};
  l.src_mac = from;
  l.port_id = "1";
  l.system_name = "switch-1";
  return l;
}

TEST(NeighbourEvidence, PortsOfOneChassisAreOneDevice) {
  Inventory inventory;
  tell(inventory, lldp(port_1));
  tell(inventory, lldp(port_2));
  ASSERT_EQ(inventory.devices().size(), 1u);
  const KnownDevice& device = inventory.devices().at(1);
  EXPECT_EQ(device.name(), "switch-1");
  EXPECT_TRUE(device.macs.contains(port_1) && device.macs.contains(port_2) && device.macs.contains(base));
  EXPECT_EQ(facts(device, FactKind::chassis), std::vector<std::string>{"00:0c:29:00:00:00"});
}

TEST(NeighbourEvidence, ManagementAddressIsTheSameDevice) {
  Inventory inventory;
  arp(inventory, other, "10.9.0.1");
  Lldp l = lldp(port_1);
  const Addr addresses[] = {ip("10.9.0.1")};
  l.management_addresses = addresses;
  tell(inventory, l);
  ASSERT_EQ(inventory.devices().size(), 1u);
  EXPECT_TRUE(inventory.devices().at(1).macs.contains(other));
  inventory.finish();
  for (const Change& change : inventory.take_changes()) EXPECT_EQ(change.change, DeviceChange::appeared);
}

TEST(NeighbourEvidence, ChassisThatOthersMayHaveIsNoKey) {
  Inventory inventory;
  for (const Mac& mac : {port_1, port_2}) {
    Lldp l = lldp(mac);
    l.chassis_id = "eth0";
    l.chassis_id_kind = "interface_name";
    l.serial = "00000000";
    tell(inventory, l);
    Cdp c{.time = Time{} + seconds(3)};
    c.src_mac = mac;
    c.device_id = "Switch";
    tell(inventory, c);
  }
  EXPECT_EQ(inventory.devices().size(), 2u);
}

TEST(NeighbourEvidence, CdpNamesModelAndSystem) {
  Inventory inventory;
  Cdp c{.time = Time{} + seconds(1)};
  c.src_mac = port_1;
  c.device_id = "core-1.example.com";
  c.platform = "cisco WS-C3560";
  c.software = "Cisco IOS Software, Version 12";
  tell(inventory, c);
  c.src_mac = port_2;
  tell(inventory, c);
  ASSERT_EQ(inventory.devices().size(), 1u);
  const KnownDevice& device = inventory.devices().at(1);
  EXPECT_EQ(device.name(), "core-1.example.com");
  EXPECT_EQ(device.find(FactKind::model)->value, "cisco WS-C3560");
  EXPECT_EQ(device.find(FactKind::system)->value, "Cisco IOS Software, Version 12");
}

TEST(NeighbourEvidence, SsdpIsOfWhoAnnouncesOrAnswers) {
  Inventory inventory;
  arp(inventory, port_1, "10.9.0.2");
  Ssdp s{.time = Time{} + seconds(2), .message = "alive"};
  s.flow.src_ip = ip("10.9.0.2");
  s.server = "Linux/6.1 UPnP/1.1 Box/2";
  s.target = "urn:schemas-upnp-org:device:MediaServer:1";
  tell(inventory, s);
  s.target = "upnp:rootdevice";
  tell(inventory, s);
  // A stranger from behind a router is no device of this network.
  s.flow.src_ip = ip("10.8.0.9");
  tell(inventory, s);
  ASSERT_EQ(inventory.devices().size(), 1u);
  const KnownDevice& device = inventory.devices().at(1);
  EXPECT_EQ(facts(device, FactKind::offer), std::vector<std::string>{"MediaServer"});
  EXPECT_EQ(device.find(FactKind::system)->value, "Linux/6.1 UPnP/1.1 Box/2");
}

TEST(NeighbourEvidence, NodeStatusNamesTheHostAndTrustsArpMore) {
  Inventory inventory;
  arp(inventory, port_1, "10.9.0.2");
  const Text names[] = {"STORE-1<00>", "STORE-1<20>"}, groups[] = {"HOME<00>"};
  Netbios n{.time = Time{} + seconds(2), .ip = ip("10.9.0.2")};
  n.mac = other;
  n.name = "STORE-1";
  n.workgroup = "HOME";
  n.names = names;
  n.groups = groups;
  tell(inventory, n);
  ASSERT_EQ(inventory.devices().size(), 1u);
  const KnownDevice& device = inventory.devices().at(1);
  EXPECT_EQ(device.name(), "STORE-1");
  EXPECT_FALSE(device.macs.contains(other));
  EXPECT_EQ(device.find(FactKind::workgroup)->value, "HOME");
  EXPECT_EQ(facts(device, FactKind::offer), std::vector<std::string>{"smb"});
  n.ip = ip("10.9.1.2");
  tell(inventory, n);  // not heard by ARP: what it says has to do
  EXPECT_EQ(inventory.devices().size(), 2u);
}

TEST(NeighbourEvidence, MulticastAnswersTellServicesAndModel) {
  Inventory inventory;
  arp(inventory, port_1, "10.9.0.2");
  const Text answers[] = {"box._ipp._tcp.local", "0 0 631 box.local", "\"txtvers=1\" \"ty=Laser 7\"",
                          "_ssh._tcp.local", "10.9.0.2"};
  const Text types[] = {"PTR", "SRV", "TXT", "PTR", "A"};
  const Text owners[] = {"_ipp._tcp.local", "box._ipp._tcp.local", "box._ipp._tcp.local",
                         "_services._dns-sd._udp.local", "box.local"};
  Dns d{.time = Time{} + seconds(2), .variant = "mdns"};
  d.flow.src_ip = ip("10.9.0.99");  // a proxy
  d.rcode = 0;
  d.answers = answers;
  d.answer_types = types;
  d.answer_names = owners;
  tell(inventory, d);
  const KnownDevice& device = inventory.devices().at(1);
  EXPECT_THAT(facts(device, FactKind::offer), testing::UnorderedElementsAre("ipp", "ssh"));
  EXPECT_EQ(device.find(FactKind::model)->value, "Laser 7");
  EXPECT_EQ(device.name(), "box");
}

}  // namespace
}  // namespace weir

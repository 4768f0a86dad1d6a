#include "devices/evidence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "devices/arpwatch_file.hpp"
#include "engine/link_sweep.hpp"
#include "os/packet_socket.hpp"
#include "packet/build.hpp"
#include "records/arp.hpp"
#include "records/dhcp.hpp"
#include "records/dhcpv6.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "records/ndp.hpp"

namespace weir {
namespace {

const Mac phone{{0x02, 0, 0, 0, 0, 1}}, host{{0x00, 0x0c, 0x29, 0, 0, 2}};

Addr ip(std::string_view text) {
  return *parse_addr(text);
}
template <class R>
void tell(Inventory& inventory, const R& record) {
  take_evidence(inventory, record_type<R>(), &record);
}
Arp arp(Mac mac, std::string_view address) {
  return {.time = Time{} + seconds(1), .kind = "request", .src_ip = ip(address), .sender_mac = mac};
}

TEST(DeviceEvidence, ArpProbeHasNoAddressYet) {
  Inventory inventory;
  tell(inventory, arp(host, "0.0.0.0"));
  ASSERT_EQ(inventory.devices().size(), 1U);
  EXPECT_TRUE(inventory.devices().at(1).addresses.empty());
}

TEST(DeviceEvidence, ClientIdThatRepeatsTheHardwareAddressIsNoKey) {
  Inventory inventory;
  Dhcp request{.time = Time{} + seconds(1), .message = "request", .client_mac = phone};
  request.client_id = "01020000000001";
  tell(inventory, request);
  EXPECT_EQ(inventory.devices().at(1).find(FactKind::client_id), nullptr);
  request.client_id = "ff00000001000100012297aabb";
  tell(inventory, request);
  ASSERT_NE(inventory.devices().at(1).find(FactKind::duid), nullptr);
  EXPECT_EQ(inventory.devices().at(1).find(FactKind::duid)->value, "000100012297aabb");
}

TEST(DeviceEvidence, ClientsThatAreMadeUpAreNoDevices) {
  Inventory inventory;
  Dhcp discover{.time = Time{} + seconds(1), .message = "discover", .client_mac = phone};
  discover.src_mac = host;
  tell(inventory, discover);
  Dhcp ack{.time = Time{} + seconds(2), .message = "ack", .client_mac = phone, .assigned_ip = ip("10.9.0.7")};
  ack.sender_ip = ip("10.9.0.1");
  ack.src_mac = Mac{{0x00, 0x0c, 0x29, 0, 0, 1}};
  tell(inventory, ack);
  ASSERT_EQ(inventory.devices().size(), 1U) << "the server alone";
  EXPECT_EQ(inventory.devices().at(1).mac(), ack.src_mac);
  discover.relay_ip = ip("10.9.0.1");  // a relay's frame, and its word for the client
  tell(inventory, discover);
  EXPECT_EQ(inventory.devices().size(), 2U);
  EXPECT_EQ(inventory.devices().at(2).mac(), phone);
}

TEST(DeviceEvidence, ServerThatUsesAnothersAddressIsAnotherOne) {
  Inventory inventory;
  Dhcp offer{.time = Time{} + seconds(1), .message = "offer", .client_mac = phone};
  offer.sender_ip = ip("10.9.0.1");
  offer.src_mac = host;
  tell(inventory, offer);
  offer.client_ip = ip("10.9.0.7");  // a lease renewed through a router, whose frame it is
  offer.src_mac = Mac{{0x00, 0x0c, 0x29, 0, 0, 9}};
  tell(inventory, offer);
  EXPECT_EQ(inventory.devices().size(), 1U);
  EXPECT_TRUE(inventory.take_changes().empty());
  offer.client_ip.reset();
  tell(inventory, offer);
  const auto changes = inventory.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(name_of(changes[0].change), "rogue_dhcp");
  EXPECT_EQ(changes[0].mac, offer.src_mac);
}

TEST(DeviceEvidence, ClientsOfDhcpv6ShowTheirHardwareAddress) {
  Inventory inventory;
  Dhcpv6 solicit{.time = Time{} + seconds(1), .message = "solicit", .sender_ip = ip("fe80::2")};
  solicit.client_id = "000100013297";
  solicit.src_mac = host;
  tell(inventory, solicit);
  EXPECT_EQ(inventory.devices().at(1).mac(), host);
  solicit.relays = 1;
  solicit.sender_ip = ip("fd09::9");
  solicit.src_mac = phone;
  tell(inventory, solicit);
  for (const auto& [id, device] : inventory.devices()) EXPECT_FALSE(device.macs.contains(phone));
}

TEST(DeviceEvidence, ReverseNamesOfBothFamilies) {
  Inventory inventory;
  Ndp ndp{.time = Time{} + seconds(1), .message = "neighbor_advertisement", .sender_ip = ip("fe80::2:34ab")};
  ndp.target = ip("fe80::2:34ab");
  ndp.src_mac = host;
  tell(inventory, ndp);
  const Text answers[] = {"printer.local"}, types[] = {"PTR"},
             owners[] = {"b.a.4.3.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa"};
  Dns answer{.time = Time{} + seconds(2), .variant = "mdns"};
  answer.answers = answers;
  answer.answer_types = types;
  answer.answer_names = owners;
  tell(inventory, answer);
  EXPECT_EQ(inventory.devices().at(1).name(), "printer");
}

TEST(DeviceEvidence, MulticastNameIsItsAddresses) {
  Inventory inventory;
  tell(inventory, arp(host, "10.9.0.2"));
  const Text answers[] = {"10.9.0.2"}, types[] = {"A"}, owners[] = {"printer.local"};
  Dns answer{.time = Time{} + seconds(2), .variant = "mdns"};
  answer.answers = answers;
  answer.answer_types = types;
  answer.answer_names = owners;
  tell(inventory, answer);
  EXPECT_EQ(inventory.devices().at(1).name(), "printer");
  answer.variant = "dns";
  const Text other[] = {"www.shop.example"};
  answer.answer_names = other;
  tell(inventory, answer);
  EXPECT_EQ(inventory.devices().at(1).facts.size(), 1U);
}

TEST(DeviceEvidence, SecondRouterThatAdvertisesIsRogue) {
  Inventory inventory;
  const auto advertise = [&](Mac mac, std::string_view from, Duration lifetime) {
    Ndp ndp{.time = Time{} + seconds(1), .message = "router_advertisement", .sender_ip = ip(from)};
    ndp.src_mac = mac;
    ndp.router_lifetime = lifetime;
    tell(inventory, ndp);
  };
  advertise(host, "fe80::1", seconds(1800));
  advertise(phone, "fe80::2", seconds(0));  // it says that it is no default router
  EXPECT_TRUE(inventory.take_changes().empty());
  advertise(phone, "fe80::2", seconds(1800));
  const auto changes = inventory.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(name_of(changes[0].change), "rogue_ra");
  EXPECT_EQ(changes[0].before, "fe80::1");
  EXPECT_EQ(changes[0].mac, phone);
}

TEST(DeviceEvidence, FlowsOfTheInternetAreNoDevices) {
  Inventory inventory;
  Flow flow{.time = Time{} + seconds(1)};
  flow.ref = {.flow_id = 1,
              .src_ip = ip("10.9.0.2"),
              .dst_ip = ip("203.0.113.5"),
              .src_port = 4000,
              .dst_port = 443,
              .proto = IpProto::tcp};
  flow.src_packets = flow.dst_packets = 5;
  flow.state = "SF";
  flow.src_mac = host;
  flow.dst_mac = phone;
  flow.src_ttl = 63;  // a router has passed it on
  tell(inventory, flow);
  EXPECT_TRUE(inventory.devices().empty());
  flow.src_ttl = 64;
  tell(inventory, flow);
  ASSERT_EQ(inventory.devices().size(), 1U);
  EXPECT_EQ(inventory.devices().at(1).mac(), host);
}

TEST(LinkSweep, ReadsWhoAnswersAndNothingElse) {
  std::uint8_t frame[128] = {};
  const std::uint8_t* end = write_arp_request(frame, host, ip("10.9.0.2"), ip("10.9.0.1"));
  const auto read = [&](std::size_t size, std::uint16_t type) {
    return read_neighbour_packet({Time{}, Bytes(frame + ethernet_size, size), type, 1, host});
  };
  const auto whole = static_cast<std::size_t>(end - frame) - ethernet_size;
  auto found = read(whole, 0x0806);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ip, ip("10.9.0.2"));
  EXPECT_FALSE(found->answered);
  frame[ethernet_size + 7] = 2;
  EXPECT_TRUE(read(whole, 0x0806)->answered);
  for (std::size_t size = 0; size < 28; ++size) EXPECT_FALSE(read(size, 0x0806));
  EXPECT_FALSE(read(whole, 0x86dd));
  frame[ethernet_size + 8] = 1;  // a group's address is nobody's
  EXPECT_FALSE(read(whole, 0x0806));
}

TEST(LinkSweep, SolicitationsTellOfTheirSenders) {
  std::uint8_t frame[128] = {};
  const std::uint8_t* end = write_neighbor_solicitation(frame, host, ip("fe80::2"), ip("fe80::1"));
  const auto whole = static_cast<std::size_t>(end - frame) - ethernet_size;
  const auto read = [&](std::size_t size) {
    return read_neighbour_packet({Time{}, Bytes(frame + ethernet_size, size), 0x86dd, 1, host});
  };
  ASSERT_TRUE(read(whole));
  EXPECT_EQ(read(whole)->ip, ip("fe80::2"));
  frame[ethernet_size + 7] = 254;  // it has passed a router
  EXPECT_FALSE(read(whole));
}

TEST(ArpwatchFile, IsReadInOrderOfTimeAndMistakesHaveALine) {
  std::istringstream good(
      "0:c:29:a:2:3\t10.9.0.7\t1700000500\tprinter\teth0\n\n2:0:0:0:0:9 10.9.0.9 1700000000\n");
  const auto sightings = read_arpwatch_file(good, "arp.dat");
  ASSERT_TRUE(sightings);
  ASSERT_EQ(sightings->size(), 2U);
  EXPECT_EQ(sightings->front().ip, ip("10.9.0.9"));
  EXPECT_EQ(sightings->back().facts.front().value, "printer");
  for (const char* line :
       {"0:c:29:a:2 10.9.0.7 17\n", "0:c:29:a:2:300 10.9.0.7 17\n", "0:c:29:a:2:3 10.9.0 17\n",
        "0:c:29:a:2:3 10.9.0.7\n", "0:c:29:a:2:3 10.9.0.7 99999999999\n"}) {
    std::istringstream bad(line);
    const auto none = read_arpwatch_file(bad, "arp.dat");
    ASSERT_FALSE(none) << line;
    EXPECT_EQ(none.error().where, "arp.dat:1");
  }
}

}  // namespace
}  // namespace weir

#include "devices/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devices/inventory_file.hpp"
#include "devices/vendors.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Time at(std::int64_t s) {
  return Time{} + seconds(1'000'000 + s);
}
Mac mac(std::uint8_t first, std::uint8_t last) {
  return Mac{{first, 0, 0, 0, 0, last}};
}
// The first with the U/L bit clear is a manufacturer's, the second is made up.
Mac fixed(std::uint8_t n) {
  return mac(0x00, n);
}
Mac random_mac(std::uint8_t n) {
  return mac(0x02, n);
}
Addr ip(std::string_view text) {
  return *parse_addr(text);
}

Sighting arp(std::int64_t s, Mac who, std::string_view address, Claim claim = Claim::asked) {
  return {.time = at(s), .mac = who, .ip = ip(address), .claim = claim};
}
Sighting told(std::int64_t s, Mac who, FactKind kind, std::string value) {
  return {.time = at(s), .mac = who, .facts = {{kind, std::move(value), "dhcp", {}}}};
}

struct Told {
  std::vector<std::string> events;
  explicit Told(Inventory& inventory) {
    for (const Change& change : inventory.take_changes())
      events.push_back(std::string(name_of(change.change)) + " " + std::to_string(change.device));
  }
};
std::vector<std::string> events(Inventory& inventory) {
  return Told(inventory).events;
}

TEST(Inventory, HostIsNewOnceItHasSettled) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.see(arp(30, fixed(1), "10.9.0.1"));
  EXPECT_THAT(events(inventory), IsEmpty());
  inventory.advance(at(60));
  EXPECT_THAT(events(inventory), ElementsAre("new 1"));
  inventory.see(arp(61, fixed(1), "10.9.0.1"));
  inventory.finish();
  EXPECT_THAT(events(inventory), IsEmpty());
}

TEST(Inventory, TenAddressesAreOneDevice) {
  Inventory inventory;
  for (int i = 1; i <= 10; ++i) inventory.see(arp(i, fixed(1), "10.9.0." + std::to_string(i)));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1"));
  ASSERT_EQ(inventory.devices().size(), 1U);
  EXPECT_EQ(inventory.devices().at(1).addresses.size(), 10U);
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.10"));
}

TEST(Inventory, MadeUpHardwareAddressWithTheSameClientIdIsTheSamePhone) {
  Inventory inventory;
  inventory.see(told(0, random_mac(1), FactKind::client_id, "00617070"));
  inventory.advance(at(100));
  EXPECT_THAT(events(inventory), ElementsAre("new 1"));
  // The new address speaks before it says who it is.
  inventory.see(arp(200, random_mac(2), "10.9.0.5"));
  inventory.see(told(203, random_mac(2), FactKind::client_id, "00617070"));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("mac 1"));
  EXPECT_EQ(inventory.devices().size(), 1U);
  EXPECT_THAT(inventory.removed(), ElementsAre(2U));
  EXPECT_EQ(inventory.find("10.9.0.5")->id, 1U);
}

TEST(Inventory, MadeUpHardwareAddressIsKnownByNameOnceTheOldOneIsQuiet) {
  Inventory inventory;
  for (std::uint8_t day = 0; day < 5; ++day) {
    inventory.see(arp(day * 86'400, random_mac(day), "10.9.0.5"));
    Sighting request = told(day * 86'400 + 1, random_mac(day), FactKind::name, "annas-phone");
    request.facts.push_back({FactKind::fingerprint, "1,3,6,15", "dhcp", {}});
    inventory.see(request);
  }
  inventory.finish();
  const auto all = events(inventory);
  EXPECT_EQ(std::ranges::count(all, "new 1"), 1);
  EXPECT_EQ(inventory.devices().size(), 1U);
  EXPECT_EQ(inventory.devices().at(1).macs.size(), 5U);
}

TEST(Inventory, TwoPhonesOfOneNameThatAreThereTogetherAreTwo) {
  Inventory inventory;
  for (int s = 0; s < 200; s += 20) {
    inventory.see(told(s, random_mac(1), FactKind::name, "Galaxy-S21"));
    inventory.see(told(s + 1, random_mac(2), FactKind::name, "Galaxy-S21"));
  }
  inventory.finish();
  EXPECT_EQ(inventory.devices().size(), 2U);
}

TEST(Inventory, CommonNamesAndManufacturersAddressesJoinNobody) {
  Inventory inventory;
  inventory.see(told(0, random_mac(1), FactKind::name, "android"));
  inventory.see(told(100, random_mac(2), FactKind::name, "android"));
  inventory.see(told(0, fixed(1), FactKind::name, "reception"));
  inventory.see(told(100, fixed(2), FactKind::name, "reception"));
  inventory.finish();
  EXPECT_EQ(inventory.devices().size(), 4U);
}

TEST(Inventory, WiredAndWirelessOfOneDuidAreOneAndCopiedHostKeysAreNot) {
  Inventory inventory;
  inventory.see(told(0, fixed(1), FactKind::duid, "00010001aa"));
  inventory.see(told(1, fixed(2), FactKind::duid, "00010001aa"));
  EXPECT_EQ(inventory.devices().size(), 1U);
  inventory.see(arp(2, fixed(3), "10.9.0.3"));
  inventory.see(arp(2, fixed(4), "10.9.0.4"));
  inventory.see(told(3, fixed(3), FactKind::host_key, "SHA256:k"));
  inventory.see(told(4, fixed(4), FactKind::host_key, "SHA256:k"));
  inventory.finish();
  EXPECT_EQ(inventory.devices().size(), 3U);
}

TEST(Inventory, TwoAnswersAtOneTimeAreADuplicateAddressToldOnce) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1", Claim::told));
  inventory.see(arp(1, fixed(2), "10.9.0.1", Claim::told));
  for (int s = 2; s < 50; ++s) inventory.see(arp(s, fixed(s % 2 == 0 ? 1 : 2), "10.9.0.1", Claim::told));
  inventory.finish();
  EXPECT_THAT(events(inventory), testing::UnorderedElementsAre("new 1", "new 2", "duplicate_ip 2"));
}

TEST(Inventory, AddressThatGoesBackAndForthFlipFlops) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.see(arp(100, fixed(2), "10.9.0.1"));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1", "new 2"));
  inventory.see(arp(200, fixed(1), "10.9.0.1"));
  EXPECT_THAT(events(inventory), ElementsAre("arp_flip_flop 1"));
}

TEST(Inventory, LeasePassesAnAddressOnInPeace) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1", Claim::told));
  inventory.see(arp(1, fixed(2), "10.9.0.1", Claim::leased));
  inventory.see(arp(2, fixed(2), "10.9.0.1", Claim::told));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1", "new 2"));
}

TEST(Inventory, QuietDeviceIsGoneAndASleeperIsLearned) {
  Inventory inventory;
  std::vector<std::string> all;
  for (int hour = 0; hour < 6; ++hour) {
    inventory.see(arp(hour * 3600, fixed(1), "10.9.0.1"));
    for (int s = 0; s < 3600; s += 10) inventory.see(arp(hour * 3600 + s, fixed(2), "10.9.0.2"));
    for (const std::string& event : events(inventory))
      if (event.ends_with(" 1")) all.push_back(event);
  }
  EXPECT_THAT(all, ElementsAre("new 1", "gone 1", "back 1"));
}

TEST(Inventory, TimeNobodyWatchedIsNoAbsence) {
  Inventory first;
  first.see(arp(0, fixed(1), "10.9.0.1"));
  first.finish();
  Inventory later;
  later.restore(first.devices().at(1));
  later.see(arp(86'400, fixed(2), "10.9.0.2"));
  later.see(arp(86'410, fixed(1), "10.9.0.1"));
  EXPECT_THAT(events(later), IsEmpty());
}

TEST(Inventory, SweepMissesWhoIsGone) {
  Inventory inventory({.gone_after = seconds(0)});
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.see(arp(0, fixed(2), "10.9.0.2"));
  inventory.finish();
  events(inventory);
  inventory.see(arp(100, fixed(1), "10.9.0.1"));
  inventory.see(arp(0, fixed(3), "10.8.0.3"));
  inventory.swept(at(99), at(102), [](const Addr& a) { return a != ip("10.8.0.3"); });
  EXPECT_THAT(events(inventory), ElementsAre("gone 2"));
}

TEST(Inventory, ChangesOfASettledDeviceAreTold) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.finish();
  events(inventory);
  inventory.see(arp(10, fixed(1), "10.9.0.9"));
  inventory.see(told(11, fixed(1), FactKind::name, "printer"));
  inventory.see(told(12, fixed(1), FactKind::service, "22/tcp ssh"));
  inventory.see(told(13, fixed(1), FactKind::service, "22/tcp ssh"));
  EXPECT_THAT(events(inventory), ElementsAre("address 1", "name 1", "service 1"));
}

TEST(Inventory, TemporaryAddressesOfANetworkAreNoChange) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "2001:db8::1"));
  inventory.finish();
  events(inventory);
  for (int day = 1; day < 4; ++day)
    inventory.see(arp(day * 10, fixed(1), "2001:db8::" + std::to_string(1000 + day)));
  EXPECT_THAT(events(inventory), IsEmpty());
}

TEST(Inventory, SecondServerIsRogueUnlessApproved) {
  Inventory inventory;
  const auto serves = [](std::int64_t s, std::uint8_t n) {
    Sighting offer = arp(s, fixed(n), "10.9.0." + std::to_string(n));
    offer.facts = {{FactKind::role, "dhcp_server", "dhcp", {}}};
    return offer;
  };
  inventory.see(serves(0, 1));
  inventory.see(serves(1, 1));
  inventory.see(serves(2, 2));
  EXPECT_THAT(events(inventory), ElementsAre("rogue_dhcp 2"));
  inventory.see(arp(3, fixed(3), "10.9.0.3"));
  inventory.find(3U)->policy = Policy::approved;
  inventory.see(serves(4, 3));
  EXPECT_THAT(events(inventory), IsEmpty());
}

TEST(Inventory, PolicyTellsWhoMayNotBeThere) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  EXPECT_EQ(inventory.authorised(inventory.devices().at(1)), std::nullopt);
  inventory.find(1U)->policy = Policy::approved;
  inventory.see(arp(1, fixed(2), "10.9.0.2"));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1", "new 2", "unauthorised 2"));
  inventory.find(2U)->policy = Policy::ignored;
  inventory.see(arp(2, fixed(2), "10.9.0.7"));
  EXPECT_THAT(events(inventory), IsEmpty());
}

TEST(Inventory, IsBounded) {
  Inventory inventory({.most_devices = 2, .most_of_a_kind = 4});
  for (std::uint8_t i = 1; i < 10; ++i) inventory.see(arp(i, fixed(i), "10.9.0." + std::to_string(i)));
  EXPECT_EQ(inventory.devices().size(), 2U);
  EXPECT_EQ(inventory.refused(), 7U);
  for (int i = 0; i < 100; ++i) inventory.see(arp(20, fixed(1), "10.8.0." + std::to_string(i)));
  EXPECT_LE(inventory.devices().at(1).addresses.size(), 4U);
}

TEST(Inventory, IsTheSameAfterItWasKept) {
  const TempFolder folder;
  Inventory before;
  before.see(told(0, random_mac(1), FactKind::client_id, "00617070"));
  before.see(arp(1, fixed(2), "10.9.0.2"));
  before.see(arp(2, fixed(2), "fd00::2"));
  before.finish();
  before.find(2U)->label = "door";
  before.find(2U)->tags = {"lobby"};
  {
    auto file = InventoryFile::open(folder.path(), InventoryFile::Mode::change);
    ASSERT_TRUE(file);
    EXPECT_FALSE(InventoryFile::open(folder.path(), InventoryFile::Mode::change));  // locked
    ASSERT_TRUE(file->save(before, before.take_changes()));
  }
  auto file = InventoryFile::open(folder.path(), InventoryFile::Mode::read);
  ASSERT_TRUE(file);
  Inventory after;
  ASSERT_TRUE(file->load(after));
  ASSERT_EQ(after.devices().size(), 2U);
  EXPECT_EQ(after.devices().at(2).addresses.size(), 2U);
  EXPECT_EQ(after.find("door")->tags, std::vector<std::string>{"lobby"});
  EXPECT_EQ(after.holders().size(), 2U);
  EXPECT_EQ(file->history({})->size(), 2U);
  after.see(told(100, random_mac(7), FactKind::client_id, "00617070"));
  after.finish();
  EXPECT_THAT(events(after), ElementsAre("mac 1"));
}

TEST(Vendors, LongestBlockCounts) {
  Vendors vendors;
  vendors.add_line("Registry,Assignment,Organization Name,Organization Address");
  vendors.add_line("MA-L,AABBCC,Big Company,Somewhere");
  vendors.add_line("MA-S,AABBCC123,\"Small, Inc.\",\"Here, there\"");
  EXPECT_EQ(vendors.size(), 2U);
  EXPECT_EQ(vendors.find(*parse_mac("aa:bb:cc:00:00:01")), "Big Company");
  EXPECT_EQ(vendors.find(*parse_mac("aa:bb:cc:12:34:56")), "Small, Inc.");
  EXPECT_EQ(vendors.find(*parse_mac("aa:bb:cd:12:34:56")), "");
}

}  // namespace
}  // namespace weir

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
  inventory.see(arp(19, fixed(1), "10.9.0.1"));
  EXPECT_THAT(events(inventory), IsEmpty());
  inventory.advance(at(20));
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
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.1"));
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

TEST(Inventory, FurtherAddressIsAddedAndTheFirstStays) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.finish();
  events(inventory);
  for (int s = 10; s < 100; s += 10)
    inventory.see(arp(s, fixed(1), s % 20 == 0 ? "10.9.0.1" : "10.9.0.9", Claim::told));
  const std::vector<Change> changes = inventory.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(name_of(changes[0].change), "address");
  EXPECT_EQ(changes[0].before, "");
  EXPECT_EQ(changes[0].after, "10.9.0.9");
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.1"));
}

TEST(Inventory, LeasedAddressComesInThePlaceOfTheLast) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1", Claim::leased));
  inventory.see(arp(1, fixed(1), "10.9.0.1"));
  inventory.finish();
  events(inventory);
  inventory.see(arp(100, fixed(1), "10.9.0.7", Claim::leased));
  const std::vector<Change> changes = inventory.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].before, "10.9.0.1");
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.7"));
}

TEST(Inventory, AddressThatDoesNotAnswerTheSweepIsInUseNoMore) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1", Claim::told));
  inventory.finish();
  inventory.see(arp(100, fixed(1), "10.9.0.7", Claim::told));
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.1"));
  inventory.swept(at(99), at(102), [](const Addr&) { return true; });
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.9.0.7"));
  EXPECT_EQ(inventory.find("10.9.0.1")->id, 1U);
}

TEST(Inventory, ThisMachineIsNeverGone) {
  Inventory inventory;
  inventory.set_self({fixed(1)});
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.see(arp(0, fixed(2), "10.9.0.2"));
  inventory.finish();
  events(inventory);
  inventory.advance(at(100'000));
  inventory.swept(at(100'001), at(100'002), [](const Addr&) { return true; });
  EXPECT_THAT(events(inventory), ElementsAre("gone 2"));
}

TEST(Inventory, WhileNobodyCouldBeSeenNobodyIsMissed) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.finish();
  events(inventory);
  for (int s = 1; s < 5000; ++s) {
    if (s < 4000) inventory.was_blind(at(s));
    inventory.advance(at(s));
  }
  const std::vector<Change> changes = inventory.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].time, at(3999 + 600));
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

TEST(Inventory, WhoWasKnownByAnAddressAloneIsWhoeverShowsAHardwareAddressWithIt) {
  Inventory inventory;
  inventory.see(arp(0, fixed(1), "fe80::1"));
  inventory.see(
      {.time = at(1), .ip = ip("10.9.0.1"), .facts = {{FactKind::role, "dhcp_server", "dhcp", {}}}});
  inventory.see(arp(2, fixed(1), "10.9.0.1"));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1"));
  EXPECT_EQ(inventory.devices().at(1).addresses.size(), 2U);
  EXPECT_NE(inventory.devices().at(1).find(FactKind::role), nullptr);
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
  inventory.find(3U)->trust.dhcp_server = true;
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
  EXPECT_THAT(events(inventory), ElementsAre("authorised 2"));
  inventory.see(arp(3, fixed(2), "10.9.0.8"));
  EXPECT_THAT(events(inventory), IsEmpty());
}

TEST(Inventory, WhoeverAsksMayBeThere) {
  Inventory inventory;
  inventory.set_self({fixed(2)});
  inventory.see(arp(0, fixed(1), "10.9.0.1"));
  inventory.find(1U)->policy = Policy::approved;
  inventory.see(arp(1, fixed(2), "10.9.0.2"));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1", "new 2"));
  inventory.find(2U)->policy = Policy::forbidden;
  EXPECT_EQ(inventory.authorised(inventory.devices().at(2)), false);
}

TEST(Inventory, AnswersForOthersMakeAProxyAndNothingElse) {
  Inventory inventory({.gone_after = seconds(0)});
  for (std::uint8_t n = 1; n <= 6; ++n) inventory.see(arp(n, fixed(n), "10.9.0." + std::to_string(n)));
  inventory.finish();
  events(inventory);
  for (int day = 1; day < 20; ++day)
    for (int n = 1; n <= 5; ++n) {
      const std::string address = "10.9.0." + std::to_string(n);
      inventory.see(arp(day * 1000 + n, fixed(6), address, Claim::told));
      inventory.see(arp(day * 1000 + 100 + n, fixed(static_cast<std::uint8_t>(n)), address, Claim::told));
    }
  const auto all = events(inventory);
  EXPECT_EQ(std::ranges::count(all, "proxy 6"), 1);
  // Whoever takes an address or two of others' may be a forger: that was told before it was known.
  EXPECT_LE(all.size(), 4U) << testing::PrintToString(all);
  EXPECT_EQ(inventory.devices().size(), 6U);
  EXPECT_EQ(inventory.find("10.9.0.3")->id, 3U);
  EXPECT_EQ(inventory.devices().at(6).address(), ip("10.9.0.6"));
  EXPECT_EQ(inventory.devices().at(6).addresses.size(), 1U);
}

TEST(Inventory, WhoAnswersForAWholeNetworkHasOneAddress) {
  Inventory inventory;
  for (int i = 1; i < 200; ++i)
    inventory.see(arp(i / 50, fixed(1), "10.8.0." + std::to_string(i), Claim::told));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 1", "proxy 1"));
  EXPECT_EQ(inventory.devices().at(1).address(), ip("10.8.0.1"));
  EXPECT_EQ(inventory.devices().at(1).addresses.size(), 1U);
  // Others there have the addresses that are theirs.
  inventory.see(arp(100, fixed(2), "10.8.0.77", Claim::told));
  inventory.see(arp(100, fixed(1), "10.8.0.77", Claim::told));
  inventory.finish();
  EXPECT_THAT(events(inventory), ElementsAre("new 2"));
}

TEST(Inventory, MakesRoomForOthersWhenFull) {
  Inventory inventory({.most_devices = 3, .most_holders = 10});
  for (std::uint8_t i = 1; i <= 3; ++i) inventory.see(arp(i, fixed(i), "10.9.0." + std::to_string(i)));
  inventory.advance(at(60));
  inventory.find(2U)->label = "kept";
  inventory.see(arp(1000, fixed(3), "10.9.0.3"));  // 1 and 2 are gone
  inventory.see(arp(1001, fixed(4), "10.9.0.4"));
  EXPECT_EQ(inventory.devices().size(), 3U);
  EXPECT_FALSE(inventory.devices().contains(1));
  EXPECT_EQ(inventory.forgotten(), 1U);
  for (int i = 0; i < 1000; ++i)
    inventory.see(arp(1100 + i, fixed(3), "10.7." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
  EXPECT_LE(inventory.holders().size(), 10U);
}

TEST(Inventory, IsBounded) {
  Inventory inventory({.most_devices = 2, .most_of_a_kind = 4});
  for (std::uint8_t i = 1; i < 10; ++i) inventory.see(arp(i, fixed(i), "10.9.0." + std::to_string(i)));
  EXPECT_EQ(inventory.devices().size(), 2U);
  EXPECT_EQ(inventory.refused(), 7U);
  for (int i = 0; i < 100; ++i) inventory.see(arp(20, fixed(1), "10.8.0." + std::to_string(i)));
  EXPECT_LE(inventory.devices().at(1).addresses.size(), 4U);
}

TEST(Inventory, OneKeyWithManyHardwareAddressesIsBounded) {
  constexpr std::size_t most = 4;
  for (const bool settled : {false, true})
    for (const bool seen_before : {false, true}) {
      Inventory inventory({.most_of_a_kind = most});
      inventory.see(told(0, fixed(1), FactKind::client_id, "0061"));
      if (settled) inventory.advance(at(60));
      for (std::uint8_t i = 2; i < 100; ++i) {
        if (seen_before)
          inventory.see(arp(61, fixed(i), "10.9.0." + std::to_string(i)));  // merged by the key
        Sighting sighting = told(61, fixed(i), FactKind::client_id, "0061");
        sighting.facts.push_back({FactKind::name, "name" + std::to_string(i), "dhcp", {}});
        inventory.see(sighting);
      }
      ASSERT_EQ(inventory.devices().size(), 1U);
      const KnownDevice& device = inventory.devices().begin()->second;
      EXPECT_LE(device.macs.size(), most);
      EXPECT_TRUE(device.macs.contains(fixed(99)));
      EXPECT_LE(device.addresses.size(), most);
      EXPECT_LE(device.facts.size(), most + 1);  // of names, and the key
      EXPECT_NE(inventory.find("name99"), nullptr);
    }
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
  // Another program has said something of a device meanwhile.
  {
    auto watcher = InventoryFile::open(folder.path(), InventoryFile::Mode::change);
    ASSERT_TRUE(watcher);
    Inventory watched;
    ASSERT_TRUE(watcher->load(watched));
    auto editor = InventoryFile::open(folder.path(), InventoryFile::Mode::edit);
    ASSERT_TRUE(editor);
    Inventory edited;
    ASSERT_TRUE(editor->load(edited));
    edited.find(2U)->policy = Policy::approved;
    edited.find(2U)->tags = {"attic"};
    ASSERT_TRUE(editor->save_policy(*edited.find(2U)));
    watched.see(arp(50, fixed(2), "10.9.0.2"));
    ASSERT_TRUE(watcher->save(watched, {}));
    EXPECT_EQ(watched.find(2U)->policy, Policy::approved);
    Inventory last;
    ASSERT_TRUE(watcher->load(last));
    EXPECT_EQ(last.find(2U)->policy, Policy::approved);
    EXPECT_EQ(last.find(2U)->tags, std::vector<std::string>{"attic"});
    EXPECT_EQ(last.find(2U)->addresses.at(ip("10.9.0.2")).how, Holding::How::used);
  }
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

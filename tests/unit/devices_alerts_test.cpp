#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "devices/device_records.hpp"
#include "devices/inventory_file.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t hour = 3600, day = 24 * hour;

Time at(std::int64_t s) {
  return Time{} + seconds(1'000'000 + s);
}
Mac fixed(std::uint8_t n) {
  return Mac{{0, 0, 0, 0, 0, n}};
}
Addr ip(std::string_view text) {
  return *parse_addr(text);
}
Sighting arp(std::int64_t s, std::uint8_t who, std::string_view address, Claim claim = Claim::asked) {
  return {.time = at(s), .mac = fixed(who), .ip = ip(address), .claim = claim, .evidence = "arp"};
}
// Of the DHCP server 10.9.0.N, or of a router.
Sighting serves(std::int64_t s, std::uint8_t n, bool router = false) {
  Sighting seen = arp(s, n, "10.9.0." + std::to_string(n));
  seen.facts = {{FactKind::role, router ? "router" : "dhcp_server", router ? "ndp" : "dhcp", {}}};
  seen.evidence = "offer";
  return seen;
}

std::vector<std::string> messages(Inventory& inventory) {
  std::vector<std::string> all;
  Arena texts;
  for (const AlertChange& change : inventory.take_alerts()) {
    const Alert alert = alert_record(inventory, change, texts);
    all.push_back(std::string(alert.state) + " " + std::string(alert.rule) + " " +
                  std::string(alert.message.substr(alert.message.rfind(": ") + 2)));
  }
  return all;
}

std::string approved = "approved, or on the allow list";

TEST(DeviceAlerts, UnauthorisedIsTheAlertOfEveryStay) {
  Inventory inventory;
  inventory.set_allowed([](const KnownDevice& d) { return d.addresses.contains(ip("10.9.0.1")); });
  const std::string raised = "raised unauthorised neither approved nor on the allow list";
  inventory.see(arp(0, 1, "10.9.0.1"));
  inventory.see(arp(0, 2, "10.9.0.2"));
  inventory.advance(at(60));
  EXPECT_THAT(messages(inventory), ElementsAre(raised));
  inventory.see(arp(61, 2, "10.9.0.2"));
  inventory.see(arp(62, 2, "10.9.0.22"));
  EXPECT_THAT(messages(inventory), IsEmpty());
  inventory.advance(at(1000));
  EXPECT_THAT(messages(inventory),
              ElementsAre("cleared unauthorised gone, quiet for longer than it ever was"));
  inventory.see(arp(1001, 2, "10.9.0.2"));
  EXPECT_THAT(messages(inventory), ElementsAre(raised));
  inventory.set_policy(2, Policy::approved, "", {});
  inventory.review(at(1002));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared unauthorised " + approved));
  inventory.set_policy(1, Policy::forbidden, "", {});  // whatever the list says
  inventory.see(arp(1003, 1, "10.9.0.1"));
  EXPECT_THAT(messages(inventory), ElementsAre("raised unauthorised forbidden"));
}

TEST(DeviceAlerts, RogueServerIsToldOnceUntilItIsApproved) {
  Inventory inventory;
  inventory.see(serves(0, 1));
  inventory.see(serves(1, 2));
  inventory.see(serves(2, 1));
  inventory.see(serves(3, 2));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer"));
  inventory.finish();
  inventory.set_policy(1, Policy::approved, "", {});
  inventory.set_policy(2, Policy::approved, "", {});
  inventory.review(at(4));
  EXPECT_THAT(messages(inventory), IsEmpty()) << "it may be there, which makes no server of it";
  inventory.set_policy(2, Policy::approved, "", {}, {.router = true});
  inventory.review(at(4));
  EXPECT_THAT(messages(inventory), IsEmpty());
  inventory.set_policy(2, Policy::approved, "", {}, {.dhcp_server = true});
  inventory.review(at(4));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared rogue_dhcp trusted as dhcp_server"));
  inventory.see(serves(5, 2));
  EXPECT_THAT(messages(inventory), IsEmpty());
  inventory.see(serves(6, 1));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer"))
      << "that it was first counts no more";
}

TEST(DeviceAlerts, WhoMayBeThereIsNoServerForIt) {
  Inventory inventory;
  const auto all = [](const KnownDevice&) { return true; };
  inventory.set_allowed(all);
  inventory.see(serves(0, 1));
  inventory.see(serves(1, 1, true));
  EXPECT_THAT(messages(inventory), IsEmpty()) << "the first, and nobody has said who may";
  inventory.see(serves(2, 2));
  inventory.see(serves(3, 2, true));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer", "raised rogue_ra offer"));
  inventory.set_trusted(
      [](const KnownDevice& d) { return Trust{.router = d.addresses.contains(ip("10.9.0.2"))}; },
      {.router = true});
  inventory.review(at(4));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared rogue_ra trusted as router"));
  inventory.see(serves(5, 1, true));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_ra offer"));
}

TEST(DeviceAlerts, StrangerThatWasFirstIsNoRival) {
  Inventory inventory;
  inventory.see(serves(0, 1));
  inventory.see(arp(1, 2, "10.9.0.2"));
  inventory.finish();
  inventory.set_policy(2, Policy::approved, "", {});
  inventory.see(serves(2, 2));
  inventory.see(serves(3, 1));
  std::vector<std::string> told;
  for (const std::string& message : messages(inventory))
    if (message.find("rogue") != std::string::npos) told.push_back(message);
  EXPECT_THAT(told, ElementsAre("raised rogue_dhcp offer"));
  EXPECT_EQ(inventory.alerts().count({DeviceChange::rogue_dhcp, 1, {}}), 1U);
}

TEST(DeviceAlerts, WhoWasApprovedInOlderInventoriesServesOn) {
  const TempFolder folder;
  {
    Inventory before;
    auto file = InventoryFile::open(folder.path(), InventoryFile::Mode::change);
    ASSERT_TRUE(file && file->load(before));
    before.see(serves(0, 1));
    before.see(arp(0, 2, "10.9.0.2"));
    before.set_policy(1, Policy::approved, "", {});
    before.set_policy(2, Policy::approved, "", {});
    before.finish();
    ASSERT_TRUE(file->save(before, {}));
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path() + "/inventory.sqlite").c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "PRAGMA user_version = 0", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  for (int time = 0; time < 2; ++time) {
    Inventory after;
    auto file = InventoryFile::open(folder.path(), InventoryFile::Mode::change);
    ASSERT_TRUE(file && file->load(after));
    const Trust first = after.find(1U)->trust, second = after.find(2U)->trust;
    EXPECT_TRUE(first.dhcp_server == (time == 0) && !first.router && !second.dhcp_server);
    after.find(1U)->trust = {};
    ASSERT_TRUE(file->save_policy(*after.find(1U))) << "taken away, it stays so";
  }
}

TEST(DeviceAlerts, PoliciesOfOthersAreReviewedInTime) {
  Inventory inventory;
  inventory.see(arp(0, 1, "10.9.0.1"));
  inventory.see(arp(0, 2, "10.9.0.2"));
  inventory.set_policy(1, Policy::approved, "", {});
  inventory.advance(at(30));
  EXPECT_THAT(messages(inventory), ElementsAre("raised unauthorised neither approved nor on the allow list"));
  inventory.set_policy(2, Policy::ignored, "", {});
  inventory.advance(at(31));  // it is not seen again
  EXPECT_THAT(messages(inventory), ElementsAre("cleared unauthorised ignored"));
}

TEST(DeviceAlerts, RogueServerThatServesNoMoreIsNone) {
  Inventory inventory({.gone_after = seconds(0)});
  inventory.see(serves(0, 1));
  inventory.see(serves(1, 2));
  inventory.advance(at(day));
  inventory.take_changes();
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer"));
  inventory.see(serves(day, 2));
  inventory.advance(at(2 * day - 1));
  EXPECT_THAT(messages(inventory), IsEmpty());
  inventory.was_blind(at(2 * day - 1));
  inventory.advance(at(2 * day + 1));
  EXPECT_THAT(messages(inventory), IsEmpty()) << "nobody could have seen it";
  inventory.advance(at(3 * day));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared rogue_dhcp it has served nobody for a day"));
  inventory.see(serves(3 * day + 1, 2));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer"));
  EXPECT_EQ(inventory.take_changes().size(), 1U) << "and an event";
}

TEST(DeviceAlerts, RouterTakesItsWordBack) {
  Inventory inventory;
  inventory.see(serves(0, 1, true));
  inventory.see(serves(1, 2, true));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_ra offer"));
  Sighting last = arp(2, 1, "10.9.0.1");
  last.withdrawn = DeviceChange::rogue_ra;
  inventory.see(last);
  EXPECT_THAT(messages(inventory), IsEmpty()) << "it was none";
  last = arp(3, 2, "10.9.0.2");
  last.withdrawn = DeviceChange::rogue_ra;
  inventory.see(last);
  EXPECT_THAT(messages(inventory), ElementsAre("cleared rogue_ra it has taken its word back"));
}

TEST(DeviceAlerts, ConflictLastsUntilOneIsGoneOrIgnored) {
  Inventory inventory;
  const auto conflict = [&](std::int64_t s) {
    inventory.see(arp(s, 1, "10.9.0.9", Claim::told));
    inventory.see(arp(s + 1, 2, "10.9.0.9", Claim::told));
  };
  conflict(0);
  conflict(100);
  inventory.finish();
  EXPECT_THAT(messages(inventory), ElementsAre("raised duplicate_ip arp"));
  inventory.set_policy(1, Policy::approved, "", {});
  inventory.set_policy(2, Policy::approved, "", {});
  inventory.review(at(110));
  EXPECT_THAT(messages(inventory), IsEmpty()) << "both may be there, and still have one address";
  for (int s = 200; s < 1000; s += 100) inventory.see(arp(s, 1, "10.9.0.9", Claim::told));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared duplicate_ip one of them is gone"));
  conflict(1000);
  EXPECT_THAT(messages(inventory), ElementsAre("raised duplicate_ip arp"));
  inventory.set_policy(2, Policy::ignored, "", {});
  inventory.review(at(1001));
  EXPECT_THAT(messages(inventory), ElementsAre("cleared duplicate_ip one of them is ignored"));
  inventory.take_changes();
  conflict(1100);
  EXPECT_THAT(messages(inventory), IsEmpty());
  for (const Change& change : inventory.take_changes()) EXPECT_NE(change.change, DeviceChange::duplicate_ip);
}

TEST(DeviceAlerts, SweepsEndAConflictAfterADay) {
  Inventory inventory({.gone_after = seconds(0)});
  inventory.see(arp(0, 1, "10.9.0.9", Claim::told));
  inventory.see(arp(1, 2, "10.9.0.9", Claim::told));
  const auto none = [](const Addr&) { return false; };
  const auto all = [](const Addr&) { return true; };
  EXPECT_THAT(messages(inventory), ElementsAre("raised duplicate_ip arp"));
  inventory.was_blind(at(2 * day));
  inventory.swept(at(2 * day), at(2 * day + 2), none);
  EXPECT_THAT(messages(inventory), IsEmpty());
  inventory.see(arp(2 * day, 1, "10.9.0.9", Claim::told));
  inventory.see(arp(2 * day + 10, 2, "10.9.0.99", Claim::told));
  inventory.swept(at(2 * day), at(2 * day + 20), all);
  EXPECT_THAT(messages(inventory), ElementsAre("cleared duplicate_ip one alone has had it for a day"));
}

TEST(DeviceAlerts, ProxyExplainsConflicts) {
  Inventory inventory;
  for (const std::uint8_t n : {std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{4}}) {
    inventory.see(arp(n, n, "10.9.0." + std::to_string(n)));
    inventory.see(arp(n, n, "10.9.0." + std::to_string(n), Claim::told));
    inventory.see(arp(n + 1, 9, "10.9.0." + std::to_string(n), Claim::told));
  }
  EXPECT_THAT(messages(inventory), IsEmpty());
  EXPECT_TRUE(inventory.alerts().empty());
}

TEST(DeviceAlerts, OfTwoThatAreOneGoWithIt) {
  Inventory inventory;
  inventory.see(serves(0, 1));
  inventory.see(arp(1, 3, "10.9.0.3"));
  inventory.see(serves(2, 2));
  Sighting same{.time = at(3), .mac = fixed(2), .facts = {{FactKind::chassis, "one", "lldp", {}}}};
  inventory.see(same);
  same.mac = fixed(3);
  inventory.see(same);
  ASSERT_EQ(inventory.alerts().size(), 1U);
  EXPECT_EQ(inventory.alerts().begin()->second.device, 2U);
  inventory.see(serves(4, 2));
  EXPECT_THAT(messages(inventory), ElementsAre("raised rogue_dhcp offer"));
}

TEST(DeviceAlerts, StandAfterTheyWereKept) {
  const TempFolder folder;
  const auto open = [&](Inventory& inventory) {
    auto file = InventoryFile::open(folder.path(), InventoryFile::Mode::change);
    EXPECT_TRUE(file && file->load(inventory));
    return std::move(*file);
  };
  {
    Inventory before;
    auto file = open(before);
    before.see(serves(0, 1));
    before.see(serves(1, 2));
    before.see(arp(2, 1, "10.9.0.9", Claim::told));
    before.see(arp(3, 2, "10.9.0.9", Claim::told));
    before.finish();
    EXPECT_EQ(messages(before).size(), 2U);
    ASSERT_TRUE(file.save(before, before.take_changes()));
  }
  {
    Inventory after;
    auto file = open(after);
    ASSERT_EQ(after.alerts().size(), 2U);
    const StandingAlert& conflict = after.alerts().begin()->second;
    EXPECT_EQ(conflict.rule->change, DeviceChange::duplicate_ip);
    EXPECT_EQ(conflict.rival, fixed(1));
    EXPECT_EQ(conflict.since, at(3));
    after.see(serves(10, 2));
    EXPECT_THAT(messages(after), IsEmpty());
    after.set_policy(1, Policy::approved, "", {});
    after.set_policy(2, Policy::approved, "", {}, {.dhcp_server = true});
    ASSERT_TRUE(file.save_policy(*after.find(1U)) && file.save_policy(*after.find(2U)));
    after.finish();
    EXPECT_THAT(messages(after), ElementsAre("cleared rogue_dhcp trusted as dhcp_server"));
    ASSERT_TRUE(file.save(after, after.take_changes()));
  }
  Inventory last;
  const auto file = open(last);
  EXPECT_EQ(last.alerts().size(), 1U);
}

}  // namespace
}  // namespace weir

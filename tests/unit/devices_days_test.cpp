// Weeks of a household's network, minute by minute: what is told of it, and above all what is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "devices/inventory.hpp"

namespace weir {
namespace {

constexpr int minute = 60, hour = 3600, day = 24 * hour, days = 28;

Mac fixed(std::uint8_t n) {
  return Mac{{0x00, 0x11, 0x22, 0, 0, n}};
}
Addr lan(unsigned n) {
  return *parse_addr("10.9.0." + std::to_string(n));
}

// A Monday 00:00, and what has been told since, by kind and the end of a hardware address.
class Weeks {
 public:
  Inventory inventory;
  std::map<std::string, int> told;

  static Time at(int s) { return Time{} + seconds(1'699'833'600 + s); }
  void ask(int s, Mac mac, unsigned address) {
    see({.time = at(s), .mac = mac, .ip = lan(address), .claim = Claim::asked});
  }
  void answer(int s, Mac mac, unsigned address) {
    see({.time = at(s), .mac = mac, .ip = lan(address), .claim = Claim::told});
  }
  void see(const Sighting& sighting) {
    inventory.see(sighting);
    take();
  }
  void take() {
    for (const Change& change : inventory.take_changes()) {
      const Mac mac = inventory.devices().at(change.device).macs.begin()->first;
      ++told[std::string(name_of(change.change)) + " " + std::to_string(mac.bytes[5])];
    }
  }
  int count(const std::string& kind) const {
    int all = 0;
    for (const auto& [what, times] : told)
      if (what.starts_with(kind + " ")) all += times;
    return all;
  }
};

bool night(int s) {
  return s % day < 7 * hour || s % day >= 23 * hour;
}
bool office(int s) {
  return s / day % 7 < 5 && s % day >= 9 * hour && s % day < 18 * hour;
}

TEST(DeviceDays, SleepersAreLearned) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += minute) {
    weeks.ask(s, fixed(1), 1);                                        // a gateway
    if (!night(s)) weeks.ask(s, fixed(2), 2);                         // a television
    if (office(s)) weeks.ask(s, fixed(3), 3);                         // a laptop, not at weekends
    if (s % (17 * minute) == 0) weeks.ask(s, fixed(4), 4);            // a sensor that wakes
    if (s / day % 7 == 0 && s % day == 0) weeks.ask(s, fixed(5), 5);  // a backup once a week
  }
  EXPECT_EQ(weeks.count("new"), 5);
  EXPECT_EQ(weeks.told["gone 1"], 0);
  EXPECT_LE(weeks.told["gone 2"], 1);
  EXPECT_LE(weeks.told["gone 3"], 2) << "a night and a weekend";
  EXPECT_LE(weeks.told["gone 4"], 1);
  EXPECT_LE(weeks.told["gone 5"], 1);
}

TEST(DeviceDays, FlappingIsTold) {
  Weeks weeks;
  std::mt19937 random(7);
  int back = 0, gone = 0;
  for (int s = 0; s < days * day; s += minute) {
    weeks.ask(s, fixed(1), 1);
    if (back <= s && s < gone) weeks.ask(s, fixed(2), 2);
    if (gone <= s) {
      back = s + static_cast<int>(random() % 40) * minute;
      gone = back + static_cast<int>(random() % 20 + 1) * minute;
    }
  }
  EXPECT_EQ(weeks.count("new"), 2);
  EXPECT_GE(weeks.count("gone"), 1);
  EXPECT_LE(weeks.count("gone"), 4) << "of hundreds of absences";
  // When it has stopped, its absence is told again, after a day.
  for (int s = days * day; s < (days + 3) * day; s += minute) weeks.ask(s, fixed(1), 1);
  EXPECT_TRUE(weeks.inventory.find("10.9.0.2")->gone);
}

TEST(DeviceDays, PhonesMakeUpHardwareAddressesAndStayThemselves) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += minute) {
    weeks.ask(s, fixed(1), 1);
    const int today = s / day;
    if (night(s)) continue;
    // By client identifier, and by name and DHCP fingerprint alone. ARP comes before DHCP.
    for (const unsigned phone : {1U, 2U}) {
      const Mac mac{{0x02, static_cast<std::uint8_t>(phone), 0, 0, 0, static_cast<std::uint8_t>(today)}};
      weeks.ask(s, mac, 10 + phone);
      if (s % day != 7 * hour) continue;
      Sighting request{.time = Weeks::at(s + 2), .mac = mac};
      if (phone == 1) request.facts.push_back({FactKind::client_id, "00aabbccdd", "dhcp", {}});
      request.facts.push_back({FactKind::name, phone == 1 ? "iPhone" : "Annas-Galaxy", "dhcp", {}});
      request.facts.push_back({FactKind::fingerprint, "1,3,6,15", "dhcp", {}});
      weeks.see(request);
    }
  }
  EXPECT_EQ(weeks.count("new"), 3) << testing::PrintToString(weeks.told);
  EXPECT_EQ(weeks.inventory.devices().size(), 3U);
  EXPECT_LE(weeks.count("mac"), 8) << "told until it is a habit";
  EXPECT_EQ(weeks.count("duplicate_ip") + weeks.count("arp_flip_flop"), 0);
}

TEST(DeviceDays, SleepProxyAnswersForOthers) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += minute) {
    weeks.ask(s, fixed(1), 1);
    weeks.ask(s, fixed(9), 9);
    for (unsigned n = 2; n <= 6; ++n)
      if (!night(s))
        weeks.ask(s, fixed(static_cast<std::uint8_t>(n)), n);
      else if (s % hour == 0)
        weeks.answer(s, fixed(9), n);
  }
  EXPECT_EQ(weeks.count("new"), 7);
  EXPECT_EQ(weeks.told["proxy 9"], 1) << testing::PrintToString(weeks.told);
  EXPECT_LE(weeks.count("duplicate_ip") + weeks.count("arp_flip_flop"), 2);
  EXPECT_LE(weeks.count("address"), 2) << testing::PrintToString(weeks.told);
  EXPECT_LE(weeks.count("gone"), 5);
  for (unsigned n = 2; n <= 6; ++n)
    EXPECT_TRUE(weeks.inventory.find(to_string(lan(n)))->macs.contains(fixed(static_cast<std::uint8_t>(n))));
}

TEST(DeviceDays, SleepProxyOfOneIsToldOnce) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += minute) {
    weeks.ask(s, fixed(1), 1);
    weeks.ask(s, fixed(9), 9);
    if (!night(s))
      weeks.ask(s, fixed(2), 2);
    else if (s % hour == 0)
      weeks.answer(s, fixed(9), 2);
  }
  EXPECT_EQ(weeks.count("new"), 3);
  EXPECT_LE(weeks.count("duplicate_ip") + weeks.count("arp_flip_flop"), 1)
      << testing::PrintToString(weeks.told);
}

TEST(DeviceDays, LeasesMoveInPeace) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += 10 * minute) {
    weeks.ask(s, fixed(1), 1);
    // Every three days a server gives the two each other's address.
    const bool turned = s / day / 3 % 2 == 1;
    for (const std::uint8_t n : {std::uint8_t{2}, std::uint8_t{3}}) {
      const unsigned address = turned ? 5U - n : n;
      if (s % (3 * day) == 0)
        weeks.see({.time = Weeks::at(s),
                   .mac = fixed(n),
                   .ip = lan(address),
                   .claim = Claim::leased,
                   .alive = false});
      weeks.ask(s + 1, fixed(n), address);
    }
  }
  EXPECT_EQ(weeks.count("new"), 3);
  EXPECT_EQ(weeks.count("duplicate_ip") + weeks.count("arp_flip_flop"), 0)
      << testing::PrintToString(weeks.told);
  EXPECT_LE(weeks.count("address"), 2) << "each was given one that it had not had";
}

// Sweeps from a clock: nobody is seen between them.
TEST(DeviceDays, SweepsMissWhoIsGoneAndLearnWhoSleeps) {
  Weeks weeks;
  for (int s = 0; s < days * day; s += 10 * minute) {
    weeks.inventory.was_blind(Weeks::at(s));
    weeks.answer(s, fixed(1), 1);
    if (!night(s)) weeks.answer(s, fixed(2), 2);
    if (s < 5 * day) weeks.answer(s, fixed(3), 3);
    weeks.inventory.swept(Weeks::at(s), Weeks::at(s + 2), [](const Addr&) { return true; });
    weeks.take();
  }
  EXPECT_EQ(weeks.count("new"), 3);
  EXPECT_LE(weeks.told["gone 2"], 1);
  EXPECT_EQ(weeks.told["gone 3"], 1);
}

}  // namespace
}  // namespace weir

#include "engine/packet_times.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int stamps_none = 0, stamps_all = 1;  // HWTSTAMP_FILTER_…

StampFacts card(std::string name, int received, Duration lead) {
  return {.interface = std::move(name),
          .ability = StampAbility{.hardware = true, .every = true, .clock = 0},
          .setting = StampSetting{.received = received},
          .lead = lead};
}

std::string refusal(const std::vector<StampFacts>& interfaces) {
  const auto choice = choose_times(PacketTimes::hardware, interfaces);
  if (choice) return "none";
  EXPECT_EQ(choice.error().code, Code::usage);
  return choice.error().where + ": " + choice.error().what;
}

TEST(PacketTimes, KernelsUnlessSomebodyHasSeenToTheCards) {
  const auto automatic = [](const std::vector<StampFacts>& interfaces) {
    const auto choice = choose_times(PacketTimes::automatic, interfaces);
    EXPECT_TRUE(choice && choice->to_set.empty());
    return choice && choice->hardware;
  };
  EXPECT_TRUE(automatic({card("eth0", stamps_all, Duration{900'000})}));
  EXPECT_TRUE(automatic({card("eth0", stamps_all, Duration{-900'000}), card("eth1", stamps_all, {})}));
  EXPECT_FALSE(automatic({card("eth0", stamps_none, {})})) << "it would have to be set";
  EXPECT_FALSE(automatic({card("eth0", stamps_all, milliseconds(-2))}));
  EXPECT_FALSE(automatic({card("eth0", stamps_all, seconds(37))})) << "atomic time";
  EXPECT_FALSE(automatic({card("eth0", stamps_all, {}), {.interface = "veth0"}})) << "two clocks";
  StampFacts unread = card("eth0", stamps_all, {});
  unread.lead.reset();
  EXPECT_FALSE(automatic({unread}));
  EXPECT_FALSE(automatic({}));
}

TEST(PacketTimes, KernelsWhenAskedFor) {
  const auto choice = choose_times(PacketTimes::kernel, {card("eth0", stamps_all, {})});
  ASSERT_TRUE(choice);
  EXPECT_FALSE(choice->hardware);
}

TEST(PacketTimes, CardsWhenAskedForAreSetAsFarAsNeeded) {
  const auto choice = choose_times(PacketTimes::hardware, {card("eth0", stamps_all, seconds(37)),
                                                           card("eth1", stamps_none, seconds(-40))});
  ASSERT_TRUE(choice);
  EXPECT_TRUE(choice->hardware);
  EXPECT_EQ(choice->to_set, std::vector<std::string>{"eth1"});
  EXPECT_EQ(choice->lead, seconds(-40));
}

TEST(PacketTimes, CardsThatCannotAreNamed) {
  EXPECT_EQ(refusal({card("eth0", stamps_none, {}), {.interface = "veth0"}}),
            "veth0: its card makes no timestamps");
  StampFacts ptp = card("eth0", stamps_none, {});
  ptp.ability->every = false;
  EXPECT_EQ(refusal({ptp}), "eth0: its card makes timestamps of PTP's packets only");
  EXPECT_EQ(refusal({{.interface = "any"}}),
            "any: timestamps of cards are had from interfaces that are named");
}

TEST(PacketTimes, TheRestOfACardsSettingStays) {
  const StampSetting set = stamping_every({.flags = 1, .sent = 2, .received = stamps_none});
  EXPECT_EQ(set, (StampSetting{.flags = 1, .sent = 2, .received = stamps_all}));
  EXPECT_TRUE(set.every());
}

TEST(PacketTimes, LoopbackHasNoCard) {
  const auto ability = stamp_ability("lo");
  EXPECT_FALSE(ability && ability->hardware);
  EXPECT_FALSE(stamp_ability("no such interface"));
  EXPECT_FALSE(stamp_setting("lo"));
}

}  // namespace
}  // namespace weir

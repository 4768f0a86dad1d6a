// Rates out of counters: no restart, wrap or gap may make a spike; interfaces keep their counters through
// renaming and lose them through replacement.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/counter_rates.hpp"
#include "engine/interface_watch.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Rates {
  Counter at(std::int64_t second, std::uint64_t in, std::uint64_t out, CounterReading reading = {}) {
    Counter c;
    c.in_bytes = in;
    c.out_bytes = out;
    if (!reading.narrow) {
      c.in_packets = in / 100;
      c.out_packets = out / 100;
    }
    c.speed = speed;
    reading.steady = Time{second * 1'000'000'000};
    rates.complete("eth0", c, reading);
    return c;
  }
  CounterRates rates;
  std::optional<std::uint64_t> speed = 1'000'000;
};

TEST(CounterRates, AreDifferencesOverTheTimeBetween) {
  Rates r;
  EXPECT_FALSE(r.at(0, 1'000, 5'000).interval);
  const Counter c = r.at(2, 26'000, 5'000);
  EXPECT_EQ(c.interval, seconds(2));
  EXPECT_EQ(c.in_bytes_delta, 25'000U);
  EXPECT_EQ(c.in_bits_per_second, 100'000.0);
  EXPECT_EQ(c.in_utilization, 10.0);
  EXPECT_EQ(c.in_packets_per_second, 125.0);
  EXPECT_EQ(c.out_bits_per_second, 0.0);
  EXPECT_FALSE(c.in_errors_per_second);  // nobody counts them
}

TEST(CounterRates, UtilisationNeedsASpeed) {
  Rates r;
  r.speed = std::nullopt;
  r.at(0, 0, 0);
  EXPECT_FALSE(r.at(1, 100, 100).in_utilization);
  r.speed = 0;
  EXPECT_FALSE(r.at(2, 200, 200).in_utilization);
}

TEST(CounterRates, ARestartIsNoDifference) {
  Rates r;
  r.at(0, 1'000'000, 1'000'000);
  EXPECT_FALSE(r.at(1, 100, 100).interval);
  EXPECT_EQ(r.at(2, 300, 200).in_bytes_delta, 200U);
}

TEST(CounterRates, OneDirectionGoneBackIsARestartOfBoth) {
  Rates r;
  r.at(0, 1'000'000, 1'000'000);
  EXPECT_FALSE(r.at(1, 100, 2'000'000).out_bytes_delta);
}

// Drivers that tell zeros for a moment.
TEST(CounterRates, ZerosInBetweenAreNoSpike) {
  Rates r;
  r.at(0, 1'000'000'000'000, 5'000);
  EXPECT_FALSE(r.at(1, 0, 0).interval);
  const Counter c = r.at(2, 1'000'000'000'500, 5'000);
  EXPECT_EQ(c.in_bytes_delta, 500U);
  EXPECT_EQ(c.interval, seconds(2));
}

TEST(CounterRates, AMakerThatRestartedIsBelieved) {
  Rates r;
  r.at(0, 100, 100);
  EXPECT_FALSE(r.at(1, 1'000'000, 1'000'000, {.restarted = true}).interval);
  EXPECT_EQ(r.at(2, 1'000'100, 1'000'000).in_bytes_delta, 100U);
}

TEST(CounterRates, NarrowCountersWrap) {
  Rates r;
  r.at(0, 4'294'967'000, 0, {.narrow = true});
  EXPECT_EQ(r.at(1, 704, 0, {.narrow = true}).in_bytes_delta, 1'000U);
}

TEST(CounterRates, AWrapThatTheLinkCannotCarryIsARestart) {
  Rates r;
  r.at(0, 3'000'000'000, 0, {.narrow = true});
  EXPECT_FALSE(r.at(1, 0, 0, {.narrow = true}).interval);
  EXPECT_EQ(r.at(2, 1'000, 0, {.narrow = true}).in_bytes_delta, 1'000U);
}

TEST(CounterRates, WideCountersDoNotWrap) {
  Rates r;
  r.at(0, 4'294'967'000, 0);
  EXPECT_FALSE(r.at(1, 704, 0).interval);
}

TEST(CounterRates, FromNarrowToWideThereIsNoDifference) {
  Rates r;
  r.at(0, 4'000'000'000, 0, {.narrow = true});
  EXPECT_FALSE(r.at(1, 90'000'000'000, 0).interval);
  EXPECT_EQ(r.at(2, 90'000'000'100, 0).in_bytes_delta, 100U);
}

TEST(CounterRates, TwoReadingsOfOneMomentAreOne) {
  Rates r;
  r.at(1, 0, 0);
  EXPECT_FALSE(r.at(1, 100, 0).interval);
  EXPECT_EQ(r.at(2, 200, 0).in_bytes_delta, 200U);
}

Link link(std::uint32_t index, std::string name, std::int64_t second, std::uint64_t bytes, bool up = true) {
  Link l;
  l.name = std::move(name);
  l.loopback = l.name == "lo";
  l.counter.interface = index;
  l.counter.up = up;
  l.counter.in_bytes = l.counter.out_bytes = bytes;
  l.steady = Time{second * 1'000'000'000};
  return l;
}
std::vector<std::string> names_of(const std::vector<Counter>& counters) {
  std::vector<std::string> out;
  for (const Counter& c : counters) out.emplace_back(c.name);
  return out;
}

TEST(InterfaceWatch, TakesAllButTheLoopbackAndLaterOnesAsWell) {
  InterfaceWatch watch({}, std::nullopt);
  std::vector<Link> links{link(1, "lo", 0, 0), link(2, "eth0", 0, 0)};
  EXPECT_THAT(names_of(watch.take(links)), ElementsAre("eth0"));
  EXPECT_THAT(watch.happened(), IsEmpty());
  links.push_back(link(3, "eth1", 1, 0));
  EXPECT_THAT(names_of(watch.take(links)), ElementsAre("eth0", "eth1"));
  EXPECT_THAT(watch.happened(), ElementsAre("eth1 is new"));
}

TEST(InterfaceWatch, GoesOnThroughANewName) {
  InterfaceWatch watch({"eth0"}, 1'000'000);
  const std::vector<Link> first{link(2, "eth0", 0, 1'000)}, second{link(2, "wan0", 1, 2'000)};
  watch.take(first);
  const auto counters = watch.take(second);
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0].in_bytes_delta, 1'000U);
  EXPECT_EQ(counters[0].speed, 1'000'000U);
  EXPECT_THAT(watch.happened(), ElementsAre("eth0 is called wan0 now"));
}

TEST(InterfaceWatch, BeginsAnewWithAnotherInterface) {
  InterfaceWatch watch({"eth0"}, std::nullopt);
  const std::vector<Link> first{link(2, "eth0", 0, 1'000)}, second{link(5, "eth0", 1, 900'000)};
  watch.take(first);
  const auto counters = watch.take(second);
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_FALSE(counters[0].in_bytes_delta);
  EXPECT_THAT(watch.happened(), ElementsAre("eth0 is another interface of that name now"));
}

TEST(InterfaceWatch, WaitsForOneThatWent) {
  InterfaceWatch watch({"eth0"}, std::nullopt);
  const std::vector<Link> there{link(2, "eth0", 0, 1'000)}, none, back{link(7, "eth0", 2, 50'000)};
  watch.take(there);
  EXPECT_THAT(watch.take(none), IsEmpty());
  EXPECT_THAT(watch.happened(), ElementsAre("eth0 is gone"));
  EXPECT_FALSE(watch.take(back)[0].in_bytes_delta);
  EXPECT_THAT(watch.happened(), ElementsAre("eth0 is back"));
}

TEST(InterfaceWatch, TellsWhoIsMissingAndWhoIsDown) {
  InterfaceWatch watch({"eth0", "eth9"}, std::nullopt);
  const std::vector<Link> up{link(2, "eth0", 0, 0)}, down{link(2, "eth0", 1, 0, false)};
  watch.take(up);
  EXPECT_THAT(watch.missing(), ElementsAre("eth9"));
  watch.take(down);
  EXPECT_THAT(watch.happened(), ElementsAre("eth0 is down"));
}

}  // namespace
}  // namespace weir

// Canaries: which cells, when, and what is known of each.
#include "probe/canaries.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

constexpr Time start{1'000'000'000'000};
constexpr Duration apart = milliseconds(2);

TEST(Canaries, ComeOncePerManyProbesAndNeverTooOften) {
  Canaries canaries(seconds(1), 7);
  canaries.begin(apart);
  canaries.begin_pass(0);
  EXPECT_FALSE(canaries.next(start, start, 0, false));  // nothing answers yet
  for (std::uint64_t cell = 0; cell < 64; ++cell) canaries.add(cell, cell);
  unsigned sent = 0;
  Time now = start;
  for (std::uint64_t probes = 0; probes < 10'000; ++probes) {
    now = now + Duration{100'000};  // 10,000/s
    if (const auto probe = canaries.next(now, now, probes, false)) {
      ++sent;
      canaries.answered(probe->cell, probe->mark, now + Duration{50'000});
    }
    canaries.judge(now);
  }
  EXPECT_NEAR(sent, 500, 150);
  EXPECT_EQ(canaries.tally().passes[0].answered, canaries.tally().passes[0].sent);
  EXPECT_NEAR(canaries.sample().rate, 10'000, 500);
}

TEST(Canaries, AreLostOnlyWhenTheReceiverHasLooked) {
  Canaries canaries(seconds(1), 7);
  canaries.begin(apart);
  canaries.begin_pass(3);
  canaries.add(5, 0);
  const auto lost = *canaries.next(start, start, 100, false);
  canaries.judge(start + milliseconds(999));
  EXPECT_EQ(canaries.tally().passes[3].sent, 0U);
  canaries.judge(start + milliseconds(1000));
  EXPECT_EQ(canaries.tally().passes[3].sent, 1U);
  EXPECT_EQ(canaries.tally().passes[3].answered, 0U);
  canaries.answered(lost.cell, lost.mark, start + seconds(2));  // too late
  EXPECT_EQ(canaries.tally().passes[3].answered, 0U);

  // Answers do not overtake: what is lost before is known first.
  const Time later = start + seconds(3);
  ASSERT_TRUE(canaries.next(later, later, 1000, false));
  const auto second = *canaries.next(later + milliseconds(5), later + milliseconds(5), 2000, false);
  EXPECT_FALSE(canaries.next(later + milliseconds(10), later, 3000, false));  // both marks are under way
  canaries.answered(second.cell, second.mark, later + milliseconds(6));
  canaries.judge(later + milliseconds(50));
  EXPECT_EQ(canaries.tally().passes[3].sent, 1U);
  canaries.judge(later + milliseconds(101));  // answers take 1 ms: RFC 6298 and the least wait
  EXPECT_EQ(canaries.tally().passes[3].sent, 3U);
  EXPECT_EQ(canaries.tally().passes[3].answered, 1U);
  EXPECT_EQ(canaries.slowest(), milliseconds(1));
}

TEST(Canaries, ThoseOfARateTooHighCanBeForgotten) {
  Canaries canaries(seconds(1), 7);
  canaries.begin(apart);
  canaries.begin_pass(0, 10'000);
  for (std::uint64_t cell = 0; cell < 8; ++cell) canaries.add(cell, cell);
  Time now = start;
  const auto send = [&](bool answered) {
    now = now + milliseconds(3);
    const auto probe = canaries.next(now, now, static_cast<std::uint64_t>(now.ns), false);
    ASSERT_TRUE(probe);
    if (answered) canaries.answered(probe->cell, probe->mark, now + milliseconds(1));
  };
  send(true);
  send(false);
  canaries.restart(2000);
  send(true);
  canaries.judge(now + seconds(2));
  EXPECT_EQ(canaries.tally().passes[0].sent, 3U);
  canaries.forget_above(2100);
  EXPECT_EQ(canaries.tally().passes[0].sent, 1U);
  EXPECT_EQ(canaries.tally().passes[0].answered, 1U);
}

TEST(Canaries, EveryHostHasOneBeforeAnyHasTwo) {
  Canaries canaries(seconds(1), 7);
  canaries.begin(Duration{});
  for (std::uint64_t cell = 0; cell < 100; ++cell) canaries.add(cell, 0);
  for (std::uint64_t host = 1; host < 60; ++host) canaries.add(1000 * host, host);
  std::set<std::uint64_t> hosts;
  Time now = start;
  for (std::uint64_t i = 0; i < 64; ++i) {
    now = now + milliseconds(5);
    const auto probe = canaries.next(now, now, i, true);
    ASSERT_TRUE(probe);
    hosts.insert(probe->cell / 1000);
  }
  EXPECT_EQ(hosts.size(), 60U);
}

TEST(Canaries, IdleOnesAndThoseOfAnotherRateAreNoSample) {
  Canaries canaries(seconds(1), 7);
  canaries.begin(Duration{});
  canaries.begin_pass(0);
  for (std::uint64_t cell = 0; cell < 10; ++cell) canaries.add(cell, cell);
  const auto send = [&](int ms, bool idle) {
    const Time at = start + milliseconds(ms);
    const auto probe = *canaries.next(at, at, static_cast<std::uint64_t>(ms) * 100, idle);
    canaries.answered(probe.cell, probe.mark, at);
  };
  send(0, false);
  send(10, true);
  canaries.judge(start + milliseconds(20));
  EXPECT_EQ(canaries.sample().sent, 1U);
  EXPECT_EQ(canaries.tally().idle.sent, 1U);
  send(30, false);
  canaries.restart(1000);
  send(40, false);
  canaries.judge(start + milliseconds(50));
  EXPECT_EQ(canaries.sample().sent, 1U);
  EXPECT_EQ(canaries.tally().passes[0].sent, 3U);
}

}  // namespace
}  // namespace weir

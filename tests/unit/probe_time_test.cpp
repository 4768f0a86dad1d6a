// Pacing, deadlines and round-trip times, all with a clock of the test's own.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "probe/pacer.hpp"
#include "probe/rtt.hpp"
#include "probe/timing_wheel.hpp"

namespace weir {
namespace {

TEST(Pacer, GivesItsRate) {
  for (const double rate : {0.5, 7.0, 10'000.0, 333'333.0, 3'000'000.0, 20'000'000.0}) {
    const Time start{5'000'000'000'000};
    Pacer pacer(rate, start);
    Time now = start;
    std::uint64_t tokens = 0;
    const auto wanted = static_cast<std::uint64_t>(rate < 100 ? 50 : 100'000);
    while (tokens < wanted) {
      now = std::max(now, pacer.next());
      tokens += pacer.take(now, 16);
    }
    // The first token comes at once.
    EXPECT_NEAR(static_cast<double>(tokens - 1) / (now - start).seconds(), rate, rate * 0.005) << rate;
  }
}

TEST(Pacer, NeverBurstsLongerThanAMillisecond) {
  Pacer pacer(10'000, Time{0});
  EXPECT_EQ(pacer.take(Time{0}, 1000), 1U);
  EXPECT_EQ(pacer.take(Time{99'000}, 1000), 0U);
  EXPECT_EQ(pacer.take(Time{100'000}, 1000), 1U);
  // A second of being suspended: the 10 of the last millisecond, and the one due now.
  const Time later{1'000'000'000};
  EXPECT_EQ(pacer.take(later, 1000), 11U);
  EXPECT_EQ(pacer.take(later, 1000), 0U);
  EXPECT_GT(pacer.next(), later);
  // A slow clock gives one, however long it waited.
  Pacer slow(2, Time{0});
  EXPECT_EQ(slow.take(Time{60'000'000'000}, 1000), 1U);
  EXPECT_EQ(slow.take(Time{60'000'000'000}, 1000), 0U);
}

TEST(Pacer, ChangesItsRateAndIgnoresTimeBeforeItsStart) {
  Pacer pacer(1000, Time{1'000'000'000});
  EXPECT_EQ(pacer.take(Time{0}, 5), 0U);
  EXPECT_EQ(pacer.take(Time{1'000'000'000}, 5), 1U);
  pacer.set_rate(1e6);
  EXPECT_DOUBLE_EQ(pacer.rate(), 1e6);
  EXPECT_EQ(pacer.take(Time{1'001'000'000}, 5), 1U);
  EXPECT_EQ(pacer.take(Time{1'001'003'000}, 5), 3U);
}

TEST(Pacer, IsSharedByThreads) {
  Pacer pacer(1e6, Time{0});
  std::atomic<std::uint64_t> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::int64_t us = 0; us < 20'000; ++us) taken += pacer.take(Time{us * 1000}, 3);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_LE(taken, 20'000U);  // one a microsecond, whatever the threads do
  EXPECT_GE(taken, 1'000U);
}

TEST(Rtt, FollowsRfc6298) {
  RttEstimator rtt({.initial = seconds(1), .least = {1}, .most = seconds(60)});
  EXPECT_EQ(rtt.timeout(), seconds(1));
  rtt.sample(milliseconds(100));
  EXPECT_EQ(rtt.smoothed(), milliseconds(100));
  EXPECT_EQ(rtt.timeout(), milliseconds(300));  // 100 + 4 * 50
  rtt.sample(milliseconds(180));
  EXPECT_EQ(rtt.variation().ns, 57'500'000);  // 50 + (80 - 50) / 4
  EXPECT_EQ(rtt.smoothed(), milliseconds(110));
  EXPECT_EQ(rtt.timeout(), milliseconds(340));
  rtt.back_off();
  EXPECT_EQ(rtt.timeout(), milliseconds(680));
  for (int i = 0; i < 20; ++i) rtt.back_off();
  EXPECT_EQ(rtt.timeout(), seconds(60));
  RttEstimator still({.initial = seconds(1), .least = {1}, .most = seconds(60)});
  for (int i = 0; i < 200; ++i) still.sample(milliseconds(10));
  EXPECT_EQ(still.timeout(), milliseconds(11));  // the clock's granularity is left
}

TEST(TimingWheel, ExpiresLikeASortedMap) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 40; ++round) {
    std::uint64_t now = random() >> (random() % 60);
    TimingWheel<int> wheel(now);
    std::multimap<std::uint64_t, int> expected;
    std::map<int, std::pair<TimingWheel<int>::Handle, std::multimap<std::uint64_t, int>::iterator>> handles;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t what = random() % 10;
      if (what < 6) {
        const std::uint64_t at = now + (random() % 8 == 0 ? 0 : random() >> (24 + random() % 40));
        handles[step] = {wheel.insert(at, step), expected.emplace(at, step)};
      } else if (what < 7 && !handles.empty()) {
        const auto it = handles.begin();
        ASSERT_EQ(wheel.cancel(it->second.first), it->first);
        expected.erase(it->second.second);
        handles.erase(it);
      } else {
        now += random() >> (30 + random() % 34);
        std::uint64_t last = 0;
        std::multimap<std::uint64_t, int> got;
        wheel.advance(now, [&](int value, std::uint64_t at) {
          ASSERT_GE(at, last);
          last = at;
          got.emplace(at, value);
          handles.erase(value);
        });
        for (auto it = expected.begin(); it != expected.end() && it->first <= now; it = expected.erase(it)) {
          const auto found =
              std::find_if(got.begin(), got.end(), [&](const auto& g) { return g.second == it->second; });
          ASSERT_NE(found, got.end());
          ASSERT_EQ(found->first, it->first);
          got.erase(found);
        }
        ASSERT_TRUE(got.empty());
      }
      ASSERT_EQ(wheel.size(), expected.size());
      ASSERT_EQ(wheel.next_event().has_value(), !expected.empty());
      if (!expected.empty()) {
        ASSERT_LE(*wheel.next_event(), std::max(now, expected.begin()->first));
      }
    }
  }
}

TEST(TimingWheel, ADeadlineMaySetTheNext) {
  TimingWheel<int> wheel(100);
  wheel.insert(100, 3);
  std::vector<std::uint64_t> at;
  wheel.advance(1000, [&](int left, std::uint64_t when) {
    at.push_back(when);
    if (left > 0) wheel.insert(when + 300, left - 1);
  });
  EXPECT_EQ(at, (std::vector<std::uint64_t>{100, 400, 700, 1000}));
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.now(), 1000U);
}

}  // namespace
}  // namespace weir

// The bound on what was missed holds as often as it says, and the governor finds what the network can take.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "probe/missed.hpp"
#include "probe/rate_governor.hpp"

namespace weir {
namespace {

TEST(Missed, NothingIsKnownWhenNothingAnswers) {
  const std::uint64_t none[] = {0, 0, 0};
  EXPECT_FALSE(missed(none, 0));
}

TEST(Missed, ManyAnswersAtOnceLeaveLittleRoom) {
  const std::uint64_t first[] = {10'000, 0};
  const auto m = missed(first, 500);
  EXPECT_EQ(m->loss, 0);
  EXPECT_LT(m->loss_most, 0.0005);
  EXPECT_LT(m->share_most, 1e-6);
  // Few answers, and one pass: nearly nothing can be said.
  const std::uint64_t few[] = {3};
  EXPECT_EQ(missed(few, 3)->share_most, 1);
}

TEST(Missed, CanariesTellWhatFewAnswersCannot) {
  const std::uint64_t one[] = {1, 0};
  EXPECT_GT(missed(one, 1)->share_most, 0.5);
  const auto sure = missed(one, 1, {.idle = {300, 300}});
  EXPECT_LT(sure->share_most, 0.003);
  const auto lossy = missed(one, 1, {.idle = {300, 200}});
  EXPECT_NEAR(lossy->loss, 1.0 / 3, 0.01);
  EXPECT_GT(lossy->share_most, 0.1);
}

TEST(Missed, QuietTimesDoNotSpeakForBusyOnes) {
  // Of 16 hosts a policer let three answer in each pass; while nothing was sent, every canary came back.
  const std::uint64_t first[] = {3, 3};
  CanaryTally tally;
  tally.idle = {500, 500};
  EXPECT_GT(missed(first, 6, tally)->share_most, 10.0 / 16);
  tally.passes[0] = tally.passes[1] = {20, 4};
  EXPECT_GT(missed(first, 6, tally)->share_most, 10.0 / 16);
}

TEST(Missed, OfSingleTrials) {
  EXPECT_EQ(most_lost({0, 0}), 1);
  EXPECT_NEAR(most_lost({10, 10}), 1 - std::pow(0.025, 0.1), 1e-6);
  EXPECT_GT(most_lost({100, 80}), 0.2);
  EXPECT_LT(most_lost({100, 80}), 0.35);
}

TEST(Missed, LossesOfBusyTimesAreTheRatesDoing) {
  const std::uint64_t first[] = {3, 2};
  CanaryTally tally;
  EXPECT_FALSE(loss_by_load(first, tally));  // no quiet times to compare with
  tally.idle = {100, 99};
  EXPECT_TRUE(loss_by_load(first, tally));
  tally.passes[1] = {3, 0};
  EXPECT_GT(*loss_by_load(first, tally), 0.5);
  tally.steady = 2;
  EXPECT_FALSE(loss_by_load(first, tally));  // it was slowed down since
  // A network that loses a third always.
  const std::uint64_t even[] = {64, 23, 8};
  tally = {.idle = {100, 64}, .passes = {}, .steady = 0};
  EXPECT_FALSE(loss_by_load(even, tally));
}

TEST(Missed, HoldsWhenTheRateIsCut) {
  std::mt19937_64 random(14);
  int holds = 0, good = 0;
  constexpr int scans = 300, cells = 100;
  for (int scan = 0; scan < scans; ++scan) {
    std::vector<std::uint64_t> first;
    CanaryTally tally;
    std::uint64_t left = cells;
    double bound = 1;
    for (unsigned pass = 0; pass < 8 && left > 0 && (pass < 2 || bound > 0.003); ++pass) {
      const double loss = pass < 2 ? 0.85 : 0.05;
      const std::uint64_t canaries = pass < 2 ? 15 : 60;
      first.push_back(std::binomial_distribution<std::uint64_t>(left, 1 - loss)(random));
      tally.passes[pass] = {canaries, std::binomial_distribution<std::uint64_t>(canaries, 1 - loss)(random)};
      tally.steady = pass < 2 ? 0 : 2;
      left -= first.back();
      bound = missed(first, cells - left, tally)->share_most;
    }
    holds += static_cast<double>(left) / cells <= bound;
    good += bound < 0.05;
  }
  EXPECT_GE(holds, scans * 95 / 100);
  EXPECT_GE(good, scans * 9 / 10);
}

TEST(Missed, HoldsInNinetyFiveOfAHundredScans) {
  std::mt19937_64 random(11);
  for (const double loss : {0.01, 0.05, 0.2, 0.36, 0.5})
    for (const int cells : {20, 200, 3000}) {
      int holds = 0;
      constexpr int scans = 200;
      for (int scan = 0; scan < scans; ++scan) {
        std::bernoulli_distribution lost(loss);
        std::vector<std::uint64_t> first;
        std::uint64_t left = static_cast<std::uint64_t>(cells);
        // As a scan does: until the bound is good enough, or the passes are used up.
        double bound = 1;
        while (first.size() < 8 && (first.size() < 2 || bound > 0.003) && left > 0) {
          std::uint64_t answered = 0;
          for (std::uint64_t i = 0; i < left; ++i) answered += !lost(random);
          left -= answered;
          first.push_back(answered);
          const auto m = missed(first, static_cast<std::uint64_t>(cells) - left);
          bound = m ? m->share_most : 1;
        }
        holds += static_cast<double>(left) / cells <= bound;
      }
      EXPECT_GE(holds, scans * 95 / 100) << loss << " " << cells;
    }
}

TEST(Missed, HoldsWhereAPartOfTheHostsLosesMore) {
  std::mt19937_64 random(12);
  int holds = 0;
  constexpr int scans = 200, cells = 2000;
  for (int scan = 0; scan < scans; ++scan) {
    std::uint64_t left[2] = {cells * 9 / 10, cells / 10};
    std::bernoulli_distribution lost[2] = {std::bernoulli_distribution(0.01),
                                           std::bernoulli_distribution(0.6)};
    std::vector<std::uint64_t> first;
    for (int pass = 0; pass < 6; ++pass) {
      std::uint64_t answered = 0;
      for (int part = 0; part < 2; ++part) {
        std::uint64_t now = 0;
        for (std::uint64_t i = 0; i < left[part]; ++i) now += !lost[part](random);
        left[part] -= now;
        answered += now;
      }
      first.push_back(answered);
    }
    const std::uint64_t gone = left[0] + left[1];
    holds += static_cast<double>(gone) / cells <= missed(first, cells - gone)->share_most;
  }
  EXPECT_GE(holds, scans * 95 / 100);
}

// A network that carries `capacity` a second and loses `loss` of that.
double settle(double wanted, double capacity, double loss, bool* limited) {
  RateGovernor governor(wanted);
  std::mt19937_64 random(13);
  double sum = 0;
  constexpr int samples = 400, last = 200;
  constexpr std::uint64_t canaries = 100;
  for (int i = 0; i < samples; ++i) {
    const double rate = governor.rate();
    std::binomial_distribution<std::uint64_t> through(canaries, std::min(1.0, capacity / rate) * (1 - loss));
    governor.observe({canaries, through(random), rate});
    if (i >= samples - last) sum += governor.rate();
  }
  *limited = governor.limited();
  return sum / last;
}

// A search for hosts, a fourth of which answer one kind of probes alone, until it thinks that it is enough.
TEST(MissedHosts, HoldsWhereSomeAnswerOneKindAlone) {
  constexpr int searches = 400, hosts = 40, kinds = 3;
  constexpr unsigned most_passes = 8, canaries = 200;
  for (const double loss : {0.01, 0.1, 0.36}) {
    std::mt19937_64 random(7);
    std::bernoulli_distribution lost(loss);
    int holds = 0, passes = 0;
    for (int search = 0; search < searches; ++search) {
      std::uint64_t found = 0, once = 0;
      std::vector<int> left;
      for (int h = 0; h < hosts; ++h) left.push_back(h % 4 == 0 ? 1 : kinds);
      CanaryTally tally;
      double bound = 1;
      for (unsigned pass = 0; pass < most_passes && bound > 0.003; ++pass, ++passes) {
        std::erase_if(left, [&](int answers) {
          int heard = 0;
          // Later, a host is left alone as soon as it has answered.
          for (int k = 0; k < answers && (pass == 0 || heard == 0); ++k) heard += lost(random) ? 0 : 1;
          found += heard > 0 ? 1 : 0;
          once += heard == 1 ? 1 : 0;
          return heard > 0;
        });
        for (unsigned c = 0; c < canaries; ++c) tally.passes[pass].answered += lost(random) ? 0U : 1U;
        tally.passes[pass].sent += canaries;
        bound = missed_hosts(pass + 1, once, found, tally)->share_most;
      }
      holds += static_cast<double>(left.size()) / hosts <= bound ? 1 : 0;
    }
    EXPECT_GE(holds, searches * 95 / 100) << loss;
    EXPECT_LT(passes, searches * (loss < 0.05 ? 3 : 8)) << loss;
  }
}

TEST(MissedHosts, NothingIsKnownWithoutHostsOrCanaries) {
  EXPECT_FALSE(missed_hosts(3, 0, 0, {.idle = {100, 100}}));
  EXPECT_EQ(missed_hosts(1, 0, 64, {})->share_most, 1);
  CanaryTally tally;
  tally.passes[0] = {300, 300};
  EXPECT_LT(missed_hosts(1, 0, 64, tally)->share_most, 0.003);
  EXPECT_GT(missed_hosts(1, 20, 64, tally)->share_most, 0.003) << "many that answer one kind alone";
}

TEST(RateGovernor, StaysJustBelowTheLimitOfAPolicer) {
  std::mt19937_64 random(3);
  RateGovernor governor(50'000);
  double sent = 0, lost = 0;
  for (int i = 0; i < 60; ++i) {
    const double rate = governor.rate();
    std::bernoulli_distribution through(std::min(1.0, 2000 / rate));
    std::uint64_t got = 0;
    constexpr std::uint64_t canaries = 40;
    for (std::uint64_t c = 0; c < canaries; ++c) got += through(random) ? 1U : 0U;
    governor.observe({canaries, got, rate});
    if (i < 12) continue;
    sent += rate;
    lost += std::max(0.0, rate - 2000);
  }
  EXPECT_LT(lost / sent, 0.04);
  EXPECT_GT(sent / 48, 1500);
  EXPECT_NEAR(governor.limit(), 2000, 500);
}

// A cut by few canaries may be far too deep.
TEST(RateGovernor, ComesBackFromACutThatWasTooDeep) {
  constexpr double capacity = 2000;
  RateGovernor governor(50'000);
  governor.cut(0.97, 50'000);
  governor.cut(0.97, governor.rate());
  ASSERT_LT(governor.rate(), 200);
  double sent = 0, seconds = 0;
  int samples = 0;
  for (; governor.rate() < capacity * 0.8 && samples < 1000; ++samples) {
    constexpr std::uint64_t canaries = 30, probes_each = 10;
    const double rate = governor.rate();
    sent += canaries * probes_each;
    seconds += canaries * probes_each / rate;
    governor.observe({canaries, canaries, rate});
  }
  EXPECT_LT(samples, 10);
  EXPECT_LT(seconds, 20) << sent << " probes";
  // And stays there.
  bool limited = false;
  EXPECT_NEAR(settle(50'000, capacity, 0, &limited), capacity, 350);
}

TEST(RateGovernor, SlowsDownToWhatGetsThrough) {
  bool limited = false;
  EXPECT_NEAR(settle(10'000, 2000, 0, &limited), 2000, 350);
  EXPECT_TRUE(limited);
  EXPECT_NEAR(settle(10'000, 2000, 0.05, &limited), 2000, 450);
}

TEST(RateGovernor, KeepsItsRateWhereSlowingDownCuresNothing) {
  bool limited = true;
  EXPECT_NEAR(settle(10'000, 1e9, 0.36, &limited), 10'000, 500);
  EXPECT_FALSE(limited);
  EXPECT_NEAR(settle(10'000, 1e9, 0.1, &limited), 10'000, 100);
  EXPECT_FALSE(limited);
  EXPECT_EQ(settle(10'000, 1e9, 0, &limited), 10'000);
  RateGovernor governor(10'000);
  EXPECT_FALSE(governor.observe({5, 0, 10'000}));  // too few to say anything
  EXPECT_EQ(governor.rate(), 10'000);
  EXPECT_TRUE(governor.observe({10, 0, 10'000}));  // not one of ten
  EXPECT_LT(governor.rate(), 1000);
}

TEST(RateGovernor, GoesByWhatWasReallySent) {
  RateGovernor governor(100'000);
  // A program kept from running: 2,000 of 100,000 a second, and half of that came through.
  EXPECT_TRUE(governor.observe({100, 50, 2000}));
  EXPECT_LT(governor.rate(), 1000);
  EXPECT_TRUE(governor.observe({100, 99, 800}));
  EXPECT_TRUE(governor.limited());
  // A far smaller network than one cut can reach: it goes on.
  RateGovernor deep(100'000);
  for (int i = 0; i < 20 && deep.rate() > 300; ++i)
    deep.observe({30, static_cast<std::uint64_t>(30 * std::min(1.0, 300 / deep.rate())), deep.rate()});
  EXPECT_LE(deep.rate(), 300);
}

}  // namespace
}  // namespace weir

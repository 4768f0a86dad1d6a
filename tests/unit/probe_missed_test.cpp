// The bound on what was missed holds as often as it says, and the governor finds what the network can take.
#include <gtest/gtest.h>

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
  const auto sure = missed(one, 1, {300, 300});
  EXPECT_LT(sure->share_most, 0.003);
  const auto lossy = missed(one, 1, {300, 200});
  EXPECT_NEAR(lossy->loss, 1.0 / 3, 0.01);
  EXPECT_GT(lossy->share_most, 0.1);
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

// A network that carries `capacity` a second and loses `loss` of that. What is observed is the window before.
double settle(double wanted, double capacity, double loss, bool* limited) {
  RateGovernor governor(wanted);
  std::mt19937_64 random(13);
  double sum = 0, before = wanted;
  constexpr int windows = 400, last = 200;
  constexpr std::uint64_t canaries = 100;
  for (int i = 0; i < windows; ++i) {
    std::binomial_distribution<std::uint64_t> through(canaries,
                                                      std::min(1.0, capacity / before) * (1 - loss));
    before = governor.rate();
    governor.observe(canaries, through(random));
    if (i >= windows - last) sum += governor.rate();
  }
  *limited = governor.limited();
  return sum / last;
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
  EXPECT_EQ(governor.observe(5, 0), 10'000);  // too few to say anything
  EXPECT_EQ(governor.observe(5, 0), 10'000);
  EXPECT_EQ(governor.observe(25, 0), 1000);  // enough, together
}

}  // namespace
}  // namespace weir

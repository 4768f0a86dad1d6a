// Limits: how they are written, and when they alert.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/rate_limit.hpp"

namespace weir {
namespace {

using testing::HasSubstr;

RateLimit limit_of(std::string_view text) {
  auto limit = RateLimit::parse(text, "--limit");
  EXPECT_TRUE(limit) << limit.error().line();
  return limit.value_or(RateLimit{});
}

TEST(RateLimit, IsWrittenAsPeopleSayIt) {
  const RateLimit a = limit_of("out > 80% for 5m");
  EXPECT_EQ(a.measure, RateLimit::Measure::out);
  EXPECT_TRUE(a.above && a.percent);
  EXPECT_EQ(a.value, 80);
  EXPECT_EQ(a.hold, seconds(300));
  const RateLimit b = limit_of("total<1.5Mbit/s");
  EXPECT_FALSE(b.above || b.percent);
  EXPECT_EQ(b.value, 1.5e6);
  EXPECT_EQ(b.hold.ns, 0);
  EXPECT_EQ(limit_of("errors > 0").measure, RateLimit::Measure::errors);
}

TEST(RateLimit, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto limit = RateLimit::parse(text, "--limit");
    return limit ? std::string("fine") : limit.error().line();
  };
  EXPECT_THAT(error("out 80%"), HasSubstr("--limit: no > or < in out 80%"));
  EXPECT_THAT(error("up > 80%"), HasSubstr("up is none of in, out"));
  EXPECT_THAT(error("out > much"), HasSubstr("much is no number"));
  EXPECT_THAT(error("out > 5 parsecs"), HasSubstr("unknown unit parsecs"));
  EXPECT_THAT(error("out > 80% for"), HasSubstr("no time behind for"));
  EXPECT_THAT(error("drops > 5%"), HasSubstr("drops are no share"));
  EXPECT_THAT(error("out > 5% for ages"), HasSubstr("ages is no time"));
}

struct Watched {
  std::vector<Alert> at(std::int64_t second, std::optional<double> share, std::int64_t interval = 60) {
    Counter c;
    c.time = Time{second * 1'000'000'000};
    c.name = "eth0";
    c.interval = seconds(interval);
    c.out_utilization = share;
    return watch.take(c);
  }
  LimitWatch watch{{limit_of("out > 80% for 5m")}};
};

TEST(LimitWatch, AlertsOnceWhenItHasLastedAndOnceWhenItIsOver) {
  Watched w;
  for (std::int64_t t = 60; t <= 240; t += 60) EXPECT_TRUE(w.at(t, 90).empty());
  EXPECT_FALSE(w.watch.raised());
  const auto alerts = w.at(300, 95);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].state, "raised");
  EXPECT_EQ(alerts[0].since, Time{});
  EXPECT_EQ(alerts[0].message, "eth0 out at 95.0 % is above 80.0 %, for 5m00s");
  EXPECT_TRUE(w.at(360, 99).empty());
  for (std::int64_t t = 420; t <= 600; t += 60) EXPECT_TRUE(w.at(t, 10).empty());
  const auto over = w.at(660, 10);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].state, "cleared");
  EXPECT_EQ(over[0].message, "eth0 out back at 10.0 % is below 80.0 %, for 5m00s");
  EXPECT_TRUE(w.watch.raised());
}

TEST(LimitWatch, AShortDipBeginsAnew) {
  Watched w;
  for (std::int64_t t = 60; t <= 240; t += 60) w.at(t, 90);
  EXPECT_TRUE(w.at(300, 70).empty());
  for (std::int64_t t = 360; t <= 540; t += 60) EXPECT_TRUE(w.at(t, 90).empty());
  EXPECT_EQ(w.at(600, 90).size(), 1U);
}

TEST(LimitWatch, WhatIsUnknownChangesNothing) {
  Watched w;
  for (std::int64_t t = 60; t <= 240; t += 60) w.at(t, 90);
  EXPECT_TRUE(w.at(270, std::nullopt).empty());
  EXPECT_EQ(w.at(300, 90).size(), 1U);
}

}  // namespace
}  // namespace weir

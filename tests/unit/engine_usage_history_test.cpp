// Periods of the calendar, what will be at their ends, and the 95th percentile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <numeric>

#include "engine/usage_history.hpp"

namespace weir {
namespace {

Time at(std::string_view text) {
  return parse_time(text).value();
}

struct Zone {
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

TEST(Spans, FollowTheCalendarOfThePlace) {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const Span day = span_of(at("2026-03-29T10:00:00Z"), Period::day);  // 23 hours
  EXPECT_EQ(day.start, at("2026-03-28T23:00:00Z"));
  EXPECT_EQ(day.end, at("2026-03-29T22:00:00Z"));
  EXPECT_EQ(span_of(at("2026-01-31T23:30:00Z"), Period::month).start, at("2026-01-31T23:00:00Z"));
  EXPECT_EQ(span_of(at("2026-06-01T00:00:00Z"), Period::year).end, at("2026-12-31T23:00:00Z"));
}

TEST(Spans, HoursOfZonesThatAreNotWholeHours) {
  const Zone zone("IST-5:30");
  EXPECT_EQ(span_of(at("2026-03-29T10:45:00Z"), Period::hour).start, at("2026-03-29T10:30:00Z"));
}

TEST(Spans, BillingMonthsBeginOnTheirDay) {
  const Zone zone("UTC");
  EXPECT_EQ(span_of(at("2026-03-14T23:59:59Z"), Period::month, 15).start, at("2026-02-15T00:00:00Z"));
  EXPECT_EQ(span_of(at("2026-03-15T00:00:00Z"), Period::month, 15).end, at("2026-04-15T00:00:00Z"));
  EXPECT_EQ(span_of(at("2026-01-02T00:00:00Z"), Period::month, 15).start, at("2025-12-15T00:00:00Z"));
}

TEST(Usage, IsTheSumOfItsSlots) {
  const Zone zone("UTC");
  const std::vector<Slot> slots{{at("2026-03-14T23:55:00Z"), 10, 1, seconds(300)},
                                {at("2026-03-15T00:00:00Z"), 20, 2, seconds(300)},
                                {at("2026-03-15T12:00:00Z"), 40, 4, seconds(200)}};
  const auto days = usage_by(slots, Period::day);
  ASSERT_EQ(days.size(), 2U);
  EXPECT_EQ(days[1].in, 60U);
  EXPECT_EQ(days[1].out, 6U);
  EXPECT_DOUBLE_EQ(days[1].rate(), 66 * 8 / 500.0);
  EXPECT_NEAR(coverage(days[1], at("2026-03-17T00:00:00Z")), 500 * 100 / 86400.0, 1e-9);
}

TEST(Usage, GoesOnAsItDid) {
  const Zone zone("UTC");
  const PeriodUsage half{span_of(at("2026-03-15T00:00:00Z"), Period::day), 600, 400, seconds(43'200)};
  const Time noon = at("2026-03-15T12:00:00Z"), before = at("2026-01-01"), six = at("2026-03-15T06:00:00Z");
  EXPECT_EQ(estimate(half, before, noon), 2'000U);
  EXPECT_EQ(estimate(half, six, noon), 3'000U);  // known since six only
  EXPECT_FALSE(estimate(half, before, at("2026-03-16T00:00:00Z")));
  EXPECT_EQ(reached(half, 1'500, before, noon), at("2026-03-15T18:00:00Z"));
  EXPECT_FALSE(reached(half, 2'500, before, noon));
  EXPECT_FALSE(reached(half, 900, before, noon));  // it was already
}

// lrint rounds halves to even: of 10 values the place is lrint(9.5) = 10, of 30 lrint(28.5) = 28.
TEST(Percentile, IsVnstats) {
  const auto of = [](std::size_t n) {
    std::vector<double> values(n);
    std::iota(values.rbegin(), values.rend(), 1.0);
    return percentile_95(values);
  };
  EXPECT_EQ(of(0), 0);
  EXPECT_EQ(of(1), 1);
  EXPECT_EQ(of(10), 10);
  EXPECT_EQ(of(20), 19);
  EXPECT_EQ(of(30), 28);
  EXPECT_EQ(of(8640), 8208);
}

}  // namespace
}  // namespace weir

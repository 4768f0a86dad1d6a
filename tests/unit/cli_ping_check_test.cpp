// Pings as a check: thresholds, the line, and the state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/front/ping_check.hpp"
#include "cli/front/ping_limits.hpp"

namespace weir {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

PingTally tally_of(std::initializer_list<std::int64_t> ms, int lost = 0) {
  PingTally t;
  std::uint64_t seq = 0;
  for (const std::int64_t m : ms) t.replied(seq++, milliseconds(m), {}, 0);
  for (int i = 0; i < lost; ++i) t.lost();
  return t;
}

CheckResult result_of(const std::vector<PingTally>& tallies, const CheckLimits& limits = {}) {
  static constexpr std::string_view names[] = {"a", "b", "c"};
  std::vector<ProbeTarget> targets(tallies.size());
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i].name = names[i];
  return check_result(limits, targets, tallies);
}

TEST(PingCheck, LineIsCheckIcmps) {
  const auto one = result_of({tally_of({10, 20, 30}, 1)});
  EXPECT_EQ(one.state, CheckState::ok);
  EXPECT_EQ(one.line,
            "OK - a: rta 20.000ms, lost 25%|rta=20.000ms;200.000;500.000;0; pl=25%;40;80;; "
            "rtmax=30.000ms;;;; rtmin=10.000ms;;;; ");
  EXPECT_THAT(result_of({tally_of({1}), tally_of({}, 2)}).line,
              StartsWith("CRITICAL - a: rta 1.000ms, lost 0% :: b: rta nan, lost 100%|arta=1.000ms;"));
}

TEST(PingCheck, ThresholdsAreReachedNotCrossed) {
  EXPECT_EQ(result_of({tally_of({199})}).state, CheckState::ok);
  EXPECT_EQ(result_of({tally_of({200})}).state, CheckState::warning);
  EXPECT_EQ(result_of({tally_of({500})}).state, CheckState::critical);
  EXPECT_EQ(result_of({tally_of({1, 1, 1}, 2)}).state, CheckState::warning);
  EXPECT_EQ(result_of({tally_of({1}, 4)}).state, CheckState::critical);
}

TEST(PingCheck, EnoughFineTargetsAreEnough) {
  const std::vector<PingTally> tallies{tally_of({1}), tally_of({300}), tally_of({}, 1)};
  EXPECT_EQ(result_of(tallies, {.enough = 1}).state, CheckState::ok);
  EXPECT_EQ(result_of(tallies, {.enough = 2}).state, CheckState::warning);
  EXPECT_EQ(result_of(tallies, {.enough = 3}).state, CheckState::critical);
}

Arguments given(std::string_view option, std::string_view value) {
  Arguments arguments;
  arguments.values[std::string(option)] = {std::string(value)};
  return arguments;
}

TEST(PingLimits, AreOneOrTwo) {
  const auto loss = ping_limits(given("loss", "20%,60.5"));
  ASSERT_TRUE(loss);
  EXPECT_EQ(check_limits(*loss).warn.loss_percent, 20);
  EXPECT_EQ(check_limits(*loss).crit.loss_percent, 60.5);
  EXPECT_EQ(check_limits(*loss).crit.rta_ms, 500);
  const auto rtt = ping_limits(given("rtt", "50ms"));
  ASSERT_TRUE(rtt);
  EXPECT_EQ(check_limits(*rtt).warn.rta_ms, 50);
  EXPECT_EQ(check_limits(*rtt).crit.rta_ms, 50);
  EXPECT_FALSE(rtt->critical_rtt);
}

TEST(PingLimits, WhatIsNoneIsToldWithItsOption) {
  for (const auto& [option, value] : {std::pair{"loss", "101%"},
                                      {"loss", "x"},
                                      {"loss", "20%,"},
                                      {"loss", "nan"},
                                      {"rtt", "0"},
                                      {"rtt", "1ms,y"}}) {
    const auto limits = ping_limits(given(option, value));
    ASSERT_FALSE(limits) << value;
    EXPECT_EQ(limits.error().where, std::string("--") + option);
    EXPECT_EQ(limits.error().code, Code::usage);
  }
}

}  // namespace
}  // namespace weir

// The flow table against a map that does the same slowly.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "core/hash.hpp"
#include "flow/table.hpp"

namespace weir {
namespace {

FlowKey key_of(std::uint16_t n) {
  FlowKey key;
  key.low_port = n;
  key.proto = IpProto::udp;
  return key;
}
// Few hash values, so that probing and moving back are exercised.
std::uint64_t hash_of(std::uint16_t n, std::uint64_t spread) {
  return mix(n % spread, 7);
}

TEST(FlowTable, FindsWhatIsInAndNothingElse) {
  for (const std::uint64_t spread : {3ULL, 50ULL, 100'000ULL}) {
    FlowTable table({}, 10'000);
    table.start({0});
    std::map<std::uint16_t, FlowState*> model;
    std::mt19937 random(static_cast<unsigned>(spread));
    for (int step = 0; step < 20'000; ++step) {
      const auto n = static_cast<std::uint16_t>(random() % 600);
      FlowState* found = table.find(key_of(n), hash_of(n, spread));
      const auto known = model.find(n);
      ASSERT_EQ(found, known == model.end() ? nullptr : known->second);
      if (found == nullptr) {
        model[n] = &table.insert(key_of(n), hash_of(n, spread), {0}, Timeout::udp);
      } else if (random() % 2 == 0) {
        table.erase(*found);
        model.erase(n);
      }
      ASSERT_EQ(table.size(), model.size());
    }
  }
}

TEST(FlowTable, EndsAFlowOnceItsTimeoutHasPassed) {
  FlowOptions options;
  options.idle(Timeout::udp) = seconds(60);
  FlowTable table(options, 100);
  table.start({0});
  FlowState& quiet = table.insert(key_of(1), hash_of(1, 1000), {0}, Timeout::udp);
  FlowState& busy = table.insert(key_of(2), hash_of(2, 1000), {0}, Timeout::udp);
  std::vector<FlowState*> due;
  table.expire(Time{} + seconds(59), due);
  EXPECT_TRUE(due.empty());
  busy.last = Time{} + seconds(50);
  table.expire(Time{} + seconds(62), due);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0], &quiet);
  table.erase(quiet);
  due.clear();
  table.expire(Time{} + seconds(100'000), due);  // a jump over the whole wheel
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0], &busy);
}

TEST(FlowTable, LooksAgainWhenATimeoutGetsShorter) {
  FlowTable table({}, 100);
  table.start({0});
  FlowState& flow = table.insert(key_of(1), hash_of(1, 1000), {0}, Timeout::tcp);
  table.retime(flow, Timeout::tcp_closed);
  std::vector<FlowState*> due;
  table.expire(Time{} + seconds(7), due);
  EXPECT_EQ(due.size(), 1U);
}

TEST(FlowTable, NamesTheFlowNearestItsEndWhenFull) {
  FlowTable table({}, 3);
  table.start({0});
  table.insert(key_of(1), hash_of(1, 1000), Time{} + seconds(0), Timeout::tcp);
  FlowState& next = table.insert(key_of(2), hash_of(2, 1000), Time{} + seconds(0), Timeout::udp);
  EXPECT_EQ(table.victim(), nullptr);
  table.insert(key_of(3), hash_of(3, 1000), Time{} + seconds(30), Timeout::udp);
  EXPECT_EQ(table.victim(), &next);
}

TEST(FlowTable, TimesAtTheEndOfTime) {
  constexpr Time last{std::numeric_limits<std::int64_t>::max()};
  FlowTable table({}, 10);
  table.start({0});
  FlowState& flow = table.insert(key_of(1), hash_of(1, 10), last, Timeout::udp);
  table.retime(flow, Timeout::tcp_closed);
  std::vector<FlowState*> due;
  table.expire(last, due);
  EXPECT_LE(due.size(), 1U);
  table.erase(flow);
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace weir

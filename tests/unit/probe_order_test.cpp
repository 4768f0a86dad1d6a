// The order of probes: everything once, over shards and resumes; and cookies that prove a reply.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "probe/cookie.hpp"
#include "probe/permutation.hpp"

namespace weir {
namespace {

TEST(Permutation, VisitsEachNumberOnce) {
  std::mt19937_64 random(1);
  for (std::uint64_t n = 0; n < 600; n = n < 260 ? n + 1 : n + 97) {
    for (int seeds = 0; seeds < 5; ++seeds) {
      const Permutation order(n, random());
      std::vector<bool> seen(n);
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t number = order(i);
        ASSERT_LT(number, n);
        ASSERT_FALSE(seen[number]) << n;
        seen[number] = true;
        ASSERT_EQ(order.inverse(number), i);
      }
    }
  }
}

TEST(Permutation, IsOneToOneWhereNobodyCanCount) {
  std::mt19937_64 random(2);
  for (const std::uint64_t n : {(std::uint64_t{1} << 63) - 1, (std::uint64_t{1} << 62) + 1,
                                std::uint64_t{1} << 48, std::uint64_t{65535} << 32}) {
    const Permutation order(n, random());
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t position = random() % n;
      ASSERT_LT(order(position), n);
      ASSERT_EQ(order.inverse(order(position)), position);
    }
  }
}

// A scan in shards, each killed and resumed at random, sees each cell exactly once.
TEST(Permutation, ShardsAndResumesLeaveNothingOutAndRepeatNothing) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t n = random() % 5000, shards = random() % 9 + 1, seed = random();
    std::vector<unsigned> visits(n);
    std::uint64_t sizes = 0;
    for (std::uint64_t shard = 0; shard < shards; ++shard) {
      std::uint64_t done = 0;
      while (true) {
        const Permutation order(n, seed);  // as a new process makes it
        Walk walk(order, shard, shards, done);
        if (walk.ended()) {
          EXPECT_EQ(walk.size(), done);
          sizes += walk.size();
          break;
        }
        for (std::uint64_t steps = random() % 700; steps > 0 && !walk.ended(); --steps) ++visits[walk.next()];
        done = walk.done();
      }
    }
    EXPECT_EQ(sizes, n);
    EXPECT_TRUE(std::ranges::all_of(visits, [](unsigned v) { return v == 1; }));
  }
}

TEST(Permutation, SeedsGiveOtherOrdersAndNeighboursAreSpread) {
  constexpr std::uint64_t n = 1'000'003;
  const Permutation a(n, 1), b(n, 2);
  std::uint64_t same = 0, near = 0;
  for (std::uint64_t i = 0; i + 1 < 100'000; ++i) {
    same += a(i) == b(i);
    const std::uint64_t x = a(i), y = a(i + 1);
    near += (x < y ? y - x : x - y) < n / 100;
  }
  EXPECT_LT(same, 10U);
  // Of two random numbers 1.99 % are that near; the deviation is 44.
  EXPECT_NEAR(static_cast<double>(near), 1990, 300);
}

TEST(Cookie, IsSipHashOfThePaper) {
  // Appendix A: the key 00 01 … 0f, the message 00 01 … 0e.
  std::uint8_t bytes[16];
  for (std::uint8_t i = 0; i < 16; ++i) bytes[i] = i;
  const CookieKey key{load_le<std::uint64_t>(bytes), load_le<std::uint64_t>(bytes + 8)};
  EXPECT_EQ(siphash(key, {bytes, 15}), 0xa129ca6149be45e5);
}

TEST(Cookie, TellsProbesApart) {
  const CookieKey key{1, 2}, other{1, 3};
  const Addr a = *parse_addr("10.0.0.1"), b = *parse_addr("10.0.0.2");
  EXPECT_EQ(cookie(key, a, 7), cookie(key, a, 7));
  EXPECT_NE(cookie(key, a, 7), cookie(key, a, 8));
  EXPECT_NE(cookie(key, a, 7), cookie(key, b, 7));
  EXPECT_NE(cookie(key, a, 7), cookie(other, a, 7));
  std::uint8_t message[24];
  std::memcpy(message, a.bytes.data(), 16);
  const std::uint64_t rest = 7;
  std::memcpy(message + 16, &rest, 8);
  EXPECT_EQ(cookie(key, a, 7), siphash(key, message));
}

TEST(Walk, TurnsWithinItsShard) {
  const Permutation order(1000, 5);
  for (std::uint64_t shard = 0; shard < 3; ++shard) {
    Walk straight(order, shard, 3), turned(order, shard, 3, 0, 77);
    std::vector<std::uint64_t> a, b;
    while (!straight.ended()) a.push_back(straight.next());
    while (!turned.ended()) b.push_back(turned.next());
    EXPECT_NE(a, b);
    Walk resumed(order, shard, 3, 100, 77);
    EXPECT_EQ(resumed.next(), b[100]);
    std::ranges::sort(a);
    std::ranges::sort(b);
    EXPECT_EQ(a, b);
  }
}

}  // namespace
}  // namespace weir

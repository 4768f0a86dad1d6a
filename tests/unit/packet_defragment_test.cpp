// Fragments of both IP versions put together, in and out of order, and what is wrong with them.
#include <gtest/gtest.h>

#include "packet/defragment.hpp"
#include "packet_bytes.hpp"

namespace weir::test {
namespace {

constexpr std::uint16_t more = 0x2000;

Octets numbered(std::size_t size) {
  Octets out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7);
  return out;
}
Octets part(const Octets& whole, std::size_t from, std::size_t to) {
  return {whole.begin() + static_cast<std::ptrdiff_t>(from), whole.begin() + static_cast<std::ptrdiff_t>(to)};
}
Octets fragment4(const Octets& whole, std::size_t from, std::size_t to, std::uint16_t id = 7) {
  const auto field = static_cast<std::uint16_t>((to < whole.size() ? more : 0) | from / 8);
  return ip4(17, part(whole, from, to), field, id);
}
Octets fragment6(const Octets& whole, std::size_t from, std::size_t to) {
  // Behind destination options, which stay.
  return ip6(60, hex("2c00 0104 00000000") + hex("1100") + be16(from | (to < whole.size() ? 1U : 0U)) +
                     hex("0000abcd") + part(whole, from, to));
}

struct Bench {
  explicit Bench(const DefragmentOptions& options = {}) : defragmenter(options) {}

  // The layers that a fragment completes, or none.
  std::vector<Layer> add(const Octets& ip, std::uint32_t captured = 0xffff) {
    Octets bytes = ip;
    const auto length = static_cast<std::uint32_t>(bytes.size());
    bytes.resize(std::min(captured, length));
    std::vector<Layer> fragments = layers_of(bytes, 101, length), out;
    EXPECT_TRUE(fragments.front().fragment);
    whole = defragmenter.add(fragments.front(), now);
    if (whole) decode_ip(fragments.front(), whole, out);
    return out;
  }

  Defragmenter defragmenter;
  Datagram whole;
  Time now{seconds(1000).ns};
};

const Octets payload = numbered(96);
const Octets datagram = udp(5, 6, payload);  // 104 bytes

TEST(PacketDefragment, JoinsInAnyOrder) {
  const std::vector<std::pair<std::size_t, std::size_t>> cuts{{0, 40}, {40, 80}, {80, 104}};
  std::vector<std::size_t> order{0, 1, 2};
  do {
    for (const auto& fragment : {fragment4, +[](const Octets& w, std::size_t a, std::size_t b,
                                                std::uint16_t) { return fragment6(w, a, b); }}) {
      Bench b;
      std::vector<Layer> layers;
      std::uint32_t sent = 0;
      for (const std::size_t i : order) {
        EXPECT_TRUE(layers.empty());
        const Octets f = fragment(datagram, cuts[i].first, cuts[i].second, 7);
        sent += static_cast<std::uint32_t>(f.size());
        layers = b.add(f);
      }
      ASSERT_EQ(layers.size(), 1U);
      const Layer& l = layers.front();
      EXPECT_EQ(l.src_port, 5);
      EXPECT_TRUE(std::ranges::equal(l.payload, payload));
      EXPECT_EQ(l.ip_length, sent) << "what the fragments had on the wire";
      EXPECT_EQ(l.fragments, 3);
      EXPECT_FALSE(l.fragment);
      EXPECT_EQ(l.oddity, nullptr);
      EXPECT_EQ(b.defragmenter.stats().datagrams, 1U);
    }
  } while (std::ranges::next_permutation(order).found);
}

TEST(PacketDefragment, KeepsDatagramsApart) {
  Bench b;
  EXPECT_TRUE(b.add(fragment4(datagram, 0, 40, 1)).empty());
  EXPECT_TRUE(b.add(fragment4(datagram, 40, 104, 2)).empty());
  EXPECT_EQ(b.add(fragment4(datagram, 40, 104, 1)).size(), 1U);
  EXPECT_EQ(b.add(fragment4(datagram, 0, 40, 2)).size(), 1U);
}

TEST(PacketDefragment, IgnoresRepetitions) {
  for (const auto& fragment : {+[](std::size_t a, std::size_t z) { return fragment4(datagram, a, z); },
                               +[](std::size_t a, std::size_t z) { return fragment6(datagram, a, z); }}) {
    Bench b;
    b.add(fragment(0, 40));
    b.add(fragment(0, 40));
    const auto layers = b.add(fragment(40, 104));
    ASSERT_EQ(layers.size(), 1U);
    EXPECT_EQ(layers.front().oddity, nullptr);
    EXPECT_EQ(layers.front().fragments, 3);
    EXPECT_EQ(b.defragmenter.stats().overlapped, 0U);
  }
}

TEST(PacketDefragment, FirstWinsWhereIpv4Overlaps) {
  Bench b;
  Octets other = datagram;
  std::fill(other.begin() + 8, other.end(), std::uint8_t{0xee});
  b.add(fragment4(datagram, 0, 40));
  b.add(fragment4(other, 64, 104));
  const auto layers = b.add(fragment4(other, 32, 72));
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers.front().oddity, std::string("fragment_overlap"));
  EXPECT_EQ(layers.front().payload[31], payload[31]) << "not what came later";
  EXPECT_EQ(layers.front().payload[32], 0xee);
  EXPECT_EQ(b.defragmenter.stats().overlapped, 1U);
}

// RFC 5722 §4: all of it, and what still comes.
TEST(PacketDefragment, DropsIpv6ThatOverlaps) {
  Bench b;
  b.add(fragment6(datagram, 0, 40));
  EXPECT_TRUE(b.add(fragment6(datagram, 32, 80)).empty());
  EXPECT_EQ(b.whole.oddity, std::string("fragment_overlap"));
  EXPECT_TRUE(b.add(fragment6(datagram, 80, 104)).empty());
  EXPECT_TRUE(b.add(fragment6(datagram, 40, 80)).empty());
  EXPECT_EQ(b.defragmenter.stats().lost_fragments, 4U);
  EXPECT_EQ(b.defragmenter.stats().datagrams, 0U);
}

TEST(PacketDefragment, RefusesWhatCannotBe) {
  Bench b;
  b.add(ip4(17, Octets(12), more));
  EXPECT_EQ(b.whole.oddity, std::string("bad_fragment_length"));
  b.add(ip4(17, Octets(80), 0x1fff));
  EXPECT_EQ(b.whole.oddity, std::string("oversized_fragment"));
  b.add(fragment4(datagram, 80, 104));
  b.add(ip4(17, Octets(16), static_cast<std::uint16_t>(more | 13)));
  EXPECT_EQ(b.whole.oddity, std::string("fragment_size_inconsistency"));
  EXPECT_EQ(b.defragmenter.stats().malformed, 3U);
}

TEST(PacketDefragment, GivesUpAfterTheTimeout) {
  Bench b;
  b.add(fragment4(datagram, 0, 40));
  b.now = b.now + seconds(31);
  EXPECT_TRUE(b.add(fragment4(datagram, 40, 104)).empty());
  EXPECT_EQ(b.defragmenter.stats().timed_out, 1U);
  EXPECT_EQ(b.defragmenter.stats().lost_ip_bytes, 60U);
  b.defragmenter.flush();
  EXPECT_EQ(b.defragmenter.stats().timed_out, 2U);
  EXPECT_EQ(b.defragmenter.stats().lost_fragments, 2U);
}

TEST(PacketDefragment, EvictsTheOldestAtItsBounds) {
  Bench b({.datagrams = 2});
  for (std::uint16_t id = 1; id <= 3; ++id) b.add(fragment4(datagram, 0, 40, id));
  EXPECT_EQ(b.defragmenter.stats().evicted, 1U);
  EXPECT_EQ(b.add(fragment4(datagram, 40, 104, 3)).size(), 1U);
  EXPECT_EQ(b.add(fragment4(datagram, 40, 104, 2)).size(), 1U);
  EXPECT_TRUE(b.add(fragment4(datagram, 40, 104, 1)).empty());

  Bench small({.bytes = 100'000});
  for (std::uint16_t id = 1; id <= 100; ++id) small.add(ip4(17, Octets(8000), more, id));
  EXPECT_GE(small.defragmenter.stats().evicted, 85U);
}

TEST(PacketDefragment, EndsWhereTheCaptureWasCut) {
  Bench b;
  b.add(fragment4(datagram, 0, 40), 50);
  const auto layers = b.add(fragment4(datagram, 40, 104));
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers.front().payload_length, 96U);
  EXPECT_EQ(layers.front().payload.size(), 50U - 28);
  EXPECT_EQ(layers.front().oddity, nullptr);
}

TEST(PacketDefragment, BoundsTheFragmentsOfOneDatagram) {
  Bench b;
  for (std::uint16_t i = 0; i < 1100; ++i)
    b.add(ip4(17, Octets(8), static_cast<std::uint16_t>(more | i * 2)));  // with holes: nothing merges
  EXPECT_EQ(b.defragmenter.stats().malformed, 1U);
  EXPECT_EQ(b.defragmenter.stats().lost_fragments, 1100U);
}

}  // namespace
}  // namespace weir::test

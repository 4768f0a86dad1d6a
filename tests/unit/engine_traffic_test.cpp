// Whose traffic it is: whatever was captured, rows add up to what the interface counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/traffic_meter.hpp"
#include "engine/traffic_shares.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Addr host(std::uint8_t last) {
  const std::uint8_t four[] = {10, 9, 0, last};
  return Addr::v4(four);
}
ShareKey key(std::uint8_t last) {
  return {.kind = ShareKey::Kind::host, .a = host(last)};
}
Volume volume(std::uint64_t in, std::uint64_t out) {
  return {.in_bytes = in, .out_bytes = out, .in_packets = 0, .out_packets = 0};
}

// What the rows of one interval add up to.
Volume sum(const Settled& settled) {
  Volume all = settled.others;
  all += settled.unattributed;
  for (const Share& share : settled.top) all += share.volume;
  return all;
}

TEST(ShareLedger, TellsWhatNobodyAccountsFor) {
  ShareLedger ledger;
  const Settled s =
      ledger.settle({{key(1), volume(600, 10)}, {key(2), volume(300, 0)}}, {}, volume(1000, 50), 10);
  ASSERT_EQ(s.top.size(), 2U);
  EXPECT_EQ(s.top[0].key, key(1));
  EXPECT_EQ(s.unattributed, volume(100, 40));
  EXPECT_EQ(s.others, Volume{});
  EXPECT_EQ(sum(s), volume(1000, 50));
}

TEST(ShareLedger, KeepsTheLargestApart) {
  ShareLedger ledger;
  Shares shares;
  for (std::uint8_t i = 1; i <= 9; ++i) shares[key(i)] = volume(i * 100U, 0);
  const Settled s = ledger.settle(shares, volume(7, 0), volume(5000, 0), 2);
  ASSERT_EQ(s.top.size(), 2U);
  EXPECT_EQ(s.top[0].key, key(9));
  EXPECT_EQ(s.top[1].key, key(8));
  EXPECT_EQ(s.other_keys, 7U);
  EXPECT_EQ(s.others, volume(2807, 0));
  EXPECT_EQ(s.unattributed, volume(493, 0));
}

TEST(ShareLedger, WaitsForWhatIsNotCountedYet) {
  ShareLedger ledger;
  // A driver that counts every other second.
  const Settled first = ledger.settle({{key(1), volume(1000, 0)}}, {}, volume(0, 0), 10);
  EXPECT_THAT(first.top, IsEmpty());
  EXPECT_EQ(sum(first), volume(0, 0));
  const Settled second = ledger.settle({{key(1), volume(500, 0)}}, {}, volume(1500, 0), 10);
  ASSERT_EQ(second.top.size(), 1U);
  EXPECT_EQ(second.top[0].volume, volume(1500, 0));
  EXPECT_EQ(second.unattributed, Volume{});
}

TEST(ShareLedger, DoesNotWaitForeverForWhatIsNeverCounted) {
  ShareLedger ledger;
  // Four bytes of VLAN tag on each of a thousand packets.
  for (int i = 0; i < 100; ++i) {
    const Settled s = ledger.settle({{key(1), volume(68'000, 0)}}, {}, volume(64'000, 0), 10);
    EXPECT_EQ(sum(s), volume(64'000, 0));
  }
  const Settled still = ledger.settle({}, {}, volume(64'000, 0), 10);
  ASSERT_EQ(still.top.size(), 1U);
  EXPECT_EQ(still.top[0].volume, volume(4'000, 0));
}

TEST(ShareLedger, TakesTheExcessOffTheLargest) {
  ShareLedger ledger;
  const Settled s =
      ledger.settle({{key(1), volume(900, 0)}, {key(2), volume(100, 0)}}, {}, volume(950, 0), 10);
  ASSERT_EQ(s.top.size(), 2U);
  EXPECT_EQ(s.top[0].volume, volume(850, 0));
  EXPECT_EQ(s.top[1].volume, volume(100, 0));
}

TEST(ShareLedger, AddsUpWhateverWasSeen) {
  ShareLedger ledger;
  std::uint64_t seed = 1;
  const auto next = [&] { return (seed = seed * 6364136223846793005U + 1442695040888963407U) >> 44U; };
  for (int i = 0; i < 300; ++i) {
    Shares shares;
    for (std::uint64_t n = next() % 30; n > 0; --n)
      shares[key(static_cast<std::uint8_t>(next()))] += volume(next(), next());
    const Volume counted{
        .in_bytes = next() * 10, .out_bytes = next() * 10, .in_packets = next(), .out_packets = next()};
    EXPECT_EQ(sum(ledger.settle(shares, volume(next(), 0), counted, 5)), counted);
  }
}

Layer packet(std::uint8_t from, std::uint16_t from_port, std::uint8_t to, std::uint16_t to_port,
             std::uint8_t flags = tcp_flag::ack) {
  Layer layer;
  layer.begin({}, LayerKind::ip);
  layer.proto = layer.key.proto = IpProto::tcp;
  layer.from_low = from < to;
  layer.key.low = host(std::min(from, to));
  layer.key.high = host(std::max(from, to));
  layer.key.low_port = from < to ? from_port : to_port;
  layer.key.high_port = from < to ? to_port : from_port;
  layer.src_port = from_port;
  layer.dst_port = to_port;
  layer.tcp_header = true;
  layer.tcp_flags = flags;
  return layer;
}

std::vector<MeteredFlow> flows_of(const TrafficMeter& meter) {
  std::vector<MeteredFlow> out;
  meter.each([&](const MeteredFlow& flow) { out.push_back(flow); });
  return out;
}

TEST(TrafficMeter, PutsPacketsIntoTheirInterval) {
  TrafficMeter meter({});
  EXPECT_TRUE(meter.add(packet(1, 40000, 2, 443), {10}, 100, Way::out));
  EXPECT_FALSE(meter.add(packet(2, 443, 1, 40000), {20}, 1000, Way::in));
  meter.end_at({25});
  // Late, and early.
  meter.add(packet(2, 443, 1, 40000), {24}, 500, Way::in);
  meter.add(packet(2, 443, 1, 40000), {26}, 7, Way::in);
  const auto first = flows_of(meter);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_THAT(first[0].now.bytes[0], ElementsAre(0U, 1500U));
  EXPECT_THAT(first[0].now.bytes[1], ElementsAre(100U, 0U));
  EXPECT_EQ(first[0].dst_port(), 443);
  meter.begin_next();
  const auto second = flows_of(meter);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_THAT(second[0].now.bytes[0], ElementsAre(0U, 7U));
}

TEST(TrafficMeter, TellsTheServerByTheLowerPort) {
  TrafficMeter meter({});
  meter.add(packet(1, 5201, 2, 40000), {1}, 100, Way::out);
  EXPECT_EQ(flows_of(meter)[0].dst_port(), 5201);
}

TEST(TrafficMeter, CountsALoopbacksPacketsForBothWays) {
  TrafficMeter meter({.loopback = true});
  meter.add(packet(1, 40000, 2, 443), {1}, 100, Way::in);
  const auto flows = flows_of(meter);
  EXPECT_THAT(flows[0].now.bytes[0], ElementsAre(100U, 0U));
  EXPECT_THAT(flows[0].now.bytes[1], ElementsAre(100U, 0U));
}

TEST(TrafficMeter, IsBounded) {
  TrafficMeter meter({.most_flows = 10});
  for (std::uint16_t port = 0; port < 100; ++port) meter.add(packet(1, port, 2, 443), {1}, 100, Way::out);
  EXPECT_EQ(meter.flows(), 10U);
  EXPECT_EQ(meter.overflow().bytes[1][0], 9'000U);
  meter.end_at({2});
  meter.begin_next();
  meter.end_at({3});
  meter.begin_next();
  EXPECT_EQ(meter.flows(), 0U);
  EXPECT_FALSE(meter.overflow().any());
}

TEST(TrafficMeter, KeepsWhatIsNotIpByItsEtherType) {
  TrafficMeter meter({});
  Layer arp;
  arp.begin({}, LayerKind::arp);
  arp.ether_type = 0x0806;
  meter.add(arp, {1}, 42, Way::in);
  const auto flows = flows_of(meter);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_FALSE(flows[0].ip);
  EXPECT_EQ(flows[0].key.low_port, 0x0806);
}

}  // namespace
}  // namespace weir

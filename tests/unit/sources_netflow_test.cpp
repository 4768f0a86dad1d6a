// NetFlow v1, v5 and v7, from bytes put together by hand.
#include "export_fixture.hpp"

namespace weir::test {
namespace {

// Sent one hour after the device was started.
constexpr std::size_t hour = 3'600'000;

struct V5 {
  std::size_t version = 5, count = 1, uptime = hour, sequence = 0, engine = 0x0102, sampling = 0;

  Octets operator()(const Octets& records) const {
    Octets header = be16(version) + be16(count) + be32(uptime) + be32(Exporting::epoch) + be32(500'000'000);
    if (version != 1) header = header + be32(sequence);
    if (version == 5) header = header + be16(engine) + be16(sampling);
    if (version == 7) header = header + be32(0);
    return header + records;
  }
};
// 10.0.0.1:40000 > 10.0.0.2:443, from 20 s to 10 s before it was sent.
Octets v5_record(std::size_t proto = 6, std::size_t src_port = 40000, std::size_t dst_port = 443) {
  return hex("0a000001 0a000002 0a0000fe 0003 0004 0000000a 00001000") + be32(hour - 20'000) +
         be32(hour - 10'000) + be16(src_port) + be16(dst_port) + hex("00 1b") + byte(proto) +
         hex("b8 fde8 fde9 18 10 0000");
}

TEST(Netflow, V5FillsEveryField) {
  Exporting device("netflow");
  device.send(V5{}(v5_record()));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(to_string(f.ref.src_ip), "10.0.0.1");
  EXPECT_EQ(to_string(f.ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(f.ref.src_port, 40000);
  EXPECT_EQ(f.ref.dst_port, 443);
  EXPECT_EQ(f.ref.proto, IpProto::tcp);
  EXPECT_EQ(f.ref.flow_id, 0U);
  EXPECT_EQ(to_string(f.next_hop.value()), "10.0.0.254");
  EXPECT_EQ(f.in_interface, 3U);
  EXPECT_EQ(f.out_interface, 4U);
  EXPECT_EQ(f.packets, 10U);
  EXPECT_EQ(f.bytes, 4096U);
  EXPECT_EQ(f.src_bytes, 4096U);
  EXPECT_EQ(f.dst_bytes, 0U);
  EXPECT_EQ(f.time, at(-19.5));
  EXPECT_EQ(f.duration, seconds(10));
  EXPECT_EQ(f.src_tcp_flags, "APSF");
  EXPECT_EQ(f.src_tos, 0xb8);
  EXPECT_EQ(f.src_as, 0xfde8U);
  EXPECT_EQ(f.dst_as, 0xfde9U);
  EXPECT_EQ(f.src_mask, 24);
  EXPECT_EQ(f.dst_mask, 16);
  EXPECT_EQ(to_string(f.exporter.value()), "192.0.2.1");
  EXPECT_EQ(f.domain, 0x0102U);
  EXPECT_EQ(f.sampling, std::nullopt);
  EXPECT_EQ(f.community_id.data(), nullptr);
  EXPECT_EQ(device.count(ExportCount::flows), 1U);
  EXPECT_EQ(device.count(ExportCount::messages), 1U);
  EXPECT_EQ(device.count(ExportCount::bytes), 72U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Netflow, V5SampledCountsAreScaled) {
  Exporting device("netflow");
  device.send(V5{.sampling = 0x4000 | 100}(v5_record()));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.sampling, 100U);
  EXPECT_EQ(f.packets, 1000U);
  EXPECT_EQ(f.bytes, 409'600U);
  EXPECT_EQ(f.src_packets, 1000U);
}

TEST(Netflow, IcmpTypeIsTheSourcePort) {
  Exporting device("netflow");
  device.send(V5{}(v5_record(1, 0, 0x0800)));
  device.send(V5{.sequence = 1}(v5_record(1, 0, 0x0301)));
  const auto flows = device.flows();
  EXPECT_EQ(flows.at(0).ref.src_port, 8);
  EXPECT_EQ(flows.at(0).ref.dst_port, 0) << "the echo reply that answers";
  EXPECT_EQ(flows.at(1).ref.src_port, 3);
  EXPECT_EQ(flows.at(1).ref.dst_port, 1) << "the code";
  EXPECT_EQ(flows.at(1).src_tcp_flags.data(), nullptr);
}

TEST(Netflow, V1HasNoSequence) {
  Exporting device("netflow");
  const Octets record = hex("0a000001 0a000002 00000000 0003 0004 0000000a 00001000") + be32(hour - 20'000) +
                        be32(hour - 10'000) + hex("9c40 01bb 0000 06 10 12 000000 00000000");
  device.send(V5{.version = 1}(record));
  device.send(V5{.version = 1}(record));
  const Flow f = device.flows().at(1);
  EXPECT_EQ(f.ref.src_port, 40000);
  EXPECT_EQ(f.ref.proto, IpProto::tcp);
  EXPECT_EQ(f.src_tos, 0x10);
  EXPECT_EQ(f.src_tcp_flags, "AS");
  EXPECT_EQ(f.next_hop, std::nullopt);
  EXPECT_EQ(f.src_as, std::nullopt);
  EXPECT_EQ(f.domain, std::nullopt);
  EXPECT_EQ(f.time, at(-19.5));
  EXPECT_EQ(device.count(ExportCount::lost), 0U);
}

TEST(Netflow, V7HasLongerRecords) {
  Exporting device("netflow");
  device.send(V5{.version = 7, .count = 2}(v5_record() + be32(0x0a0000fd) + v5_record() + be32(0)));
  ASSERT_EQ(device.flows().size(), 2U);
  EXPECT_EQ(device.flows().at(1).ref.dst_port, 443);
  EXPECT_EQ(device.flows().at(1).src_tcp_flags, "APSF");
  EXPECT_EQ(device.flows().at(1).sampling, std::nullopt);
}

TEST(Netflow, V8IsToldAsUnsupported) {
  Exporting device("netflow");
  device.send(V5{.version = 8}(v5_record()));
  EXPECT_EQ(device.oddities, std::vector<std::string>{"unsupported_version"});
  EXPECT_EQ(device.count(ExportCount::malformed), 1U);
  EXPECT_TRUE(device.flows().empty());
}

TEST(Netflow, WhatIsThereOfACutDatagramIsUsed) {
  Exporting device("netflow");
  Octets cut = V5{.count = 2}(v5_record() + v5_record());
  cut.resize(cut.size() - 1);
  device.send(cut);
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.count(ExportCount::malformed), 1U);
  EXPECT_EQ(device.oddities, std::vector<std::string>{"bad_count"});
}

TEST(Netflow, GapsLossesAndLateDatagrams) {
  Exporting device("netflow");
  device.send(V5{.sequence = 100}(v5_record()));
  device.send(V5{.sequence = 104}(v5_record()));  // 101 to 103 are missing
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 3U);
  device.send(V5{.sequence = 102}(v5_record()));  // late, not lost
  EXPECT_EQ(device.count(ExportCount::reordered), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 2U);
  device.send(V5{.sequence = 105}(v5_record()));
  device.send(V5{.sequence = 0xffffff00, .engine = 7}(v5_record()));  // another engine counts for itself
  device.send(V5{.sequence = 0xffffff01, .engine = 7}(v5_record()));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  EXPECT_EQ(device.count(ExportCount::restarts), 0U);
  EXPECT_EQ(device.flows().size(), 6U);
}

TEST(Netflow, SequenceNumbersWrap) {
  Exporting device("netflow");
  device.send(V5{.sequence = 0xffffffff}(v5_record()));
  device.send(V5{.sequence = 0}(v5_record()));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 0U);
  EXPECT_EQ(device.count(ExportCount::restarts), 0U);
}

TEST(Netflow, ADeviceThatStartsAnewLosesNothing) {
  Exporting device("netflow");
  device.send(V5{.sequence = 5000}(v5_record()));
  device.send(V5{.uptime = 60'000, .sequence = 4990}(v5_record()));
  EXPECT_EQ(device.count(ExportCount::restarts), 1U);
  EXPECT_EQ(device.count(ExportCount::reordered), 0U);
  EXPECT_EQ(device.count(ExportCount::lost), 0U);
}

TEST(Netflow, UptimesWrap) {
  Exporting device("netflow");
  // The flow began before the wrap and was sent after it.
  Octets record = v5_record();
  const Octets times = be32(0xffffffff - 9'999) + be32(0xffffffff - 4'999);
  std::copy(times.begin(), times.end(), record.begin() + 24);
  device.send(V5{.uptime = 10'000}(record));
  EXPECT_EQ(device.flows().at(0).time, at(0.5 - 20));
  EXPECT_EQ(device.flows().at(0).duration, seconds(5));
}

TEST(Netflow, ImplausibleTimesAreReplaced) {
  Exporting device("netflow");
  device.now = {at(-2 * 86'400)};  // sent two days later than received
  device.send(V5{}(v5_record()));
  EXPECT_EQ(device.flows().at(0).time, device.now);
  EXPECT_EQ(device.flows().at(0).duration, seconds(10));
  EXPECT_EQ(device.oddities, std::vector<std::string>{"implausible_time"});
}

TEST(Netflow, EnginesAreBounded) {
  Exporting device("netflow");
  device.limits.domains = 4;
  for (std::size_t engine = 0; engine < 10; ++engine) device.send(V5{.engine = engine}(v5_record()));
  EXPECT_EQ(device.count(ExportCount::limited), 6U);
  EXPECT_EQ(device.flows().size(), 10U);
}

}  // namespace
}  // namespace weir::test

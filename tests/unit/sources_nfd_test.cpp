// nfdump's own export, from bytes put together by hand.
#include "export_fixture.hpp"

namespace weir::test {
namespace {

Octets le(std::uint64_t v, std::size_t size) {
  Octets out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  return out;
}
Octets extension(std::size_t id, const Octets& body) {
  return le(id, 2) + le(4 + body.size(), 2) + body;
}
// 10.0.0.1:40000 > 10.0.0.2:443, from 20 s to 10 s before it is received.
Octets record(std::size_t type = 11, std::int64_t first = Exporting::epoch - 20) {
  const Octets generic = le(static_cast<std::uint64_t>(first) * 1000, 8) +
                         le((Exporting::epoch - 10) * 1000, 8) + le(0, 8) + le(10, 8) + le(4096, 8) +
                         le(40000, 2) + le(443, 2) + hex("06 1b 00 b8");
  const Octets body = extension(1, generic) + extension(2, le(0x0a000001, 4) + le(0x0a000002, 4));
  return le(type, 2) + le(12 + body.size(), 2) + le(2, 2) + hex("11 01 0000 00 41") + body;
}
Octets message(const Octets& records, std::size_t count = 1, std::size_t sequence = 0,
               std::size_t version = 240) {
  return be16(version) + be16(16 + records.size()) + be32(0) + be32(sequence) + be32(count) + records;
}

TEST(Nfd, FillsTheFlow) {
  Exporting device("nfd");
  device.send(message(record() + record(), 2));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 2U);
  const Flow& f = flows[1];
  EXPECT_EQ(to_string(f.ref.src_ip), "10.0.0.1");
  EXPECT_EQ(to_string(f.ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(f.ref.src_port, 40000);
  EXPECT_EQ(f.ref.dst_port, 443);
  EXPECT_EQ(f.ref.proto, IpProto::tcp);
  EXPECT_EQ(f.packets, 10U);
  EXPECT_EQ(f.bytes, 4096U);
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.duration, seconds(10));
  EXPECT_EQ(f.src_tcp_flags, "APSF");
  EXPECT_EQ(f.src_tos, 0xb8);
  EXPECT_EQ(to_string(f.exporter.value()), "192.0.2.1");
  EXPECT_EQ(device.count(ExportCount::flows), 2U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Nfd, TheLaterNumberIsTheSame) {
  Exporting device("nfd");
  device.send(message(record(), 1, 0, 250));
  EXPECT_EQ(device.flows().size(), 1U);
}

TEST(Nfd, DatagramsAreNumbered) {
  Exporting device("nfd");
  for (const std::size_t sequence : {0U, 1U, 4U}) device.send(message(record(), 1, sequence));
  EXPECT_EQ(device.count(ExportCount::lost), 2U);
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
}

TEST(Nfd, WhatIsThereOfACutDatagramIsUsed) {
  Exporting device("nfd");
  Octets cut = message(record() + record(), 2);
  cut.resize(cut.size() - 1);
  device.send(cut);
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.count(ExportCount::malformed), 2U);
  EXPECT_EQ(device.oddities, (std::vector<std::string>{"bad_length", "bad_count"}));
}

TEST(Nfd, OtherRecordsAreCounted) {
  Exporting device("nfd");
  device.send(message(record(12) + record(), 2));
  EXPECT_EQ(device.flows().size(), 1U) << "the one behind";
  EXPECT_EQ(device.oddities, std::vector<std::string>{"unsupported_record"});
}

TEST(Nfd, ATimeThatCannotBeIsThatOfReceipt) {
  Exporting device("nfd");
  device.send(message(record(11, Exporting::epoch + 200'000)));
  EXPECT_EQ(device.flows().at(0).time, device.now);
  EXPECT_EQ(device.oddities, std::vector<std::string>{"implausible_time"});
}

}  // namespace
}  // namespace weir::test

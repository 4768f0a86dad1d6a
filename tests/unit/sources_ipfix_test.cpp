// IPFIX (RFC 7011), from bytes put together by hand.
#include "export_fixture.hpp"

namespace weir::test {
namespace {

struct Message {
  std::size_t sequence = 0, domain = 5, sent = Exporting::epoch;

  Octets operator()(const Octets& sets) const {
    return be16(10) + be16(16 + sets.size()) + be32(sent) + be32(sequence) + be32(domain) + sets;
  }
};
Octets set(std::size_t id, const Octets& body) {
  return be16(id) + be16(4 + body.size()) + body;
}
struct F {
  std::size_t id, length, enterprise = 0;
};
Octets fields(const std::vector<F>& all) {
  Octets out;
  for (const F& f : all)
    out = out + (f.enterprise == 0 ? be16(f.id) + be16(f.length)
                                   : be16(f.id | 0x8000U) + be16(f.length) + be32(f.enterprise));
  return out;
}
Octets define(std::size_t id, const std::vector<F>& all) {
  return set(2, be16(id) + be16(all.size()) + fields(all));
}
Octets define_options(std::size_t id, std::size_t scopes, const std::vector<F>& all) {
  return set(3, be16(id) + be16(all.size()) + be16(scopes) + fields(all));
}
constexpr std::uint64_t now_ms = std::uint64_t{Exporting::epoch} * 1000;
const Octets ends4 = hex("0a000001 0a000002");
const std::vector<F> plain = {{8, 4}, {12, 4}, {2, 8}, {1, 8}, {152, 8}, {153, 8}};
Octets record(std::uint64_t packets = 10, std::uint64_t bytes = 1000) {
  return ends4 + be64(packets) + be64(bytes) + be64(now_ms - 20'000) + be64(now_ms - 10'000);
}
// The one flow of a template and its record.
Flow one(const std::vector<F>& all, const Octets& body, Exporting& device) {
  device.send(Message{.sequence = static_cast<std::size_t>(device.count(ExportCount::flows))}(
      define(256, all) + set(256, body)));
  const auto flows = device.flows();
  EXPECT_FALSE(flows.empty());
  return flows.empty() ? Flow{} : flows.back();
}
Flow one(const std::vector<F>& all, const Octets& body) {
  Exporting device("ipfix");
  return one(all, body, device);
}

TEST(Ipfix, ReadsFlowsByTheirTemplate) {
  Exporting device("ipfix");
  device.send(Message{}(define(256, plain) + set(256, record() + record(1, 40) + hex("0000"))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(to_string(flows[0].ref.src_ip), "10.0.0.1");
  EXPECT_EQ(flows[0].bytes, 1000U);
  EXPECT_EQ(flows[0].time, at(-20));
  EXPECT_EQ(flows[0].duration, seconds(10));
  EXPECT_EQ(flows[1].bytes, 40U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Ipfix, TimesInEveryUnit) {
  constexpr std::uint64_t ntp = 2'208'988'800;
  const auto ntp_at = [](std::uint64_t s, std::uint64_t fraction) {
    return be64((s + ntp) << 32U | fraction);
  };
  Flow f = one({{8, 4}, {12, 4}, {150, 4}, {151, 4}},
               ends4 + be32(Exporting::epoch - 20) + be32(Exporting::epoch - 10));
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.duration, seconds(10));
  // Half a second; the lowest 11 bits of microseconds do not count (RFC 7011 §6.1.9).
  f = one({{8, 4}, {12, 4}, {154, 8}, {155, 8}},
          ends4 + ntp_at(Exporting::epoch - 20, 0x800007ff) + ntp_at(Exporting::epoch - 10, 0x80000000));
  EXPECT_EQ(f.time, at(-19.5));
  EXPECT_EQ(f.duration, seconds(10));
  f = one({{8, 4}, {12, 4}, {156, 8}, {157, 8}},
          ends4 + ntp_at(Exporting::epoch - 20, 0x80000000) + ntp_at(Exporting::epoch - 20, 0xc0000000));
  EXPECT_EQ(f.time, at(-19.5));
  EXPECT_EQ(f.duration, milliseconds(250));
  f = one({{8, 4}, {12, 4}, {158, 4}, {159, 4}}, ends4 + be32(20'000'000) + be32(10'000'000));
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.duration, seconds(10));
  f = one({{8, 4}, {12, 4}, {152, 8}, {161, 4}}, ends4 + be64(now_ms - 20'000) + be32(1500));
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.duration, milliseconds(1500));
  f = one({{8, 4}, {12, 4}, {153, 8}, {162, 4}}, ends4 + be64(now_ms) + be32(2'000'000));
  EXPECT_EQ(f.time, at(-2));
  EXPECT_EQ(f.duration, seconds(2));
  f = one({{8, 4}, {12, 4}}, ends4);
  EXPECT_EQ(f.time, at(0)) << "when it was sent";
  EXPECT_EQ(f.duration, Duration{});
}

TEST(Ipfix, UptimesCountFromWhenTheDeviceWasStarted) {
  const std::vector<F> by_uptime = {{8, 4}, {12, 4}, {22, 4}, {21, 4}};
  const Octets body = ends4 + be32(80'000) + be32(90'000);
  // Said in the record, said in options data, not said at all.
  std::vector<F> all = by_uptime;
  all.push_back({160, 8});
  EXPECT_EQ(one(all, body + be64(now_ms - 100'000)).time, at(-20));
  Exporting device("ipfix");
  device.send(Message{}(define_options(300, 1, {{143, 4}, {160, 8}}) +
                        set(300, be32(1) + be64(now_ms - 100'000)) + define(256, by_uptime) +
                        set(256, body)));
  EXPECT_EQ(device.flows().at(0).time, at(-20));
  EXPECT_EQ(device.flows().at(0).duration, seconds(10));
  const Flow unknown = one(by_uptime, body);
  EXPECT_EQ(unknown.time, at(-10)) << "over when it was sent";
  EXPECT_EQ(unknown.duration, seconds(10));
  // Up for more than 2^32 ms.
  EXPECT_EQ(one(all, body + be64(now_ms - 100'000 - (std::uint64_t{1} << 32U))).time, at(-20));
}

TEST(Ipfix, ImplausibleTimesAreReplaced) {
  Exporting device("ipfix");
  EXPECT_EQ(one(plain, ends4 + be64(1) + be64(1) + be64(5) + be64(6), device).time, device.now);
  EXPECT_EQ(
      one(plain, ends4 + be64(1) + be64(1) + be64(~std::uint64_t{0}) + be64(~std::uint64_t{0}), device).time,
      device.now);
  EXPECT_EQ(
      one(plain, ends4 + be64(1) + be64(1) + be64(now_ms + 2 * 86'400'000) + be64(now_ms + 2 * 86'400'000),
          device)
          .time,
      device.now);
  EXPECT_EQ(device.oddities, std::vector<std::string>(3, "implausible_time"));
  const Flow reversed = one(plain, ends4 + be64(1) + be64(1) + be64(now_ms) + be64(now_ms - 1), device);
  EXPECT_EQ(reversed.duration, Duration{});
  EXPECT_EQ(device.oddities.back(), "end_before_start");
}

TEST(Ipfix, VariableLengths) {
  Exporting device("ipfix");
  const std::string long_name(300, 'x');
  device.send(Message{}(define(256, {{82, 0xffff}, {8, 4}, {96, 0xffff}, {12, 4}, {1, 0xffff}, {2, 2}}) +
                        set(256, byte(3) + text("eth") + hex("0a000001") + byte(5) + text("https") +
                                     hex("0a000002 02 0102 0003") +  //
                                     byte(0) + hex("0a000003") + byte(255) + be16(300) + text(long_name) +
                                     hex("0a000004 08 0000000000000005 0006"))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(to_string(flows[0].ref.src_ip), "10.0.0.1");
  EXPECT_EQ(flows[0].application, "https");
  EXPECT_EQ(to_string(flows[0].ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(flows[0].bytes, 0x102U);
  EXPECT_EQ(flows[0].packets, 3U);
  EXPECT_EQ(flows[1].application, long_name);
  EXPECT_EQ(flows[1].bytes, 5U);
  EXPECT_EQ(flows[1].packets, 6U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Ipfix, AVariableLengthThatLeavesItsSetIsMalformed) {
  for (const Octets& bad :
       {hex("ff"), hex("ffff"), hex("ffffff 0a"), hex("05 0a000001"), hex("04 0a000001 00")}) {
    Exporting device("ipfix");
    device.send(Message{}(define(256, {{8, 4}, {96, 0xffff}, {12, 4}}) + set(256, hex("0a000001") + bad)));
    EXPECT_TRUE(device.flows().empty());
    EXPECT_EQ(device.count(ExportCount::flows), 0U);
  }
}

TEST(Ipfix, StructuredDataIsSkipped) {
  const Flow f = one({{8, 4}, {293, 0xffff}, {291, 6}, {292, 0xffff}, {12, 4}, {1, 4}},
                     hex("0a000001 05 0401020304 aabbccddeeff ff0003 010203 0a000002 00000007"));
  EXPECT_EQ(to_string(f.ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(f.bytes, 7U);
}

TEST(Ipfix, BothDirectionsInOneRecord) {
  // RFC 5103: the reverse elements; the record covers both directions' times.
  const Flow f = one({{8, 4},
                      {12, 4},
                      {4, 1},
                      {1, 4},
                      {2, 4},
                      {6, 1},
                      {152, 8},
                      {153, 8},
                      {1, 4, 29305},
                      {2, 4, 29305},
                      {6, 2, 29305},
                      {5, 1, 29305},
                      {152, 8, 29305},
                      {153, 8, 29305}},
                     ends4 + hex("06 00000064 00000002 02") + be64(now_ms - 20'000) + be64(now_ms - 15'000) +
                         hex("000003e8 00000003 0012 10") + be64(now_ms - 19'000) + be64(now_ms - 10'000));
  EXPECT_EQ(f.src_bytes, 100U);
  EXPECT_EQ(f.dst_bytes, 1000U);
  EXPECT_EQ(f.bytes, 1100U);
  EXPECT_EQ(f.src_packets, 2U);
  EXPECT_EQ(f.dst_packets, 3U);
  EXPECT_EQ(f.packets, 5U);
  EXPECT_EQ(f.src_tcp_flags, "S");
  EXPECT_EQ(f.dst_tcp_flags, "AS");
  EXPECT_EQ(f.dst_tos, 0x10);
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.duration, seconds(10));
}

TEST(Ipfix, WhichCountCounts) {
  // Deltas before totals before layer 2; initiator and responder before all.
  EXPECT_EQ(one({{85, 4}, {1, 4}, {8, 4}}, be32(9) + be32(5) + be32(1)).bytes, 5U);
  EXPECT_EQ(one({{352, 4}, {85, 4}, {23, 4}, {8, 4}}, be32(7) + be32(9) + be32(3) + be32(1)).bytes, 9U);
  EXPECT_EQ(one({{23, 4}, {352, 4}, {8, 4}}, be32(3) + be32(7) + be32(1)).bytes, 7U);
  const Flow both = one({{1, 4}, {231, 4}, {232, 4}, {298, 4}, {299, 4}, {8, 4}},
                        be32(1) + be32(10) + be32(20) + be32(3) + be32(4) + be32(1));
  EXPECT_EQ(both.src_bytes, 10U);
  EXPECT_EQ(both.dst_bytes, 20U);
  EXPECT_EQ(both.packets, 7U);
}

TEST(Ipfix, AddressesOfBothFamilies) {
  const std::vector<F> dual = {{27, 16}, {28, 16}, {8, 4}, {12, 4}};
  const Octets v6 = hex("20010db8000000000000000000000001 20010db8000000000000000000000002");
  EXPECT_EQ(to_string(one(dual, v6 + be64(0)).ref.src_ip), "2001:db8::1");
  EXPECT_EQ(to_string(one(dual, Octets(32) + ends4).ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(to_string(one({{8, 4}, {12, 4}}, be32(0) + be32(0xffffffff)).ref.src_ip), "0.0.0.0");
  const Flow f = one({{27, 16}, {28, 16}, {62, 16}, {63, 16}, {281, 16}, {29, 1}},
                     v6 + hex("20010db8000000000000000000000003 00000000000000000000000000000000"
                              "20010db8000000000000000000000005 40"));
  EXPECT_EQ(to_string(f.next_hop.value()), "2001:db8::3");
  EXPECT_EQ(f.bgp_next_hop, std::nullopt);
  EXPECT_EQ(to_string(f.nat_src_ip.value()), "2001:db8::5");
  EXPECT_EQ(f.src_mask, 64);
}

TEST(Ipfix, Icmp) {
  const Octets head = ends4 + byte(1);
  Flow f = one({{8, 4}, {12, 4}, {4, 1}, {7, 2}, {11, 2}, {32, 2}}, head + hex("0000 0000 0303"));
  EXPECT_EQ(f.ref.src_port, 3);
  EXPECT_EQ(f.ref.dst_port, 3);
  f = one({{8, 4}, {12, 4}, {4, 1}, {176, 1}, {177, 1}}, head + hex("0800"));
  EXPECT_EQ(f.ref.src_port, 8);
  EXPECT_EQ(f.ref.dst_port, 0);
  f = one({{27, 16}, {28, 16}, {4, 1}, {139, 2}}, Octets(32) + byte(58) + hex("8000"));
  EXPECT_EQ(f.ref.src_port, 128);
  EXPECT_EQ(f.ref.dst_port, 129);
  f = one({{27, 16}, {28, 16}, {4, 1}, {178, 1}, {179, 1}}, Octets(32) + byte(58) + hex("0104"));
  EXPECT_EQ(f.ref.src_port, 1);
  EXPECT_EQ(f.ref.dst_port, 4);
}

TEST(Ipfix, WhatTheDeviceDid) {
  const auto reason = [](std::size_t v) { return one({{8, 4}, {136, 1}}, be32(1) + byte(v)).end_reason; };
  EXPECT_EQ(reason(1), "idle");
  EXPECT_EQ(reason(2), "active");
  EXPECT_EQ(reason(3), "closed");
  EXPECT_EQ(reason(4), "end");
  EXPECT_EQ(reason(5), "evicted");
  EXPECT_EQ(reason(0).data(), nullptr);
  EXPECT_EQ(reason(99).data(), nullptr);
  EXPECT_EQ(one({{8, 4}, {233, 1}}, be32(1) + byte(3)).event, "denied");
  EXPECT_EQ(one({{8, 4}, {230, 1}}, be32(1) + byte(5)).event, "nat_delete");
}

TEST(Ipfix, SamplingInItsManyWords) {
  const auto rate = [](const std::vector<F>& options, const Octets& values) {
    Exporting device("ipfix");
    std::vector<F> all = {{144, 4}};
    all.insert(all.end(), options.begin(), options.end());
    device.send(Message{}(define_options(300, 1, all) + set(300, be32(1) + values) + define(256, plain) +
                          set(256, record(1))));
    return device.flows().at(0).sampling.value_or(0);
  };
  EXPECT_EQ(rate({{34, 4}}, be32(100)), 100U);
  EXPECT_EQ(rate({{50, 4}, {49, 1}}, be32(1000) + byte(2)), 1000U);
  EXPECT_EQ(rate({{304, 2}, {305, 4}, {306, 4}}, be16(1) + be32(1) + be32(9)), 10U);
  EXPECT_EQ(rate({{305, 4}, {306, 4}}, be32(2) + be32(98)), 50U);
  EXPECT_EQ(rate({{305, 4}, {306, 4}}, be32(1) + be32(0)), 1U);
  EXPECT_EQ(rate({{305, 4}}, be32(512)), 512U) << "some devices leave out the space";
  EXPECT_EQ(rate({{305, 4}, {309, 4}, {310, 4}}, be32(1) + be32(1) + be32(256)), 256U);
  EXPECT_EQ(rate({{309, 4}, {310, 4}}, be32(5) + be32(100)), 20U);
  EXPECT_EQ(rate({{311, 8}}, hex("3f847ae147ae147b")), 100U);  // 0.01
  EXPECT_EQ(rate({{311, 4}}, hex("3c23d70a")), 100U);
  EXPECT_EQ(rate({{311, 8}}, hex("0000000000000000")), 0U);
  EXPECT_EQ(rate({{34, 4}}, be32(0)), 0U);
}

TEST(Ipfix, SamplingBySelectorInterfaceAndDomain) {
  Exporting device("ipfix");
  std::vector<F> selected = plain;
  selected.push_back({302, 8});
  device.send(Message{}(define_options(300, 1, {{302, 4}, {305, 4}, {306, 4}}) +
                        set(300, be32(7) + be32(1) + be32(99)) + define(256, selected) +
                        set(256, record(1) + be64(7))));
  EXPECT_EQ(device.flows().at(0).packets, 100U);
  std::vector<F> of_interface = plain;
  of_interface.push_back({10, 4});
  device.send(Message{.sequence = 2, .domain = 6}(define_options(301, 1, {{10, 4}, {34, 4}}) +
                                                  set(301, be32(3) + be32(50)) + define(256, of_interface) +
                                                  set(256, record(1) + be32(3) + record(1) + be32(4))));
  EXPECT_EQ(device.flows().at(1).packets, 50U);
  EXPECT_EQ(device.flows().at(2).sampling, std::nullopt);
  // Said in one domain about another.
  device.send(Message{.sequence = 0, .domain = 0}(define_options(302, 1, {{149, 4}, {34, 4}}) +
                                                  set(302, be32(9) + be32(20))));
  device.send(Message{.domain = 9}(define(256, plain) + set(256, record(1))));
  EXPECT_EQ(device.flows().at(3).packets, 20U);
}

TEST(Ipfix, CountsThatCannotBeScaledSaturate) {
  std::vector<F> all = plain;
  all.push_back({34, 4});
  const Flow f = one(all, record(~std::uint64_t{0} / 2, 1) + be32(1000));
  EXPECT_EQ(f.packets, ~std::uint64_t{0});
  EXPECT_EQ(f.bytes, 1000U);
}

TEST(Ipfix, SampledPacketsAreDecoded) {
  const Octets packet = ip4(6, tcp(40000, 443, text("hello")));
  const Octets frame = hex("020000000002 020000000001 8100 0064 0800") + packet;
  Flow f = one({{10, 4}, {312, 2}, {34, 4}, {315, 0xffff}},
               be32(7) + be16(frame.size()) + be32(10) + byte(frame.size()) + frame);
  EXPECT_EQ(to_string(f.ref.src_ip), "192.0.2.1");
  EXPECT_EQ(to_string(f.ref.dst_ip), "198.51.100.2");
  EXPECT_EQ(f.ref.dst_port, 443);
  EXPECT_EQ(f.ref.proto, IpProto::tcp);
  EXPECT_EQ(f.src_tcp_flags, "AP");
  EXPECT_EQ(f.vlan, 100);
  EXPECT_EQ(f.src_mac->bytes[5], 1);
  EXPECT_EQ(f.in_interface, 7U);
  EXPECT_EQ(f.packets, 10U);
  EXPECT_EQ(f.bytes, 10 * packet.size()) << "of IP, as for weir's own flows";
  f = one({{313, 40}, {2, 4}}, Octets(packet.begin(), packet.begin() + 40) + be32(3));
  EXPECT_EQ(f.ref.src_port, 40000);
  EXPECT_EQ(f.packets, 3U);
  EXPECT_EQ(f.bytes, 3 * packet.size());
  // Addresses that are given are the exporter's word.
  f = one({{8, 4}, {12, 4}, {315, 0xffff}}, ends4 + byte(frame.size()) + frame);
  EXPECT_EQ(to_string(f.ref.src_ip), "10.0.0.1");
}

TEST(Ipfix, TemplatesAreWithdrawnInStreams) {
  Exporting device("ipfix");
  device.stream = true;
  device.send(
      Message{}(define(256, plain) + define(257, plain) + define_options(258, 1, {{144, 4}, {34, 4}})));
  device.send(Message{}(set(2, be16(256) + be16(0))));
  EXPECT_EQ(device.count(ExportCount::withdrawn), 1U);
  device.send(Message{}(set(256, record())));
  EXPECT_TRUE(device.flows().empty());
  device.send(Message{}(set(257, record())));
  EXPECT_EQ(device.flows().size(), 1U);
  device.send(Message{.sequence = 1}(set(3, be16(3) + be16(0))));
  EXPECT_EQ(device.count(ExportCount::withdrawn), 2U);
  device.send(Message{.sequence = 1}(set(2, be16(2) + be16(0))));
  EXPECT_EQ(device.count(ExportCount::withdrawn), 3U);
  device.send(Message{.sequence = 1}(set(2, be16(2) + be16(0)) + set(2, be16(256) + be16(0))));
  EXPECT_EQ(device.oddities.back(), "unknown_withdrawal");
}

TEST(Ipfix, WithdrawalsInDatagramsAreIgnored) {
  Exporting device("ipfix");
  device.send(Message{}(define(256, plain)));
  device.send(Message{}(set(2, be16(256) + be16(0)) + set(256, record())));
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.count(ExportCount::withdrawn), 0U);
  EXPECT_EQ(device.oddities, std::vector<std::string>{"withdrawal_in_datagram"});
}

TEST(Ipfix, TemplatesOfAStreamDoNotExpire) {
  for (const bool stream : {true, false}) {
    Exporting device("ipfix");
    device.stream = stream;
    device.send(Message{}(define(256, plain)));
    device.now = at(86'400);
    device.send(Message{.sent = Exporting::epoch + 86'400}(set(256, record())));
    EXPECT_EQ(device.flows().size(), stream ? 1U : 0U);
    EXPECT_EQ(device.count(ExportCount::withdrawn), stream ? 0U : 1U);
  }
}

TEST(Ipfix, TheSequenceCountsDataRecords) {
  Exporting device("ipfix");
  const Octets two = set(256, record() + record());
  device.send(Message{.sequence = 100}(define(256, plain) + two));
  device.send(Message{.sequence = 102}(two));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 0U);
  device.send(Message{.sequence = 110}(two));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 6U);
  device.send(Message{.sequence = 104}(two));
  EXPECT_EQ(device.count(ExportCount::reordered), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 4U);
  // How many records are in a set without template is not known: nothing is thought lost behind it.
  device.send(Message{.sequence = 112}(set(999, record())));
  device.send(Message{.sequence = 150}(two));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  // Options data counts as well (RFC 7011 §3.1).
  device.send(
      Message{.sequence = 152}(define_options(300, 1, {{144, 4}, {34, 4}}) + set(300, be32(1) + be32(2))));
  device.send(Message{.sequence = 153}(two));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  device.send(Message{.sequence = 7'000'000}(two));
  device.send(Message{.sequence = 0}(two));
  EXPECT_EQ(device.count(ExportCount::restarts), 1U);
}

TEST(Ipfix, SettingsOfADomainSurviveARestart) {
  Exporting device("ipfix");
  device.send(Message{}(define_options(300, 1, {{143, 4}, {160, 8}, {302, 4}, {34, 4}}) +
                        set(300, be32(1) + be64(now_ms - 100'000) + be32(7) + be32(10)) +
                        define_options(301, 1, {{95, 4}, {96, 0xffff}}) +
                        set(301, hex("0d000001") + byte(4) + text("quic")) +
                        define(256, {{8, 4}, {22, 4}, {21, 4}, {2, 4}, {302, 4}, {95, 4}, {1, 4, 29305}})));
  const auto state = device.save();
  device.restart(state);
  EXPECT_EQ(device.save(), state);
  device.send(Message{}(set(
      256, hex("0a000001") + be32(80'000) + be32(90'000) + be32(2) + be32(7) + hex("0d000001 00000005"))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.time, at(-20));
  EXPECT_EQ(f.src_packets, 20U);
  EXPECT_EQ(f.dst_bytes, 50U);
  EXPECT_EQ(f.application, "quic");
}

TEST(Ipfix, LengthsOfStreams) {
  const CollectorSpec& spec = *find_plugin<CollectorSpec>("ipfix");
  const Octets message = Message{}(define(256, plain));
  EXPECT_EQ(spec.framed(Bytes(message).first(3)), 0U);
  EXPECT_EQ(spec.framed(Bytes(message).first(4)), message.size());
  EXPECT_EQ(spec.framed(hex("000a000f")), CollectorSpec::npos);
  EXPECT_EQ(spec.framed(hex("00090020")), CollectorSpec::npos);
}

TEST(Ipfix, HostileMessages) {
  Exporting device("ipfix");
  Octets cut = Message{}(define(256, plain) + set(256, record() + record()));
  cut.resize(cut.size() - 1);
  device.send(cut);
  EXPECT_EQ(device.oddities, (std::vector<std::string>{"bad_message_length", "truncated_set"}));
  EXPECT_EQ(device.flows().size(), 1U);
  device.send(Message{}(set(3, be16(300) + be16(1) + be16(2) + fields({{144, 4}}))));
  EXPECT_EQ(device.oddities.back(), "bad_template") << "more scopes than fields";
  device.send(Message{}(define(257, {{144, 4}}) + set(257, be32(1))));
  EXPECT_EQ(device.flows().size(), 1U) << "not about a flow";
  device.send(be16(10) + be16(15) + be32(0) + be32(0) + be32(0));
  EXPECT_EQ(device.oddities.back(), "truncated_header");
  // As many variable fields as there may be, none of them there.
  device.send(Message{}(define(258, std::vector<F>(1024, {96, 0xffff})) + set(258, Octets(1023))));
  EXPECT_EQ(device.oddities.back(), "short_record");
  device.send(Message{}(define(259, std::vector<F>(1025, {96, 0xffff}))));
  EXPECT_EQ(device.oddities.back(), "too_many_fields");
}

}  // namespace
}  // namespace weir::test

// NetFlow v9 (RFC 3954), from bytes put together by hand.
#include "export_fixture.hpp"

namespace weir::test {
namespace {

constexpr std::size_t hour = 3'600'000;

struct V9 {
  std::size_t sequence = 0, source = 5, uptime = hour, sent = Exporting::epoch;

  Octets operator()(const Octets& sets) const {
    return be16(9) + be16(1) + be32(uptime) + be32(sent) + be32(sequence) + be32(source) + sets;
  }
};
Octets set(std::size_t id, Octets body) {
  while (body.size() % 4 != 0) body.push_back(0);
  return be16(id) + be16(4 + body.size()) + body;
}
struct F {
  std::size_t type, length;
};
Octets fields(const std::vector<F>& all) {
  Octets out;
  for (const F& f : all) out = out + be16(f.type) + be16(f.length);
  return out;
}
Octets define(std::size_t id, const std::vector<F>& all) {
  return set(0, be16(id) + be16(all.size()) + fields(all));
}
Octets define_options(std::size_t id, const std::vector<F>& scopes, const std::vector<F>& options) {
  return set(
      1, be16(id) + be16(4 * scopes.size()) + be16(4 * options.size()) + fields(scopes) + fields(options));
}
// src, dst, ports, protocol, packets, bytes, first, last
const std::vector<F> plain = {{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {2, 4}, {1, 4}, {22, 4}, {21, 4}};
Octets record(std::size_t packets = 10, std::size_t bytes = 1000) {
  return hex("0a000001 0a000002 9c40 01bb 06") + be32(packets) + be32(bytes) + be32(hour - 20'000) +
         be32(hour - 10'000);
}

TEST(Netflow9, ReadsFlowsByTheirTemplate) {
  Exporting device("netflow9");
  device.send(V9{}(define(256, plain) + set(256, record() + record(1, 40))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 2U) << "padding is no record";
  EXPECT_EQ(to_string(flows[0].ref.src_ip), "10.0.0.1");
  EXPECT_EQ(to_string(flows[0].ref.dst_ip), "10.0.0.2");
  EXPECT_EQ(flows[0].ref.src_port, 40000);
  EXPECT_EQ(flows[0].ref.dst_port, 443);
  EXPECT_EQ(flows[0].ref.proto, IpProto::tcp);
  EXPECT_EQ(flows[0].bytes, 1000U);
  EXPECT_EQ(flows[0].packets, 10U);
  EXPECT_EQ(flows[0].time, at(-20));
  EXPECT_EQ(flows[0].duration, seconds(10));
  EXPECT_EQ(flows[0].domain, 5U);
  EXPECT_EQ(flows[0].sampling, std::nullopt);
  EXPECT_EQ(flows[1].packets, 1U);
  EXPECT_EQ(device.count(ExportCount::templates), 1U);
  EXPECT_EQ(device.count(ExportCount::flows), 2U);
  EXPECT_TRUE(device.oddities.empty());
}

TEST(Netflow9, ReadsTheRestOfAFlow) {
  Exporting device("netflow9");
  device.send(
      V9{}(define(300, {{8, 4},  {12, 4}, {4, 1},     {6, 1},     {5, 1},   {10, 2},  {14, 4},
                        {16, 2}, {17, 4}, {9, 1},     {13, 1},    {15, 4},  {18, 4},  {56, 6},
                        {80, 6}, {58, 2}, {59, 2},    {61, 1},    {89, 1},  {192, 1}, {85, 4},
                        {1, 8},  {23, 4}, {40001, 4}, {40002, 4}, {227, 2}, {228, 2}, {230, 1}}) +
           set(300, hex("0a000001 0a000002 06 12 b8 0007 00000008 fde8 0000fde9 18 10 0a0000fe 0a0000fd"
                        "020000000001 020000000002 0064 00c8 01 40 3f 00009999 0000000000000fa0 00000001"
                        "cb007101 cb007102 1234 0050 04"))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.src_tcp_flags, "AS");
  EXPECT_EQ(f.src_tos, 0xb8);
  EXPECT_EQ(f.in_interface, 7U);
  EXPECT_EQ(f.out_interface, 8U);
  EXPECT_EQ(f.src_as, 0xfde8U);
  EXPECT_EQ(f.dst_as, 0xfde9U);
  EXPECT_EQ(f.src_mask, 24);
  EXPECT_EQ(f.dst_mask, 16);
  EXPECT_EQ(to_string(f.next_hop.value()), "10.0.0.254");
  EXPECT_EQ(to_string(f.bgp_next_hop.value()), "10.0.0.253");
  EXPECT_EQ(f.src_mac->bytes[5], 1);
  EXPECT_EQ(f.dst_mac->bytes[5], 2);
  EXPECT_EQ(f.vlan, 100);
  EXPECT_EQ(f.dst_vlan, 200);
  EXPECT_EQ(f.direction, "egress");
  EXPECT_EQ(f.forwarding, 64);
  EXPECT_EQ(f.src_ttl, 63);
  EXPECT_EQ(f.bytes, 4000U) << "the delta, not the total nor what left the device";
  EXPECT_EQ(to_string(f.nat_src_ip.value()), "203.0.113.1");
  EXPECT_EQ(to_string(f.nat_dst_ip.value()), "203.0.113.2");
  EXPECT_EQ(f.nat_src_port, 0x1234);
  EXPECT_EQ(f.nat_dst_port, 80);
  EXPECT_EQ(f.event, "nat_create");
}

TEST(Netflow9, ReadsFirewallEvents) {
  Exporting device("netflow9");
  device.send(V9{}(define(256, {{148, 4},
                                {8, 4},
                                {7, 2},
                                {12, 4},
                                {11, 2},
                                {4, 1},
                                {176, 1},
                                {177, 1},
                                {233, 1},
                                {33002, 2},
                                {323, 8},
                                {152, 8},
                                {231, 4},
                                {232, 4}}) +
                   set(256, hex("00000001 0a000001 0000 0a000002 0000 01 08 00 02 07e6") +
                                be64(Exporting::epoch * 1000 - 1000) + be64(Exporting::epoch * 1000 - 5000) +
                                be32(81) + be32(763))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.event, "deleted");
  EXPECT_EQ(f.time, at(-5));
  EXPECT_EQ(f.duration, seconds(4)) << "to the event";
  EXPECT_EQ(f.src_bytes, 81U);
  EXPECT_EQ(f.dst_bytes, 763U);
  EXPECT_EQ(f.bytes, 844U);
  EXPECT_EQ(f.ref.src_port, 8);
  EXPECT_EQ(f.ref.dst_port, 0);
}

TEST(Netflow9, DataWaitsForItsTemplate) {
  Exporting device("netflow9");
  device.send(V9{.sequence = 1, .sent = Exporting::epoch - 100}(set(256, record(1))));
  device.now = at(10);
  device.send(V9{.sequence = 2}(set(256, record(2))));
  EXPECT_TRUE(device.flows().empty());
  EXPECT_EQ(device.count(ExportCount::unknown_templates), 2U);
  device.send(V9{.sequence = 3, .source = 6}(define(256, plain)));  // of another domain
  EXPECT_TRUE(device.flows().empty());
  device.send(V9{.sequence = 3}(define(256, plain) + set(256, record(3))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 3U);
  EXPECT_EQ(flows[0].packets, 1U);
  EXPECT_EQ(flows[0].time, at(-120)) << "by the header it came with";
  EXPECT_EQ(flows[1].packets, 2U);
  EXPECT_EQ(flows[2].packets, 3U);
  device.send(V9{.sequence = 4}(define(256, plain)));
  EXPECT_EQ(device.flows().size(), 3U) << "only once";
  EXPECT_EQ(device.count(ExportCount::pending_dropped), 0U);
}

TEST(Netflow9, WaitingDataIsBounded) {
  Exporting device("netflow9");
  device.limits.pending_bytes = 20'000;
  for (std::size_t i = 0; i < 100; ++i) device.send(V9{.sequence = i}(set(256, record(i))));
  device.send(V9{.sequence = 100}(define(256, plain)));
  const auto flows = device.flows();
  ASSERT_FALSE(flows.empty());
  EXPECT_LT(flows.size(), 60U);
  EXPECT_EQ(flows.back().packets, 99U) << "the oldest made room";
  EXPECT_EQ(device.count(ExportCount::pending_dropped), 100 - flows.size());
  // Data whose template does not come at all is dropped in time.
  device.send(V9{.sequence = 101}(set(257, record())));
  device.now = at(3600);
  device.send(V9{.sequence = 102, .sent = Exporting::epoch + 3600}(define(257, plain)));
  EXPECT_EQ(device.flows().size(), flows.size());
  EXPECT_EQ(device.count(ExportCount::pending_dropped), 101 - flows.size());
}

TEST(Netflow9, SamplingOfTheWholeDevice) {
  Exporting device("netflow9");
  device.send(V9{}(define_options(260, {{1, 4}}, {{34, 4}, {35, 1}}) + set(260, hex("00000000 00000064 02")) +
                   define(256, plain) + set(256, record(10, 1000))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.sampling, 100U);
  EXPECT_EQ(f.packets, 1000U);
  EXPECT_EQ(f.bytes, 100'000U);
  EXPECT_EQ(device.count(ExportCount::options), 1U);
  // Of this domain only.
  device.send(V9{.source = 6}(define(256, plain) + set(256, record())));
  EXPECT_EQ(device.flows().at(1).sampling, std::nullopt);
}

TEST(Netflow9, SamplingByTheFlowsSampler) {
  Exporting device("netflow9");
  std::vector<F> sampled = plain;
  sampled.push_back({48, 1});
  device.send(V9{}(define_options(260, {{1, 4}}, {{48, 1}, {49, 1}, {50, 4}, {84, 8}}) +
                   set(260, hex("00000000 01 02 00000010") + text("one     ") +
                                hex("00000000 02 02 00000020") + text("two     ")) +
                   define(256, sampled) +
                   set(256, record(1) + byte(1) + record(1) + byte(2) + record(1) + byte(3)) +
                   define(257, plain) + set(257, record(1))));
  const auto flows = device.flows();
  ASSERT_EQ(flows.size(), 4U);
  EXPECT_EQ(flows[0].packets, 16U);
  EXPECT_EQ(flows[1].packets, 32U);
  EXPECT_EQ(flows[2].sampling, std::nullopt) << "nobody told about sampler 3";
  EXPECT_EQ(flows[3].sampling, std::nullopt) << "the samplers do not agree";
}

TEST(Netflow9, AFlowWithoutSamplerHasTheOneRateThereIs) {
  Exporting device("netflow9");
  device.send(V9{}(define_options(260, {{1, 4}}, {{48, 1}, {50, 4}}) + set(260, hex("00000000 01 00000010")) +
                   define(256, plain) + set(256, record(1))));
  EXPECT_EQ(device.flows().at(0).packets, 16U);
}

TEST(Netflow9, SamplingByInterface) {
  Exporting device("netflow9");
  std::vector<F> of_interface = plain;
  of_interface.push_back({10, 2});
  device.send(V9{}(define_options(260, {{2, 4}}, {{34, 4}}) +
                   set(260, hex("00000007 0000000a 00000008 00000014")) + define(256, of_interface) +
                   set(256, record(1) + be16(7) + record(1) + be16(8) + record(1) + be16(9))));
  const auto flows = device.flows();
  EXPECT_EQ(flows.at(0).packets, 10U);
  EXPECT_EQ(flows.at(1).packets, 20U);
  EXPECT_EQ(flows.at(2).packets, 1U);
}

TEST(Netflow9, NamesOfApplications) {
  Exporting device("netflow9");
  device.send(V9{}(define_options(260, {{1, 4}}, {{95, 4}, {96, 8}}) +
                   set(260, hex("00000000 0d000001") + text("https") + hex("000000")) +
                   define(256, {{8, 4}, {12, 4}, {1, 4}, {95, 4}}) +
                   set(256, hex("0a000001 0a000002 00000064 0d000001 0a000001 0a000002 00000064 0d000002"))));
  EXPECT_EQ(device.flows().at(0).application, "https");
  EXPECT_EQ(device.flows().at(1).application.data(), nullptr);
}

TEST(Netflow9, ATemplateThatIsSentAgainOtherwiseReplacesTheOldOne) {
  Exporting device("netflow9");
  device.send(V9{.sequence = 1}(define(256, {{8, 4}, {1, 4}}) + set(256, hex("0a000001 00000001"))));
  device.send(V9{.sequence = 2}(define(256, {{8, 4}, {2, 4}}) + set(256, hex("0a000001 00000001"))));
  EXPECT_EQ(device.flows().at(0).bytes, 1U);
  EXPECT_EQ(device.flows().at(1).bytes, 0U);
  EXPECT_EQ(device.flows().at(1).packets, 1U);
  EXPECT_EQ(device.count(ExportCount::templates), 2U);
}

TEST(Netflow9, TemplatesExpireUnlessTheyComeAgain) {
  Exporting device("netflow9");
  const auto later = [&](std::int64_t s) {
    device.now = at(static_cast<double>(s));
    return V9{.sequence = device.count(ExportCount::messages),
              .sent = static_cast<std::size_t>(Exporting::epoch + s)};
  };
  device.send(later(0)(define(256, plain) + define(257, plain)));
  device.send(later(3600)(define(256, plain)));
  device.send(later(7000)(set(256, record()) + set(257, record())));
  EXPECT_EQ(device.flows().size(), 1U);
  EXPECT_EQ(device.count(ExportCount::withdrawn), 1U);
  EXPECT_EQ(device.count(ExportCount::unknown_templates), 1U);
}

TEST(Netflow9, StateSurvivesARestart) {
  Exporting device("netflow9");
  EXPECT_FALSE(device.take_changed());
  device.send(V9{}(define_options(260, {{1, 4}}, {{34, 4}}) + set(260, hex("00000000 0000000a")) +
                   define(256, plain)));
  EXPECT_TRUE(device.take_changed());
  EXPECT_FALSE(device.take_changed());
  device.send(V9{}(define(256, plain) + set(260, hex("00000000 0000000a"))));
  EXPECT_FALSE(device.take_changed()) << "nothing new";
  const auto state = device.save();
  device.restart(state);
  EXPECT_FALSE(device.take_changed());
  EXPECT_EQ(device.save(), state);
  device.now = at(86'400.0 * 30);  // the templates' age begins anew
  device.send(V9{.sent = Exporting::epoch + 86'400 * 30}(set(256, record(1))));
  EXPECT_EQ(device.flows().at(0).packets, 10U);
}

TEST(Netflow9, DamagedStateIsHarmless) {
  Exporting device("netflow9");
  device.send(V9{}(define_options(260, {{1, 4}}, {{48, 1}, {50, 4}}) + set(260, hex("00000000 01 00000010")) +
                   define(256, plain)));
  const auto state = device.save();
  for (std::size_t cut = 0; cut < state.size(); ++cut)
    device.restart({state.begin(), state.begin() + static_cast<std::ptrdiff_t>(cut)});
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto damaged = state;
    damaged[i] ^= 0xff;
    device.restart(damaged);
    device.send(V9{}(set(256, record()) + set(260, record())));
  }
}

TEST(Netflow9, CountsWhatWasLost) {
  Exporting device("netflow9");
  const Octets body = define(256, plain);
  for (const std::size_t sequence : {10U, 11U, 15U, 13U, 16U}) device.send(V9{.sequence = sequence}(body));
  EXPECT_EQ(device.count(ExportCount::sequence_gaps), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 2U);
  EXPECT_EQ(device.count(ExportCount::reordered), 1U);
  device.send(V9{.sequence = 15, .uptime = 1000}(body));
  EXPECT_EQ(device.count(ExportCount::restarts), 1U);
  EXPECT_EQ(device.count(ExportCount::lost), 2U);
}

TEST(Netflow9, FieldsOfNoLengthAndOfOddLengths) {
  Exporting device("netflow9");
  device.send(V9{}(define(256, {{8, 4}, {95, 0}, {1, 3}, {2, 7}, {12, 5}, {7, 9}}) +
                   set(256, hex("0a000001 000102 00000000000103 0a00000201 000000000000000000"))));
  const Flow f = device.flows().at(0);
  EXPECT_EQ(f.bytes, 0x102U);
  EXPECT_EQ(f.packets, 0x103U);
  EXPECT_TRUE(f.ref.dst_ip.is_unspecified()) << "no address has five bytes";
  EXPECT_EQ(f.ref.src_port, 0);
}

TEST(Netflow9, HostileTemplatesAreRefused) {
  Exporting device("netflow9");
  device.limits.templates = 8;
  device.limits.template_fields = 64;
  device.limits.domains = 2;
  device.send(V9{.sequence = 0}(define(256, {{8, 0}})));  // records without a length
  EXPECT_EQ(device.oddities.back(), "empty_template");
  device.send(V9{.sequence = 1}(define(255, plain)));
  EXPECT_EQ(device.oddities.back(), "bad_template");
  device.send(V9{.sequence = 2}(define(256, {{8, 0xffff}})));
  EXPECT_EQ(device.oddities.back(), "bad_template");
  device.send(V9{.sequence = 3}(set(0, be16(256) + be16(1000) + be32(0))));
  EXPECT_EQ(device.oddities.back(), "bad_template");
  device.send(V9{.sequence = 4}(define(256, std::vector<F>(65, {8, 4}))));
  EXPECT_EQ(device.oddities.back(), "too_many_fields");
  EXPECT_EQ(device.count(ExportCount::limited), 1U);
  for (std::size_t i = 0; i < 10; ++i) device.send(V9{.sequence = 5 + i}(define(256 + i, plain)));
  EXPECT_EQ(device.oddities.back(), "too_many_templates");
  EXPECT_EQ(device.count(ExportCount::limited), 3U);
  device.send(V9{.source = 6}(define(256, plain)));
  device.send(V9{.source = 7}(define(256, plain)));
  EXPECT_EQ(device.oddities.back(), "too_many_domains");
  EXPECT_EQ(device.count(ExportCount::malformed), 4U);
  EXPECT_EQ(device.count(ExportCount::templates), 8U);
}

TEST(Netflow9, MalformedSetsEndTheMessage) {
  Exporting device("netflow9");
  device.send(V9{.sequence = 1}(define(256, plain)));
  device.send(V9{.sequence = 2}(be16(256) + be16(3) + set(256, record())));
  EXPECT_EQ(device.oddities.back(), "bad_set_length");
  EXPECT_TRUE(device.flows().empty());
  device.send(V9{.sequence = 3}(be16(256) + be16(4 + 100) + record() + record()));
  EXPECT_EQ(device.oddities.back(), "truncated_set");
  EXPECT_EQ(device.flows().size(), 2U);
  device.send(V9{.sequence = 4}(set(256, hex("0a000001"))));
  EXPECT_EQ(device.oddities.back(), "short_record");
  device.send(V9{.sequence = 5}(set(100, record())));
  EXPECT_EQ(device.oddities.back(), "reserved_set");
}

}  // namespace
}  // namespace weir::test

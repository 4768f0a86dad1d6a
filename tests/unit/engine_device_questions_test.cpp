#include "engine/device_questions.hpp"

#include <gtest/gtest.h>

#include "parser_fixture.hpp"
#include "records/dns.hpp"
#include "records/ssdp.hpp"

namespace weir::test {
namespace {

std::string text(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(DeviceQuestions, AreWhatTheirProtocolsSay) {
  const std::string reverse = reverse_name(*parse_addr("10.9.0.2"));
  EXPECT_EQ(reverse, "2.0.9.10.in-addr.arpa");
  EXPECT_EQ(reverse_name(*parse_addr("fe80::12:34ab")),
            "b.a.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa");
  ParserFlow mdns("dns", 5353, IpProto::udp);
  mdns.ref.dst_ip = *parse_addr("224.0.0.251");
  mdns.datagram(Side::orig, text(mdns_query({"_services._dns-sd._udp.local", reverse})));
  const auto asked = mdns.records<Dns>();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].query, "_services._dns-sd._udp.local");
  EXPECT_EQ(asked[1].query, reverse);
  EXPECT_EQ(asked[1].qtype_name, "PTR");
  EXPECT_EQ(asked[1].qclass_name, "IN");

  ParserFlow netbios("dns", 137, IpProto::udp);
  netbios.datagram(Side::orig, text(node_status_query()));
  netbios.end();
  const auto status = netbios.records<Dns>();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].query, "*<00>");
  EXPECT_EQ(status[0].qtype_name, "NBSTAT");

  EXPECT_NE(ssdp_search(true).find("HOST: [FF02::C]:1900\r\n"), std::string::npos);
  ParserFlow ssdp("ssdp");
  ssdp.datagram(Side::orig, ssdp_search());
  ASSERT_EQ(ssdp.records<Ssdp>().size(), 1u);
  EXPECT_EQ(ssdp.records<Ssdp>()[0].target, "ssdp:all");
  for (const ParserFlow* flow : {&mdns, &netbios, &ssdp}) EXPECT_TRUE(flow->oddities().empty());
}

}  // namespace
}  // namespace weir::test

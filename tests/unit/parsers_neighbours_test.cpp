// lldp, cdp, ssdp and NetBIOS node status: what devices tell whoever listens.
#include "engine/plan.hpp"
#include "packet/decode.hpp"
#include "parser_fixture.hpp"
#include "records/cdp.hpp"
#include "records/dns.hpp"
#include "records/lldp.hpp"
#include "records/netbios.hpp"
#include "records/ssdp.hpp"

namespace weir::test {
namespace {

std::string be16(std::size_t n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n & 0xff)};
}
std::string lldp_tlv(unsigned type, const std::string& value) {
  return be16(type << 9 | value.size()) + value;
}
std::string cdp_tlv(unsigned type, const std::string& value) {
  return be16(type) + be16(value.size() + 4) + value;
}
template <class T>
std::string joined(const List<T>& items) {
  std::string out;
  for (const T& item : items) {
    if (!out.empty()) out += ' ';
    if constexpr (std::is_same_v<T, Addr>)
      out += to_string(item);
    else if constexpr (std::is_same_v<T, std::uint16_t>)
      out += std::to_string(item);
    else
      out += std::string(item);
  }
  return out;
}

const std::string mandatory =
    lldp_tlv(1, unhex("04 020000000001")) + lldp_tlv(2, "\x05Gi0/1") + lldp_tlv(3, unhex("0078"));

struct LldpFlow : ParserFlow {
  explicit LldpFlow(const std::string& frame) : ParserFlow("lldp") {
    link.src_mac = Mac{{2, 0, 0, 0, 0, 9}};
    datagram(Side::orig, frame);
  }
};

TEST(Lldp, TellsDevicePortAndWhatTheyCan) {
  const std::string frame = mandatory + lldp_tlv(4, "uplink to\r\nroom 7") + lldp_tlv(5, "switch-1") +
                            lldp_tlv(6, std::string("Weir OS\0\0", 9)) + lldp_tlv(7, unhex("0014 0004")) +
                            lldp_tlv(8, unhex("05 01 0a4d0001 02 00000003 00")) +
                            lldp_tlv(8, unhex("11 02 fd77000000000000 0000000000000001 02 00000003 00")) +
                            lldp_tlv(0, "") + std::string(20, '\0');
  const LldpFlow flow(frame);
  const auto records = flow.records<Lldp>();
  ASSERT_EQ(records.size(), 1u);
  const Lldp& l = records[0];
  EXPECT_EQ(l.chassis_id, "02:00:00:00:00:01");
  EXPECT_EQ(l.chassis_id_kind, "mac");
  EXPECT_EQ(l.port_id, "Gi0/1");
  EXPECT_EQ(l.port_id_kind, "interface_name");
  EXPECT_EQ(l.ttl, seconds(120));
  EXPECT_EQ(l.port_description, "uplink to room 7");
  EXPECT_EQ(l.system_name, "switch-1");
  EXPECT_EQ(l.system_description, "Weir OS");
  EXPECT_EQ(joined(l.capabilities), "bridge router");
  EXPECT_EQ(joined(l.enabled_capabilities), "bridge");
  EXPECT_EQ(joined(l.management_addresses), "10.77.0.1 fd77::1");
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Lldp, ReadsTheOrganizationsThatMatter) {
  const auto org = [](std::string_view hex, const std::string& rest = {}) {
    return lldp_tlv(127, unhex(hex) + rest);
  };
  const LldpFlow flow(mandatory + org("0080c2 01 000a") + org("0080c2 03 000a 05", "staff") +
                      org("0080c2 03 0014 05", "voice") + org("00120f 01 03 6c01 001e") +
                      org("00120f 03 03 00000005") + org("00120f 04 05ee") + org("0012bb 01 0033 03") +
                      org("0012bb 02 01 402966") + org("0012bb 08", "SN-1") + org("0012bb 09", "Maker") +
                      org("0012bb 0a", "M7") + org("aabbcc 01 00"));
  const auto records = flow.records<Lldp>();
  ASSERT_EQ(records.size(), 1u);
  const Lldp& l = records[0];
  EXPECT_EQ(l.port_vlan, 10);
  EXPECT_EQ(joined(l.vlans), "10 20");
  EXPECT_EQ(joined(l.vlan_names), "staff voice");
  EXPECT_EQ(l.is_autonegotiated, true);
  EXPECT_EQ(l.is_aggregated, true);
  EXPECT_EQ(l.max_frame, 1518);
  EXPECT_EQ(l.speed, 1'000'000'000u);
  EXPECT_EQ(l.duplex, "full");
  EXPECT_EQ(l.device_class, "endpoint_3");
  EXPECT_EQ(l.voice_vlan, 20);
  EXPECT_EQ(l.serial, "SN-1");
  EXPECT_EQ(l.manufacturer, "Maker");
  EXPECT_EQ(l.model, "M7");
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Lldp, WhatIsBrokenIsOdd) {
  EXPECT_EQ(LldpFlow(lldp_tlv(5, "no port")).oddities(), std::vector<std::string>{"lldp_incomplete"});
  EXPECT_EQ(LldpFlow(mandatory + unhex("0aff 61")).oddities(), std::vector<std::string>{"lldp_truncated"});
  EXPECT_EQ(LldpFlow(mandatory + lldp_tlv(3, unhex("0001"))).oddities(),
            std::vector<std::string>{"lldp_repeated_tlv"});
  const LldpFlow flow(mandatory + lldp_tlv(127, unhex("00120f 01 03")));
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"lldp_bad_tlv"});
  EXPECT_EQ(flow.records<Lldp>().size(), 1u);
  for (std::size_t size = 0; size < mandatory.size(); ++size) const LldpFlow cut(mandatory.substr(0, size));
}

TEST(Cdp, TellsDevicePortAndAddresses) {
  ParserFlow flow("cdp");
  flow.datagram(Side::orig,
                unhex("02 b4 0000") + cdp_tlv(1, "switch-1.example.com") +
                    cdp_tlv(2, unhex("00000002 01 01 cc 0004 0a4d0001 02 08 aaaa0300000086dd 0010 "
                                     "fe800000000000000000000000000001")) +
                    cdp_tlv(3, "FastEthernet0/1") + cdp_tlv(4, unhex("00000029")) +
                    cdp_tlv(5, "Version 12\nbuilt by us") + cdp_tlv(6, "cisco WS-C3560") + cdp_tlv(9, "") +
                    cdp_tlv(10, unhex("000a")) + cdp_tlv(11, unhex("01")) + cdp_tlv(14, unhex("01 0014")) +
                    cdp_tlv(22, unhex("00000001 01 01 cc 0004 0a4d0003")));
  const auto records = flow.records<Cdp>();
  ASSERT_EQ(records.size(), 1u);
  const Cdp& d = records[0];
  EXPECT_EQ(d.version, 2);
  EXPECT_EQ(d.ttl, seconds(180));
  EXPECT_EQ(d.device_id, "switch-1.example.com");
  EXPECT_EQ(d.port_id, "FastEthernet0/1");
  EXPECT_EQ(joined(d.addresses), "10.77.0.1 fe80::1");
  EXPECT_EQ(joined(d.management_addresses), "10.77.0.3");
  EXPECT_EQ(joined(d.capabilities), "router switch igmp_filter");
  EXPECT_EQ(d.software, "Version 12 built by us");
  EXPECT_EQ(d.platform, "cisco WS-C3560");
  EXPECT_EQ(d.vtp_domain.data(), nullptr);
  EXPECT_EQ(d.native_vlan, 10);
  EXPECT_EQ(d.voice_vlan, 20);
  EXPECT_EQ(d.duplex, "full");
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Cdp, WhatIsBrokenIsOdd) {
  const auto odd = [](const std::string& frame) {
    ParserFlow flow("cdp");
    flow.datagram(Side::orig, frame);
    return flow.oddities();
  };
  const std::string head = unhex("02 b4 0000");
  EXPECT_EQ(odd(head), std::vector<std::string>{"cdp_incomplete"});
  EXPECT_EQ(odd(head + cdp_tlv(1, "x") + unhex("0002 0003")), std::vector<std::string>{"cdp_truncated"});
  EXPECT_EQ(odd(head + cdp_tlv(1, "x") + cdp_tlv(2, unhex("ffffffff 01"))),
            std::vector<std::string>{"cdp_bad_tlv"});
}

TEST(Ssdp, ReadsAnnouncementsSearchesAndAnswers) {
  ParserFlow flow("ssdp");
  flow.datagram(Side::orig,
                "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age = 1800\r\n"
                "LOCATION: http://10.77.0.1:80/d.xml\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"
                "SERVER: Linux/6.1 UPnP/1.1 Box/2\r\nUSN: uuid:1::upnp:rootdevice\r\n"
                "BOOTID.UPNP.ORG: 7\r\n\r\n");
  flow.datagram(Side::orig, "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nmx: 3\r\nst: ssdp:all\r\n\r\n");
  flow.datagram(Side::resp, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\nEXT:\r\n\r\n");
  flow.datagram(Side::orig, "NOTIFY * HTTP/1.1\r\nNT: uuid:1\r\nNTS: ssdp:byebye\r\nno colon\r\n\r\n");
  const auto records = flow.records<Ssdp>();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].message, "alive");
  EXPECT_EQ(records[0].target, "upnp:rootdevice");
  EXPECT_EQ(records[0].server, "Linux/6.1 UPnP/1.1 Box/2");
  EXPECT_EQ(records[0].location, "http://10.77.0.1:80/d.xml");
  EXPECT_EQ(records[0].max_age, seconds(1800));
  EXPECT_EQ(records[0].boot_id, 7u);
  EXPECT_EQ(records[1].message, "search");
  EXPECT_EQ(records[1].target, "ssdp:all");
  EXPECT_EQ(records[1].max_wait, seconds(3));
  EXPECT_EQ(records[2].message, "response");
  EXPECT_EQ(records[2].usn, "uuid:1");
  EXPECT_EQ(records[3].message, "byebye");
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"ssdp_bad_line"});
}

TEST(Ssdp, IsKnownByItsFirstLine) {
  const ParserFlow flow("ssdp");
  EXPECT_EQ(flow.match("M-SEARCH * HTTP/1.1\r\n"), Match::yes);
  EXPECT_EQ(flow.match("HTTP/1.1 200 OK\r\nST: x\r\n"), Match::yes);
  EXPECT_EQ(flow.match("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), Match::maybe);
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\n"), Match::no);
}

TEST(Netbios, NodeStatusListsNamesAndTheAdapter) {
  const auto entry = [](std::string name, const char* kind_and_flags) {
    name.resize(15, ' ');
    return name + unhex(kind_and_flags);
  };
  // CKAAAA…: the name "*".
  const std::string name =
      "\x20"
      "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" +
      std::string(1, '\0');
  const std::string data = unhex("05") + entry("STORE-1", "00 0400") + entry("STORE-1", "20 0400") +
                           entry("WORKGROUP", "00 8400") + entry("WORKGROUP", "1e 8400") +
                           entry("MY PC", "03 0400") + unhex("020000000001") + std::string(40, '\0');
  ParserFlow flow("dns", 137, IpProto::udp);
  flow.datagram(Side::orig, unhex("1234 0000 0001 0000 0000 0000") + name + unhex("0021 0001"));
  flow.datagram(Side::resp, unhex("1234 8400 0000 0001 0000 0000") + name + unhex("0021 0001 00000000") +
                                be16(data.size()) + data);
  const auto records = flow.records<Netbios>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(to_string(records[0].ip), "10.0.0.2");
  EXPECT_EQ(records[0].mac, (Mac{{2, 0, 0, 0, 0, 1}}));
  EXPECT_EQ(records[0].name, "STORE-1");
  EXPECT_EQ(records[0].workgroup, "WORKGROUP");
  EXPECT_EQ(joined(records[0].names), "STORE-1<00> STORE-1<20> MY PC<03>");
  EXPECT_EQ(joined(records[0].groups), "WORKGROUP<00> WORKGROUP<1e>");
  ASSERT_EQ(flow.records<Dns>().size(), 1u);
  EXPECT_EQ(flow.records<Dns>()[0].query, "*<00>");
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Mdns, AdditionalRecordsAreListed) {
  ParserFlow flow("dns", 5353, IpProto::udp);
  flow.ref.src_port = 5353;
  const std::string host = unhex("06") + "device" + unhex("05") + "local" + std::string(1, '\0');
  flow.datagram(Side::orig, unhex("0000 8400 0000 0001 0000 0001") + host +
                                unhex("0010 8001 00000078 0002 01 61") +
                                unhex("c00c 0001 8001 00000078 0004 0a4d0001"));
  const auto records = flow.records<Dns>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(joined(records[0].answer_types), "TXT A");
  EXPECT_EQ(joined(records[0].answers), "\"a\" 10.77.0.1");
}

TEST(LinkPayload, KnowsEthernetTypesAndSnap) {
  const auto payload = [](const std::string& frame) {
    std::vector<Layer> layers;
    RawPacket raw{};
    raw.data = reinterpret_cast<const std::uint8_t*>(frame.data());
    raw.captured = raw.length = static_cast<std::uint32_t>(frame.size());
    raw.link_type = 1;
    decode(raw, layers);
    EXPECT_EQ(layers[0].kind, LayerKind::other);
    const LinkPayload p = link_payload(layers[0]);
    return std::pair(p.protocol, std::string(as_text(p.bytes)));
  };
  const std::string macs = unhex("0180c200000e 020000000001");
  EXPECT_EQ(payload(macs + unhex("88cc") + "body"), std::pair(link_protocol(0, 0x88cc), std::string("body")));
  EXPECT_EQ(payload(macs + unhex("000c aaaa03 00000c 2000") + "bodypadding"),
            std::pair(link_protocol(0x00000c, 0x2000), std::string("body")));
  EXPECT_EQ(payload(macs + unhex("0007 424203") + "tree").first, 0u);
}

}  // namespace
}  // namespace weir::test

// nmap's and masscan's forms of what a scan found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/sink.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/port_count.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

using testing::HasSubstr;

constexpr Time start = Time{1'795'560'112'000'000'000};

struct Records {
  Host host{.time = start,
            .ip = *parse_addr("192.0.2.7"),
            .host = "a.example",
            .state = "up",
            .reason = "echo_reply",
            .ttl = 64,
            .rtt = milliseconds(2),
            .probes = 1,
            .mac = *parse_mac("02:00:5e:00:00:0a")};
  Port ssh{.time = start + seconds(1),
           .ip = host.ip,
           .host = "a.example",
           .port = 22,
           .state = "open",
           .reason = "syn_ack",
           .ttl = 64,
           .os = "Linux 4.20 or later",
           .os_confidence = 85};
  Port dns{.time = start + seconds(1),
           .ip = host.ip,
           .proto = IpProto::udp,
           .port = 53,
           .state = "open|filtered",
           .reason = "no_reply"};
  Port web{.time = start + seconds(1),
           .ip = *parse_addr("2001:db8::1"),
           .port = 443,
           .state = "open",
           .reason = "syn_ack",
           .ttl = 63};
  Text cpe[2] = {"cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:debian:debian_linux"};
  Service shell{.time = start + seconds(2),
                .ip = host.ip,
                .port = 22,
                .service = "ssh",
                .product = "OpenSSH",
                .version = "9.2p1",
                .info = "protocol 2.0",
                .os = "Debian Linux",
                .cpe = cpe,
                .confidence = 95,
                .evidence = "banner",
                .banner = "SSH-2.0-OpenSSH_9.2p1\r\n"};
  Service https{.time = start + seconds(2),
                .ip = web.ip,
                .port = 443,
                .service = "http",
                .product = "a/b & <\"c\">\x01\xff",
                .confidence = 90,
                .evidence = "http",
                .tls = true,
                .cert_subject = "CN=a.example",
                .cert_issuer = "CN=a.example",
                .cert_not_after = start,
                .cert_sha256 = "00ff"};
  PortCount closed{
      .time = start, .ip = host.ip, .proto = IpProto::tcp, .state = "closed", .reason = "rst", .ports = 4};
  PortCount open{
      .time = start, .ip = host.ip, .proto = IpProto::tcp, .state = "open", .reason = "syn_ack", .ports = 1};
  PortCount silent{.time = start,
                   .ip = host.ip,
                   .proto = IpProto::udp,
                   .state = "open|filtered",
                   .reason = "no_reply",
                   .ports = 1};
  Scan scan{.time = start,
            .duration = seconds(3),
            .command = "weir scan -sSU 192.0.2.7 -p \"T:22\"",
            .method = "syn,udp",
            .target_list = "192.0.2.4/30",
            .port_list = "T:22,440-443,U:53",
            .targets = 4,
            .hosts_up = 2};
};

// What the sink makes of all of them.
std::string written(std::string_view name) {
  const TempFolder folder;
  const Records r;
  const SinkSpec* spec = find_plugin<SinkSpec>(name);
  if (spec == nullptr) return "no such sink";
  SinkOptions options;
  options.types = {&record_type<Host>(), &record_type<Port>(), &record_type<Service>(), &record_type<Scan>()};
  options.destination = folder.file("out");
  auto sink = spec->open(options);
  if (!sink) return sink.error().line();
  const auto give = [&]<class R>(const R& record) {
    std::string encoded;
    (*sink)->encode(record_type<R>(), &record, encoded);
    EXPECT_TRUE((*sink)->consume(record_type<R>(), &record, encoded).has_value());
  };
  give(r.host);
  give(r.ssh);
  give(r.web);
  give(r.dns);
  give(r.https);
  give(r.shell);
  give(r.open);
  give(r.closed);
  give(r.silent);
  give(r.scan);
  EXPECT_TRUE((*sink)->close().has_value());
  return TempFolder::read(folder.file("out"));
}

TEST(SinksScan, NmapXml) {
  const std::string xml = written("nmap-xml");
  EXPECT_THAT(
      xml,
      HasSubstr("<scaninfo type=\"syn\" protocol=\"tcp\" numservices=\"5\" services=\"22,440-443\"/>\n"
                "<scaninfo type=\"udp\" protocol=\"udp\" numservices=\"1\" services=\"53\"/>\n<verbose"));
  EXPECT_THAT(xml, HasSubstr("<service name=\"domain\" method=\"table\" conf=\"3\"/>"));
  EXPECT_THAT(xml, HasSubstr("<status state=\"up\" reason=\"echo-reply\" reason_ttl=\"64\"/>"));
  EXPECT_THAT(xml, HasSubstr("<address addr=\"192.0.2.7\" addrtype=\"ipv4\"/>\n<address "
                             "addr=\"02:00:5E:00:00:0A\" addrtype=\"mac\"/>"));
  EXPECT_THAT(xml, HasSubstr("<hostname name=\"a.example\" type=\"user\"/>"));
  EXPECT_THAT(
      xml,
      HasSubstr(
          "<port protocol=\"tcp\" portid=\"22\"><state state=\"open\" reason=\"syn-ack\" reason_ttl=\"64\"/>"
          "<service name=\"ssh\" product=\"OpenSSH\" version=\"9.2p1\" extrainfo=\"protocol 2.0\" "
          "ostype=\"Debian Linux\" method=\"probed\" conf=\"9\"><cpe>cpe:/a:openbsd:openssh:9.2p1</cpe>"
          "<cpe>cpe:/o:debian:debian_linux</cpe></service></port>"));
  EXPECT_THAT(xml, HasSubstr("<state state=\"open|filtered\" reason=\"no-response\" reason_ttl=\"0\"/>"));
  EXPECT_THAT(xml, HasSubstr("product=\"a/b &amp; &lt;&quot;c&quot;&gt;\\x01\\xff\" tunnel=\"ssl\""));
  EXPECT_THAT(xml, HasSubstr("<script id=\"ssl-cert\" output=\"Subject: CN=a.example\">"));
  EXPECT_THAT(xml,
              HasSubstr("<os><osmatch name=\"Linux 4.20 or later\" accuracy=\"85\" line=\"0\"/></os>\n"));
  EXPECT_THAT(xml, HasSubstr("exit=\"success\"/><hosts up=\"2\" down=\"2\" total=\"4\"/>"));
  EXPECT_THAT(xml, HasSubstr("args=\"weir scan -sSU 192.0.2.7 -p &quot;T:22&quot;\""));
  EXPECT_THAT(xml,
              HasSubstr("<prescript><script id=\"weir-targets\" output=\"192.0.2.4/30\"/></prescript>\n"));
  EXPECT_THAT(xml,
              HasSubstr("<ports><extraports state=\"closed\" count=\"4\">\n<extrareasons reason=\"reset\" "
                        "count=\"4\" proto=\"tcp\"/>\n</extraports>\n<port protocol=\"tcp\" portid=\"22\">"));
}

TEST(SinksScan, NmapGrep) {
  const std::string text = written("nmap-grep");
  EXPECT_THAT(
      text,
      HasSubstr("Host: 192.0.2.7 (a.example)\tStatus: Up\n"
                "Host: 192.0.2.7 (a.example)\tPorts: 22/open/tcp//ssh//OpenSSH 9.2p1 (protocol 2.0)/, "
                "53/open|filtered/udp//domain///\tIgnored State: closed (4)\tOS: Linux 4.20 or later\n"));
  EXPECT_THAT(text, HasSubstr("443/open/tcp//ssl|http//a|b & <\"c\">|\xff/\n"))
      << "no slash but those between fields";
}

TEST(SinksScan, NmapReport) {
  const std::string text = written("nmap");
  EXPECT_THAT(text,
              HasSubstr("Nmap scan report for a.example (192.0.2.7)\nHost is up (0.00200s latency).\n"
                        "MAC Address: 02:00:5e:00:00:0a\nNot shown: 4 closed tcp ports (reset)\n"
                        "PORT   STATE         SERVICE VERSION\n"
                        "22/tcp open          ssh     OpenSSH 9.2p1 (protocol 2.0)\n"
                        "53/udp open|filtered domain\nAggressive OS guesses: Linux 4.20 or later (85%)\n\n"));
  EXPECT_THAT(text, HasSubstr("443/tcp open  ssl/http a/b & <\"c\">\\x01\\xff\n"));
}

TEST(SinksScan, MasscanList) {
  EXPECT_EQ(written("masscan"),
            "#masscan\nopen tcp 22 192.0.2.7 1795560113\nopen tcp 443 2001:db8::1 1795560113\n"
            "banner tcp 22 192.0.2.7 1795560114 ssh SSH-2.0-OpenSSH_9.2p1\\x0d\\x0a\n# end\n");
}

TEST(SinksScan, MasscanJson) {
  EXPECT_EQ(written("masscan-json"),
            "[\n{   \"ip\": \"192.0.2.7\",   \"timestamp\": \"1795560113\", \"ports\": [ {\"port\": 22, "
            "\"proto\": \"tcp\", "
            "\"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] }\n,\n"
            "{   \"ip\": \"2001:db8::1\",   \"timestamp\": \"1795560113\", \"ports\": [ {\"port\": 443, "
            "\"proto\": \"tcp\", "
            "\"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 63} ] }\n,\n"
            "{   \"ip\": \"192.0.2.7\",   \"timestamp\": \"1795560114\", \"ports\": [ {\"port\": 22, "
            "\"proto\": \"tcp\", "
            "\"service\": {\"name\": \"ssh\", \"banner\": \"SSH-2.0-OpenSSH_9.2p1\\r\\n\"} } ] }\n]\n");
}

TEST(SinksScan, OtherRecordsAreAMistake) {
  for (const std::string_view name : {"nmap", "nmap-grep", "nmap-xml", "masscan", "masscan-json"}) {
    const SinkSpec* spec = find_plugin<SinkSpec>(name);
    ASSERT_NE(spec, nullptr);
    SinkOptions options;
    options.types = {&record_type<Scan>()};
    EXPECT_FALSE(spec->open(options).has_value()) << name;
    options.types = {&record_type<Port>()};
    options.fields = {"ip"};
    EXPECT_FALSE(spec->open(options).has_value()) << name;
  }
}

}  // namespace
}  // namespace weir

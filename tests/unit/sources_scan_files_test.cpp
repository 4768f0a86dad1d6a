// Results of scans read back: weir's JSON and nmap's XML, whole, cut and damaged everywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packet/input.hpp"
#include "plugin/record_file.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> lines;  // "port 192.0.2.7 tcp 22 open"
  std::vector<std::string> damages;
  std::string error;
};

std::string line_of(const Batch::Entry& e) {
  if (e.type == &record_type<Host>()) {
    const Host& h = *static_cast<const Host*>(e.record);
    return "host " + to_string(h.ip) + " " + std::string(h.state) + " " + std::string(h.reason) + " " +
           std::string(h.host) + " " + std::string(h.os);
  }
  if (e.type == &record_type<Port>()) {
    const Port& p = *static_cast<const Port*>(e.record);
    return "port " + to_string(p.ip) + " " + std::string(name_of(p.proto)) + " " + std::to_string(p.port) +
           " " + std::string(p.state) + " " + std::string(p.reason);
  }
  if (e.type == &record_type<Service>()) {
    const Service& s = *static_cast<const Service*>(e.record);
    std::string text = "service " + std::to_string(s.port) + " " + std::string(s.product);
    for (const Text cpe : s.cpe) text += " " + std::string(cpe);
    return text + (s.cert_sha256.empty() ? "" : " ") + std::string(s.cert_sha256);
  }
  const Scan& s = *static_cast<const Scan*>(e.record);
  return "scan " + std::string(s.target_list) + " " + std::string(s.port_list);
}

Read read(std::string_view name, std::string_view bytes) {
  Read result;
  const RecordFileSpec* spec = find_plugin<RecordFileSpec>(name);
  if (spec == nullptr || !spec->recognises(as_bytes(bytes.substr(0, 64)))) {
    result.error = "not recognised";
    return result;
  }
  const auto file = spec->open(memory_input(as_bytes(bytes)), "file");
  if (!file) {
    result.error = file.error().line();
    return result;
  }
  Emitter::Wants wants{};
  for (auto& want : wants) want.wanted = true;
  Batch batch;
  Emitter out(wants, batch);
  for (bool more = true; more;) {
    batch.clear();
    out.into(batch);
    more = (*file)->read(out, 2).value_or(false);
    for (const Batch::Entry& e : batch.entries()) result.lines.push_back(line_of(e));
  }
  for (const Damage& d : (*file)->damages()) result.damages.emplace_back(d.name);
  return result;
}

constexpr std::string_view json =
    R"({"type":"host","time":"2026-11-30T14:49:51Z","ip":"192.0.2.7","host":"a.example","state":"up","reason":"arp_reply","rtt":0.0025,"probes":1,"mac":"02:00:5e:00:00:0a"}
{"type":"port","time":1796050191.5,"ip":"2001:db8::1","proto":"udp","port":53,"state":"open","reason":"udp_reply","ttl":64,"new_field":{"of":["a",{}]},"probes":1}
{"type":"service","time":"2026-11-30T14:49:52Z","ip":"192.0.2.7","proto":"tcp","port":22,"product":"a\u00e9\ud83d\ude00\\xff\"","cpe":["cpe:/a:b:c","cpe:/o:d"],"confidence":95,"tls":false}
{"type":"dns","time":"2026-11-30T14:49:52Z","query":"x"}

{ "type": "scan", "time": "2026-11-30T14:49:51Z", "duration": 1.5, "target_list": "192.0.2.7", "ports": 2, "port_list": "T:22,U:53", "missed": 1e-3, "complete": true}
)";

constexpr std::string_view xml =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/share/nmap/nmap.xsl" type="text/xsl"?>
<!-- Nmap 7.93 scan initiated > as: nmap -sV --reason -oX x 192.0.2.7 -->
<nmaprun scanner="nmap" args="nmap -sV -oX &quot;a file&quot; 192.0.2.7-8 a.example" start="1796050191" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="3" services="22,80-81"/>
<scaninfo type="udp" protocol="udp" numservices="1" services="53"/>
<verbose level="0"/>
<host starttime="1796050191" endtime="1796050199"><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="192.0.2.7" addrtype="ipv4"/>
<address addr="02:00:5E:00:00:0A" addrtype="mac" vendor="a > b"/>
<hostnames>
<hostname name="ptr.example" type="PTR"/>
<hostname name="a.example" type="user"/>
</hostnames>
<ports><extraports state="closed" count="2"><extrareasons reason="reset" count="2"/></extraports>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack" reason_ttl="64"/><service name="ssh" product="A &amp; &lt;B&gt; &#x41; &#233;" version='9' method="probed" conf="10"><cpe>cpe:/a:b:c</cpe><cpe>cpe:/o:d</cpe></service><script id="ssl-cert" output="x"><elem key="sha256">00ff</elem></script></port>
<port protocol="udp" portid="53"><state state="open|filtered" reason="no-response" reason_ttl="0"/></port>
</ports>
<os><portused state="open" proto="tcp" portid="22"/><osmatch name="Linux 5.X" accuracy="96" line="1"><osclass type="x"/></osmatch><osmatch name="other" accuracy="90" line="2"/></os>
<times srtt="191" rttvar="5000" to="100000"/>
</host>
<host><status state="down" reason="no-response" reason_ttl="0"/>
<address addr="192.0.2.8" addrtype="ipv4"/>
</host>
<runstats><finished time="1796050200" elapsed="9.1" exit="success"/><hosts up="1" down="1" total="2"/>
</runstats>
</nmaprun>
)";

TEST(ScanJson, EveryRecordComesBack) {
  const Read r = read("scan-json", json);
  EXPECT_THAT(
      r.lines,
      ElementsAre("host 192.0.2.7 up arp_reply a.example ", "port 2001:db8::1 udp 53 open udp_reply",
                  "service 22 a\u00e9\U0001f600\xff\" cpe:/a:b:c cpe:/o:d", "scan 192.0.2.7 T:22,U:53"));
  EXPECT_THAT(r.damages, IsEmpty());
}

TEST(ScanJson, DamageIsSaid) {
  const auto damages = [](const std::string& line) {
    return read("scan-json", std::string(json.substr(0, json.find('\n') + 1)) + line).damages;
  };
  EXPECT_THAT(damages("{\"type\":\"port\",\"port\":70000}\n"), ElementsAre("corrupt_record"));
  EXPECT_THAT(damages("{\"type\":\"host\",\"ip\":\"x\"}\n"), ElementsAre("corrupt_record"));
  EXPECT_THAT(damages("[1]\n"), ElementsAre("corrupt_record"));
  EXPECT_THAT(damages("{\"a\":" + std::string(1000, '[') + "\n"), ElementsAre("corrupt_record"));
  EXPECT_THAT(damages("{\"type\":\"po"), ElementsAre("truncated_file"));
  EXPECT_EQ(damages([] {
              std::string lines;
              for (int i = 0; i < 1000; ++i) lines += "x\n";
              return lines;
            }())
                .size(),
            17U);
}

TEST(NmapXml, EveryRecordComesBack) {
  const Read r = read("nmap-xml", xml);
  EXPECT_THAT(
      r.lines,
      ElementsAre("host 192.0.2.7 up arp_reply a.example Linux 5.X", "port 192.0.2.7 tcp 22 open syn_ack",
                  "service 22 A & <B> A &#233; cpe:/a:b:c cpe:/o:d 00ff",
                  "port 192.0.2.7 udp 53 open|filtered no_reply", "host 192.0.2.8 down no_reply  ",
                  "scan 192.0.2.7-192.0.2.8 T:22,80,81,U:53"));
  EXPECT_THAT(r.damages, IsEmpty());
}

TEST(NmapXml, ItsCommandLineTellsWhomItAsked) {
  const auto asked = [](std::string_view args, std::string_view more = "") {
    const Read r = read("nmap-xml", "<?xml version=\"1.0\"?><nmaprun args=\"" + std::string(args) + "\">" +
                                        std::string(more) + "<runstats/></nmaprun>");
    return r.lines.empty() ? r.error : r.lines.back();
  };
  EXPECT_EQ(asked("/usr/bin/nmap -n -sS -p 22 -T4 --max-rate 100 -oX - 10.0.0.0/30 -e eth0 10.0.1-2.7"),
            "scan 10.0.0.0/30,10.0.1.7,10.0.2.7 ");
  EXPECT_EQ(asked("nmap --exclude 10.0.0.0,10.0.0.3 10.0.0.0/30 a.example"), "scan 10.0.0.1-10.0.0.2 ");
  EXPECT_EQ(asked("nmap -iL hosts 10.0.0.1"), "scan  ") << "the rest is in a file";
  EXPECT_EQ(asked("masscan 10.0.0.1"), "scan  ");
  EXPECT_EQ(
      asked("weir scan 10.0.0.1", "<prescript><script id=\"weir-targets\" output=\"10.0.0.1\"/></prescript>"),
      "scan 10.0.0.1 ");
}

TEST(NmapXml, OtherXmlIsRefused) {
  EXPECT_THAT(read("nmap-xml", "<?xml version=\"1.0\"?><html><a/><b/><c/><d/></html>").error,
              HasSubstr("is XML, but not nmap's"));
}

TEST(NmapXml, CutAnywhereItSaysSo) {
  const std::size_t whole = read("nmap-xml", xml).lines.size();
  const std::size_t start = xml.find("<scaninfo"), end = xml.find("</nmaprun>") + 10;
  for (std::size_t size = start; size < end; ++size) {
    const Read r = read("nmap-xml", xml.substr(0, size));
    ASSERT_THAT(r.damages, ElementsAre("truncated_file")) << size;
    ASSERT_LT(r.lines.size(), whole) << size;
  }
}

TEST(ScanFiles, EveryByteDamagedIsSurvived) {
  for (const auto& [name, text] : {std::pair("nmap-xml", xml), std::pair("scan-json", json)})
    for (std::size_t at = 0; at < text.size(); ++at)
      for (const char value : {'\0', '\xff', '<', '"', static_cast<char>(text[at] ^ 0x10)}) {
        std::string bad(text);
        bad[at] = value;
        ASSERT_LE(read(name, bad).lines.size(), 8U) << name << " " << at;
      }
}

}  // namespace
}  // namespace weir

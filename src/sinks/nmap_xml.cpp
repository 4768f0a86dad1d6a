// nmap's XML (-oX), by its DTD: hosts with ports, services, CPE names and certificates (as the script
// ssl-cert has them).
#include "sinks/scan_report.hpp"

namespace weir {
namespace {

using scan_report::check_types;
using scan_report::Gathering;
using scan_report::HostFound;
using scan_report::long_time;
using scan_report::not_shown;
using scan_report::reason_word;
using scan_report::Report;
using scan_report::seconds_of;
using scan_report::ServiceFound;
using scan_report::StateCount;

// An attribute's value. What XML 1.0 cannot hold is written as \xNN.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(text, at);
    if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[4];
      out.append(escape, write_hex_escape(escape, static_cast<unsigned char>(c)));
      ++at;
      continue;
    }
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.append(text, at, length);
    }
    at += length;
  }
  return out;
}

void put(std::string& out, std::string_view attribute, std::string_view value) {
  if (!value.empty()) out.append(" ").append(attribute).append("=\"").append(escaped(value)).append("\"");
}

std::string day_and_time(Time t) {
  char text[time_text_max];
  return std::string(text, write_rfc3339(text, t)).substr(0, 19);
}

void put_certificate(std::string& out, const ServiceFound& s) {
  std::string lines = "Subject: " + s.cert_subject;
  if (!s.cert_names.empty()) lines += "; Subject Alternative Name: " + s.cert_names;
  out += "<script id=\"ssl-cert\" output=\"" + escaped(lines) + "\">";
  const auto elem = [&](std::string_view key, const std::string& value) {
    out.append("<elem key=\"").append(key).append("\">").append(escaped(value)).append("</elem>");
  };
  elem("subject", s.cert_subject);
  elem("issuer", s.cert_issuer);
  out += "<table key=\"validity\">";
  if (s.cert_not_before) elem("notBefore", day_and_time(*s.cert_not_before));
  if (s.cert_not_after) elem("notAfter", day_and_time(*s.cert_not_after));
  out += "</table>";
  elem("sha256", s.cert_sha256);
  out += "</script>";
}

void put_service(std::string& out, const ServiceFound& s) {
  out += "<service name=\"" + (s.service.empty() ? std::string("unknown") : escaped(s.service)) + "\"";
  put(out, "product", s.product);
  put(out, "version", s.version);
  put(out, "extrainfo", s.info);
  put(out, "hostname", s.hostname);
  put(out, "ostype", s.os);
  put(out, "devicetype", s.device);
  if (s.tls) out += " tunnel=\"ssl\"";
  out += fmt::format(" method=\"{}\" conf=\"{}\"", s.by_answer ? "probed" : "table", s.confidence / 10);
  if (s.cpe.empty()) {
    out += "/>";
    return;
  }
  out += ">";
  for (const std::string& cpe : s.cpe) out += "<cpe>" + escaped(cpe) + "</cpe>";
  out += "</service>";
}

// Each state once, with its reasons.
void put_extra_ports(std::string& out, const std::vector<StateCount>& counts) {
  std::vector<std::string_view> done;
  for (const StateCount& first : counts) {
    if (std::ranges::find(done, first.state) != done.end()) continue;
    done.push_back(first.state);
    std::uint64_t sum = 0;
    std::string reasons;
    for (const StateCount& c : counts) {
      if (c.state != first.state) continue;
      sum += c.ports;
      reasons += fmt::format("<extrareasons reason=\"{}\" count=\"{}\" proto=\"{}\"/>\n",
                             reason_word(c.reason), c.ports, name_of(c.proto));
    }
    out +=
        fmt::format("<extraports state=\"{}\" count=\"{}\">\n{}</extraports>\n", first.state, sum, reasons);
  }
}

void put_host(std::string& out, const Addr& ip, const HostFound& host) {
  out += fmt::format(
      "<host starttime=\"{}\" endtime=\"{}\"><status state=\"{}\" reason=\"{}\" reason_ttl=\"{}\"/>\n",
      seconds_of(host.first), seconds_of(host.last), host.state, reason_word(host.reason), host.ttl);
  out += fmt::format("<address addr=\"{}\" addrtype=\"{}\"/>\n", to_string(ip), ip.is_v4() ? "ipv4" : "ipv6");
  if (host.mac) {
    char text[mac_text_max];
    std::string mac(text, write_mac(text, *host.mac));
    for (char& c : mac) c = c >= 'a' ? static_cast<char>(c - 32) : c;
    out += "<address addr=\"" + mac + "\" addrtype=\"mac\"/>\n";
  }
  out += "<hostnames>\n";
  if (!host.name.empty()) out += "<hostname name=\"" + escaped(host.name) + "\" type=\"user\"/>\n";
  out += "</hostnames>\n";
  const auto rest = not_shown(host);
  if (!host.ports.empty() || !rest.empty()) {
    out += "<ports>";
    put_extra_ports(out, rest);
    for (const auto& [key, port] : host.ports) {
      out += fmt::format(
          "<port protocol=\"{}\" portid=\"{}\"><state state=\"{}\" reason=\"{}\" reason_ttl=\"{}\"/>",
          name_of(key.second), key.first, port.state, reason_word(port.reason), port.ttl);
      if (port.service) {
        put_service(out, *port.service);
        if (!port.service->cert_sha256.empty()) put_certificate(out, *port.service);
      }
      out += "</port>\n";
    }
    out += "</ports>\n";
  }
  if (!host.os.empty())
    out += fmt::format("<os><osmatch name=\"{}\" accuracy=\"{}\" line=\"0\"/></os>\n", escaped(host.os),
                       host.os_confidence);
  if (host.rtt) out += fmt::format("<times srtt=\"{}\" rttvar=\"0\" to=\"0\"/>\n", host.rtt->ns / 1000);
  out += "</host>\n";
}

// "22,80-90": nmap's list of services.
std::string services_text(std::span<const std::uint16_t> ports) {
  std::string text = to_string(PortSet({ports.begin(), ports.end()}, {}));
  return text.substr(text.find(':') + 1);
}

void put_scan_info(std::string& out, const Report& report) {
  const auto put_one = [&](std::string_view type, std::string_view proto,
                           std::span<const std::uint16_t> ports) {
    if (!ports.empty())
      out += fmt::format("<scaninfo type=\"{}\" protocol=\"{}\" numservices=\"{}\" services=\"{}\"/>\n", type,
                         proto, ports.size(), services_text(ports));
  };
  put_one(report.method().substr(0, report.method().find(',')), "tcp", report.ports_asked().tcp());
  put_one("udp", "udp", report.ports_asked().udp());
}

class NmapXml final : public Gathering {
 public:
  using Gathering::Gathering;

 private:
  std::string text_of(const Report& report) const override {
    const std::string start = long_time(report.started()), end = long_time(report.ended());
    std::string out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE nmaprun>\n"
        "<!-- weir scan in nmap's form -->\n"
        "<nmaprun scanner=\"nmap\" args=\"{}\" start=\"{}\" startstr=\"{}\" version=\"7.93\" "
        "xmloutputversion=\"1.05\">\n",
        escaped(report.command()), seconds_of(report.started()), start);
    put_scan_info(out, report);
    out += "<verbose level=\"0\"/>\n<debugging level=\"0\"/>\n";
    if (!report.target_list().empty())
      out += "<prescript><script id=\"weir-targets\" output=\"" + escaped(report.target_list()) +
             "\"/></prescript>\n";
    for (const auto& [ip, host] : report.hosts()) put_host(out, ip, host);
    const double elapsed = (report.ended() - report.started()).seconds();
    out += fmt::format(
        "<runstats><finished time=\"{}\" timestr=\"{}\" summary=\"{}\" elapsed=\"{:.2f}\" exit=\"{}\"/>"
        "<hosts up=\"{}\" down=\"{}\" total=\"{}\"/>\n</runstats>\n</nmaprun>\n",
        seconds_of(report.ended()), end, report.summary("; "), elapsed,
        report.complete() ? "success" : "error", report.up(),
        report.targets() - std::min(report.up(), report.targets()), report.targets());
    return out;
  }
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(check_types(options, "nmap's XML"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "xml"));
  return std::make_unique<NmapXml>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "nmap-xml",
                        .doc = "nmap's XML (-oX): hosts, ports and services",
                        .mixes_types = true,
                        .open = open,
                        .takes = scan_report::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

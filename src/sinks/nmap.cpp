// nmap's report for people (-oN): a table for each host.
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
using scan_report::version_text;

// Nothing from the network moves the cursor.
std::string shown(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto c = static_cast<unsigned char>(text[at]);
    if (length == 0 || c < 0x20 || c == 0x7f ||
        (c == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0)) {
      char escape[4];
      out.append(escape, write_hex_escape(escape, c));
      ++at;
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
  return out;
}

void put_ports(std::string& out, const HostFound& host) {
  struct Row {
    std::string port, state, service, version;
  };
  std::vector<Row> rows{{"PORT", "STATE", "SERVICE", "VERSION"}};
  bool versions = false;
  for (const auto& [key, port] : host.ports) {
    Row row{fmt::format("{}/{}", key.first, name_of(key.second)), port.state, "", ""};
    if (port.service) {
      row.service = (port.service->tls ? "ssl/" : "") +
                    shown(port.service->service.empty() ? "unknown" : port.service->service);
      row.version = shown(version_text(*port.service));
      versions = versions || !row.version.empty();
    }
    rows.push_back(std::move(row));
  }
  if (!versions) rows.front().version.clear();
  std::size_t port = 0, state = 0, service = 0;
  for (const Row& row : rows) {
    port = std::max(port, row.port.size());
    state = std::max(state, row.state.size());
    service = std::max(service, row.service.size());
  }
  for (const Row& row : rows) {
    std::string line = fmt::format("{:{}} {:{}} {:{}} {}", row.port, port, row.state, state, row.service,
                                   service, row.version);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
}

class NmapReport final : public Gathering {
 public:
  using Gathering::Gathering;

 private:
  std::string text_of(const Report& report) const override {
    std::string out =
        "# weir scan initiated " + long_time(report.started()) + " as: " + report.command() + "\n";
    for (const auto& [ip, host] : report.hosts()) {
      if (host.state != "up") continue;
      const std::string address = to_string(ip);
      const std::string name = host.name.empty() ? address : shown(host.name) + " (" + address + ")";
      out += "Nmap scan report for " + name + "\nHost is up";
      if (host.rtt) out += fmt::format(" ({:.5f}s latency)", host.rtt->seconds());
      out += ".\n";
      if (host.mac) {
        char text[mac_text_max];
        out += "MAC Address: " + std::string(text, write_mac(text, *host.mac)) + "\n";
      }
      const auto rest = not_shown(host);
      if (host.ports.empty() && !rest.empty()) {
        std::uint64_t sum = 0;
        for (const auto& c : rest) sum += c.ports;
        out += fmt::format("All {} scanned {} on {} {} in ignored states.\n", sum,
                           sum == 1 ? "port" : "ports", name, sum == 1 ? "is" : "are");
      }
      for (const auto& c : rest)
        out += fmt::format("{}{} {} {} {} ({})", &c == &rest.front() ? "Not shown: " : ", ", c.ports, c.state,
                           name_of(c.proto), c.ports == 1 ? "port" : "ports", reason_word(c.reason));
      out += '\n';
      if (!rest.empty() && host.ports.empty()) out += '\n';
      if (!host.ports.empty()) {
        put_ports(out, host);
        if (!host.os.empty())
          out += fmt::format("Aggressive OS guesses: {} ({}%)\n", shown(host.os), host.os_confidence);
        out += '\n';
      }
    }
    return out + "# " + report.summary(" -- ") + "\n";
  }
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(check_types(options, "nmap's report"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "nmap"));
  return std::make_unique<NmapReport>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "nmap",
                        .doc = "nmap's report for people (-oN), a table for each host",
                        .mixes_types = true,
                        .open = open,
                        .takes = scan_report::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

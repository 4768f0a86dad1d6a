// nmap's greppable output (-oG): two lines a host.
#include "sinks/scan_report.hpp"

namespace weir {
namespace {

using scan_report::check_types;
using scan_report::Gathering;
using scan_report::long_time;
using scan_report::not_shown;
using scan_report::PortFound;
using scan_report::Report;
using scan_report::version_text;

// A field between slashes: one within is written as '|', as nmap does it; so is whatever would break the
// line.
std::string cell(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '|';
  return out;
}

std::string port_cells(std::uint16_t number, IpProto proto, const PortFound& port) {
  std::string service, version;
  if (port.service) {
    service = (port.service->tls ? "ssl|" : "") + cell(port.service->service);
    version = cell(version_text(*port.service));
  }
  return fmt::format("{}/{}/{}//{}//{}/", number, port.state, name_of(proto), service, version);
}

class NmapGrep final : public Gathering {
 public:
  using Gathering::Gathering;

 private:
  std::string text_of(const Report& report) const override {
    std::string out =
        "# weir scan initiated " + long_time(report.started()) + " as: " + report.command() + "\n";
    for (const auto& [ip, host] : report.hosts()) {
      const std::string name = fmt::format("Host: {} ({})\t", to_string(ip), cell(host.name));
      out += name + (host.state == "up" ? "Status: Up\n" : "Status: Down\n");
      const auto rest = not_shown(host);
      if (host.ports.empty() && rest.empty()) continue;
      out += name + "Ports: ";
      bool first = true;
      for (const auto& [key, port] : host.ports) {
        if (!first) out += ", ";
        first = false;
        out += port_cells(key.first, key.second, port);
      }
      // nmap names one state, the commonest.
      if (!rest.empty()) {
        std::uint64_t sum = 0;
        for (const auto& c : rest) sum += c.state == rest.front().state ? c.ports : 0;
        out += fmt::format("\tIgnored State: {} ({})", rest.front().state, sum);
      }
      if (!host.os.empty()) out += "\tOS: " + cell(host.os);
      out += '\n';
    }
    return out + "# " + report.summary(" -- ") + "\n";
  }
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(check_types(options, "nmap's greppable output"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "gnmap"));
  return std::make_unique<NmapGrep>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "nmap-grep",
                        .doc = "nmap's greppable lines (-oG), two a host",
                        .mixes_types = true,
                        .open = open,
                        .takes = scan_report::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

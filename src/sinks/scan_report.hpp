// Hosts with their ports and services, gathered from the records of a scan: nmap's outputs write a host at a
// time, and a scan finds its ports in any order. What these outputs have in common, checked against Debian's
// nmap 7.93.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/human.hpp"
#include "os/output_file.hpp"
#include "plugin/sink.hpp"
#include "probe/ports.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/port_count.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"

namespace weir::scan_report {

struct ServiceFound {
  std::string service, product, version, info, os, hostname, device, tls_version;
  std::string cert_subject, cert_issuer, cert_names, cert_sha256;
  std::optional<Time> cert_not_before, cert_not_after;
  std::vector<std::string> cpe;
  unsigned confidence = 0;
  bool tls = false, by_answer = false;
};
struct PortFound {
  std::string state = "open", reason = "no_reply";
  unsigned ttl = 0;
  std::optional<ServiceFound> service;
};
// Ports in a state, for a reason (weir's word).
struct StateCount {
  IpProto proto = IpProto::tcp;
  std::string state, reason;
  std::uint64_t ports = 0;
};
struct HostFound {
  Time first, last;
  std::string name, state = "up", reason = "assumed";
  unsigned ttl = 0;
  std::optional<Duration> rtt;
  std::optional<Mac> mac;
  std::map<std::pair<std::uint16_t, IpProto>, PortFound> ports;
  std::vector<StateCount> counts;  // of all ports that were probed
  std::string os;                  // the surest guess of all its ports
  unsigned os_confidence = 0;
};

// nmap's word for a reason: syn-ack, reset, …; ours with hyphens where it has none.
inline std::string reason_word(std::string_view reason) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"rst", "reset"},
      {"connected", "syn-ack"},
      {"refused", "conn-refused"},
      {"udp_reply", "udp-response"},
      {"no_reply", "no-response"},
      {"arp_reply", "arp-response"},
      {"neighbor_advertisement", "nd-response"},
      {"port_unreachable", "port-unreach"},
      {"host_unreachable", "host-unreach"},
      {"net_unreachable", "net-unreach"},
      {"local", "localhost-response"},
      {"assumed", "user-set"}};
  for (const auto& [ours, theirs] : words)
    if (ours == reason) return std::string(theirs);
  std::string word(reason);
  for (char& c : word)
    if (c == '_') c = '-';
  return word;
}

// "Tue Nov 24 22:41:52 2026", in the time zone of TZ.
inline std::string long_time(Time t) {
  const std::time_t seconds = static_cast<std::time_t>(t.ns / 1'000'000'000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local)};
}
inline std::int64_t seconds_of(Time t) noexcept {
  return t.ns / 1'000'000'000;
}

// "nginx 1.22.1 (Debian)"
inline std::string version_text(const ServiceFound& s) {
  std::string text = s.product;
  if (!s.version.empty()) text += (text.empty() ? "" : " ") + s.version;
  if (!s.info.empty()) text += (text.empty() ? "(" : " (") + s.info + ")";
  return text;
}

// nmap's "ignored states": ports that are not listed one by one, those of the commonest state first.
inline std::vector<StateCount> not_shown(const HostFound& host) {
  std::vector<StateCount> out;
  for (const IpProto proto : {IpProto::tcp, IpProto::udp}) {
    std::uint64_t asked = 0, told = 0;
    StateCount* unsure = nullptr;
    const std::size_t first = out.size();
    for (const StateCount& c : host.counts) {
      if (c.proto != proto) continue;
      asked += c.ports;
      StateCount rest = c;
      for (const auto& [key, port] : host.ports)
        if (key.second == proto && port.state == c.state && port.reason == c.reason && rest.ports > 0)
          --rest.ports;
      if (c.state != "open" && rest.ports > 0) out.push_back(std::move(rest));
    }
    for (const auto& [key, port] : host.ports) told += key.second == proto ? 1 : 0;
    for (std::size_t i = first; i < out.size(); ++i) {
      told += out[i].ports;
      if (out[i].state == "open|filtered") unsure = &out[i];
    }
    // Ports that -sV found open have been counted as silent.
    if (unsure != nullptr && told > asked) unsure->ports -= std::min(unsure->ports, told - asked);
  }
  std::erase_if(out, [](const StateCount& c) { return c.ports == 0; });
  std::ranges::stable_sort(out, std::ranges::greater{}, &StateCount::ports);
  return out;
}

class Report {
 public:
  void take(const RecordType& type, const void* record) {
    if (&type == &record_type<Host>()) take(*static_cast<const Host*>(record));
    if (&type == &record_type<Port>()) take(*static_cast<const Port*>(record));
    if (&type == &record_type<PortCount>()) take(*static_cast<const PortCount*>(record));
    if (&type == &record_type<Service>()) take(*static_cast<const Service*>(record));
    if (&type == &record_type<Scan>()) take(*static_cast<const Scan*>(record));
  }

  const std::map<Addr, HostFound>& hosts() const noexcept { return hosts_; }
  std::size_t up() const noexcept {
    if (scan_) return scan_->hosts_up;
    std::size_t count = 0;
    for (const auto& [ip, host] : hosts_) count += host.state == "up";
    return count;
  }
  // What the scan says of itself, as far as its record came; else as far as the others tell.
  Time started() const noexcept { return scan_ ? scan_->time : first_; }
  Time ended() const noexcept { return scan_ ? scan_->time + scan_->duration : last_; }
  std::size_t targets() const noexcept { return scan_ ? scan_->targets : hosts_.size(); }
  // "weir done at …; 1 IP address (1 host up) scanned in 2.00 seconds", as nmap ends.
  std::string summary(std::string_view between) const {
    const auto plural = [](std::size_t n, std::string_view one, std::string_view more) {
      return fmt::format("{} {}", n, n == 1 ? one : more);
    };
    return fmt::format("weir done at {}{}{} ({} up) scanned in {:.2f} seconds", long_time(ended()), between,
                       plural(targets(), "IP address", "IP addresses"), plural(up(), "host", "hosts"),
                       (ended() - started()).seconds());
  }
  bool complete() const noexcept { return !scan_ || scan_->complete; }
  // How and where it looked for ports; empty as long as it has not said so.
  const std::string& method() const noexcept { return method_; }
  // The command line, and the addresses as Scan has them; empty where they are not known.
  std::string command() const {
    std::string out;
    append_printable(out, command_.empty() ? std::string_view("weir scan") : std::string_view(command_));
    return out;
  }
  const std::string& target_list() const noexcept { return target_list_; }
  const PortSet& ports_asked() const noexcept { return ports_asked_; }

 private:
  HostFound& host_at(const Addr& ip, Time time, Text name) {
    const auto [at, added] = hosts_.try_emplace(ip);
    HostFound& host = at->second;
    if (added) host.first = time;
    host.first = std::min(host.first, time);
    host.last = std::max(host.last, time);
    if (!name.empty()) host.name = name;
    if (first_ == Time{} || time < first_) first_ = time;
    last_ = std::max(last_, time);
    return host;
  }
  void take(const Scan& s) {
    scan_ = s;
    method_ = s.method;
    command_ = s.command;
    target_list_ = s.target_list;
    constexpr IpProto tcp[] = {IpProto::tcp};
    if (auto ports = parse_ports(s.port_list, tcp, {}); ports && !s.port_list.empty())
      ports_asked_ = std::move(*ports);
    scan_->command = scan_->method = scan_->target_list = scan_->port_list = {};  // the batch has them
  }
  static void take_system(HostFound& host, Text os, std::optional<std::uint8_t> confidence) {
    if (os.empty() || confidence.value_or(0) <= host.os_confidence) return;
    host.os = os;
    host.os_confidence = *confidence;
  }
  void take(const Host& h) {
    HostFound& host = host_at(h.ip, h.time, h.host);
    host.state = h.state;
    host.reason = h.reason;
    host.ttl = h.ttl.value_or(0);
    host.rtt = h.rtt;
    if (h.mac) host.mac = h.mac;
    take_system(host, h.os, h.os_confidence);
  }
  void take(const Port& p) {
    HostFound& host = host_at(p.ip, p.time, p.host);
    if (p.mac) host.mac = p.mac;
    take_system(host, p.os, p.os_confidence);
    PortFound& port = host.ports[{p.port, p.proto}];
    port.state = p.state;
    port.reason = p.reason;
    port.ttl = p.ttl.value_or(0);
    // As nmap has it: the name of the port, unless somebody asks the service.
    const std::string_view name = port_name({p.proto, p.port});
    constexpr unsigned by_number = 30;
    if (!port.service && !name.empty())
      port.service = ServiceFound{.service = std::string(name), .confidence = by_number};
  }
  void take(const PortCount& c) {
    host_at(c.ip, c.time, c.host)
        .counts.push_back({c.proto, std::string(c.state), std::string(c.reason), c.ports});
  }
  void take(const Service& s) {
    const auto text = [](Text t) { return std::string(t); };
    ServiceFound found{.service = text(s.service),
                       .product = text(s.product),
                       .version = text(s.version),
                       .info = text(s.info),
                       .os = text(s.os),
                       .hostname = text(s.hostname),
                       .device = text(s.device),
                       .tls_version = text(s.tls_version),
                       .cert_subject = text(s.cert_subject),
                       .cert_issuer = text(s.cert_issuer),
                       .cert_sha256 = text(s.cert_sha256),
                       .cert_not_before = s.cert_not_before,
                       .cert_not_after = s.cert_not_after,
                       .confidence = s.confidence,
                       .tls = s.tls,
                       .by_answer = s.evidence.data() != nullptr};
    for (const Text name : s.cert_names)
      found.cert_names += (found.cert_names.empty() ? "" : ", ") + std::string(name);
    for (const Text cpe : s.cpe) found.cpe.emplace_back(cpe);
    host_at(s.ip, s.time, s.host).ports[{s.port, s.proto}].service = std::move(found);
  }

  std::map<Addr, HostFound> hosts_;
  std::optional<Scan> scan_;
  std::string method_, command_, target_list_;
  PortSet ports_asked_;
  Time first_, last_;
};

inline bool takes(const RecordType& type) {
  return &type == &record_type<Host>() || &type == &record_type<Port>() || &type == &record_type<Service>();
}
inline Result<void> check_types(const SinkOptions& options, std::string_view name) {
  if (!options.fields.empty())
    return fail(Code::usage, fmt::format("{} has its own columns", name), "-f",
                "leave -f out, or take the json, csv or tsv output");
  for (const RecordType* type : options.types)
    if (takes(*type)) return {};
  return fail(Code::usage, fmt::format("{} is a form of the records of a scan: host, port and service", name),
              "--output");
}

// Gathers everything, and writes it when there is no more.
class Gathering : public Sink {
 public:
  explicit Gathering(OutputSet outputs) : outputs_(std::move(outputs)) {}
  void encode(const RecordType&, const void*, std::string&) const final {}
  Result<void> consume(const RecordType& type, const void* record, std::string_view) final {
    report_.take(type, record);
    return {};
  }
  Result<void> flush() final { return {}; }
  Result<void> close() final {
    WEIR_TRY(OutputFile * file, outputs_.file(0, "scan"));
    WEIR_CHECK(file->write(text_of(report_)));
    return outputs_.close();
  }

 private:
  virtual std::string text_of(const Report& report) const = 0;
  OutputSet outputs_;
  Report report_;
};

}  // namespace weir::scan_report

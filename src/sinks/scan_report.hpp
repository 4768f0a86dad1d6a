// Hosts with their ports and services, gathered from the records of a scan: nmap's outputs write a host at a
// time, and a scan finds its ports in any order. What these outputs have in common, checked against Debian's
// nmap 7.93.
#pragma once

#include <fmt/core.h>

#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "os/output_file.hpp"
#include "plugin/sink.hpp"
#include "probe/ports.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
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
struct HostFound {
  Time first, last;
  std::string name, state = "up", reason = "assumed";
  unsigned ttl = 0;
  std::optional<Duration> rtt;
  std::optional<Mac> mac;
  std::map<std::pair<std::uint16_t, IpProto>, PortFound> ports;
  std::string os;  // the surest guess of all its ports
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

class Report {
 public:
  void take(const RecordType& type, const void* record) {
    if (&type == &record_type<Host>()) take(*static_cast<const Host*>(record));
    if (&type == &record_type<Port>()) take(*static_cast<const Port*>(record));
    if (&type == &record_type<Service>()) take(*static_cast<const Service*>(record));
    if (&type == &record_type<Scan>()) take(*static_cast<const Scan*>(record));
  }

  const std::map<Addr, HostFound>& hosts() const noexcept { return hosts_; }
  std::size_t up() const noexcept {
    std::size_t count = 0;
    for (const auto& [ip, host] : hosts_) count += host.state == "up";
    return count;
  }
  // What the scan says of itself, as far as its record came; else as far as the others tell.
  Time started() const noexcept { return scan_ ? scan_->time : first_; }
  Time ended() const noexcept { return scan_ ? scan_->time + scan_->duration : last_; }
  std::size_t targets() const noexcept { return scan_ ? scan_->targets : hosts_.size(); }
  bool complete() const noexcept { return !scan_ || scan_->complete; }
  // How and where it looked for ports; empty as long as it has not said so.
  const std::string& method() const noexcept { return method_; }
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
    constexpr IpProto tcp[] = {IpProto::tcp};
    if (auto ports = parse_ports(s.port_list, tcp, {}); ports && !s.port_list.empty())
      ports_asked_ = std::move(*ports);
    scan_->method = scan_->port_list = {};  // the batch has them
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
  std::string method_;
  PortSet ports_asked_;
  Time first_, last_;
};

inline Result<void> check_types(const SinkOptions& options, std::string_view name) {
  if (!options.fields.empty())
    return fail(Code::usage, fmt::format("{} has its own columns", name), "-f",
                "leave -f out, or take the json, csv or tsv output");
  for (const RecordType* type : options.types)
    if (type == &record_type<Host>() || type == &record_type<Port>() || type == &record_type<Service>())
      return {};
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

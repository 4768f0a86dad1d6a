#include "engine/scan_diff.hpp"

#include <algorithm>
#include <atomic>

#include "engine/record_files.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/service.hpp"

namespace weir {
namespace {

constexpr std::string_view open_state = "open";

// "ssh OpenSSH 9.2p1 (Debian package 2+deb12u3)"
std::string service_text(const Service& s) {
  std::string text;
  for (const Text part : {s.service, s.product, s.version})
    if (!part.empty()) text.append(text.empty() ? "" : " ").append(part);
  if (!s.info.empty()) text.append(text.empty() ? "(" : " (").append(s.info).append(")");
  return text;
}

// "CN=a.example until 2027-01-31 (12ab34cd)", as far as it is known.
std::string certificate_text(const Service& s) {
  constexpr std::size_t date = 10, enough = 8;
  std::string text(s.cert_subject);
  if (s.cert_not_after) {
    char time[time_text_max];
    write_rfc3339(time, *s.cert_not_after);
    text.append(text.empty() ? "until " : " until ").append(time, date);
  }
  return text.append(text.empty() ? "(" : " (").append(s.cert_sha256.substr(0, enough)).append(")");
}

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

bool is_up(const ScanResult::Host& host) {
  if (host.state) return *host.state == "up";
  return std::ranges::any_of(host.ports, [](const auto& p) { return p.second.state == open_state; });
}

Text text_or_null(std::string_view text) noexcept {
  return text.empty() ? Text{} : text;
}

class Comparison {
 public:
  Comparison(const ScanResult& before, const ScanResult& after, const ScanReach& reach,
             const std::function<Result<bool>(const ScanChange&)>& tell)
      : before_(before),
        after_(after),
        targets_(reach.targets != nullptr ? reach.targets
                 : after.targets          ? &*after.targets
                                          : nullptr),
        tell_(tell),
        hosts_comparable_(before.tells_hosts() && after.tells_hosts() && !reach.all_up) {
    differences_.targets_told = before.targets.has_value();
  }

  Result<ScanDifferences> run() {
    auto was = before_.hosts.begin();
    auto is = after_.hosts.begin();
    while (was != before_.hosts.end() || is != after_.hosts.end()) {
      const bool gone = is == after_.hosts.end() || (was != before_.hosts.end() && was->first < is->first);
      const bool come = was == before_.hosts.end() || (is != after_.hosts.end() && is->first < was->first);
      ip_ = gone ? was->first : is->first;
      WEIR_CHECK(host(come ? none_ : was->second, gone ? none_ : is->second));
      if (!come) ++was;
      if (!gone) ++is;
    }
    return differences_;
  }

 private:
  Result<void> host(const ScanResult::Host& was, const ScanResult::Host& is) {
    const bool was_up = is_up(was), up = is_up(is);
    if (targets_ != nullptr && !targets_->contains(ip_)) {
      differences_.old_hosts += was_up ? 1 : 0;
      return {};
    }
    if (before_.targets && !before_.targets->contains(ip_)) {
      differences_.new_hosts += up ? 1 : 0;
      return {};
    }
    name_ = is.name.empty() ? was.name : is.name;
    at_ = is.time == Time{} ? after_.ended : is.time;
    if (hosts_comparable_ && was_up && !up)
      return after_.complete ? tell("host_down", {}, "up", text_or_null(is.state.value_or("")))
                             : Result<void>{};
    if (hosts_comparable_ && !was_up && up)
      WEIR_CHECK(tell("host_up", {}, text_or_null(was.state.value_or("")), "up"));
    if (was.mac && is.mac && *was.mac != *is.mac)
      WEIR_CHECK(tell("mac_changed", {}, mac_text(*was.mac), mac_text(*is.mac)));
    return ports(was, is);
  }

  Result<void> ports(const ScanResult::Host& was, const ScanResult::Host& is) {
    for (const auto& [key, port] : was.ports)
      if (!is.ports.contains(key)) WEIR_CHECK(lost(key, port));
    for (const auto& [key, port] : is.ports) {
      const auto old = was.ports.find(key);
      at_ = port.time;
      WEIR_CHECK(old == was.ports.end() ? found(key, port) : both(key, old->second, port));
    }
    return {};
  }

  Result<void> lost(ProtoPort key, const ScanResult::Port& was) {
    const bool asked = !after_.asked || after_.asked->index_of(key).has_value();
    if (was.state != open_state || !asked || !after_.complete) return {};
    return tell("port_closed", key, was.state, {});
  }
  Result<void> found(ProtoPort key, const ScanResult::Port& is) {
    if (is.state != open_state) return {};
    if (before_.asked && !before_.asked->index_of(key)) {
      ++differences_.new_ports;
      return {};
    }
    return tell("port_opened", key, {}, is.state);
  }
  Result<void> both(ProtoPort key, const ScanResult::Port& was, const ScanResult::Port& is) {
    if (was.state != is.state) {
      const std::string_view what = is.state == open_state    ? "port_opened"
                                    : was.state == open_state ? "port_closed"
                                                              : "port_changed";
      return tell(what, key, was.state, is.state);
    }
    if (!was.service.empty() && !is.service.empty() && was.service != is.service)
      WEIR_CHECK(tell("service_changed", key, was.service, is.service));
    if (was.certificate.empty() || is.certificate.empty() || was.certificate == is.certificate) return {};
    return tell("certificate_changed", key, was.certificate_text, is.certificate_text);
  }

  Result<void> tell(Text change, std::optional<ProtoPort> key, Text before, Text after) {
    ScanChange record{.time = at_,
                      .ip = ip_,
                      .host = text_or_null(name_),
                      .proto = {},
                      .port = {},
                      .change = change,
                      .before = before,
                      .after = after};
    if (key) {
      record.proto = key->proto;
      record.port = key->port;
    }
    WEIR_TRY(const bool counts, tell_(record));
    differences_.changes += counts ? 1 : 0;
    return {};
  }

  const ScanResult& before_;
  const ScanResult& after_;
  const TargetSet* const targets_;  // nullptr: everywhere
  const std::function<Result<bool>(const ScanChange&)>& tell_;
  const bool hosts_comparable_;
  const ScanResult::Host none_{};
  Addr ip_;
  std::string name_;
  Time at_;
  ScanDifferences differences_;
};

}  // namespace

bool ScanResult::tells_hosts() const noexcept {
  return std::ranges::any_of(hosts, [](const auto& h) { return h.second.state.has_value(); });
}

const TargetSet& addresses_of_a_link() {
  const auto between = [](std::string_view first, std::string_view last) {
    return AddrRange{*parse_addr(first), *parse_addr(last)};
  };
  // RFC 4291 §2.4 and RFC 4193: link-local, unique local, global.
  static const TargetSet set({between("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                              between("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                              between("2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")});
  return set;
}

// Whatever there is a record of was asked: names among the targets are not resolved again.
void ScanResult::take_targets(const Scan& scan) {
  std::vector<AddrRange> ranges;
  if (targets) ranges = targets->ranges();
  if (scan.target_list.empty()) {
    if (scan.targets == 0 || scan.targets != hosts.size()) return;
  } else if (scan.target_list.starts_with('%')) {
    const auto link = addresses_of_a_link().ranges();
    ranges.insert(ranges.end(), link.begin(), link.end());
  } else {
    const auto told = target_set_of(scan.target_list);
    if (!told) return;
    const auto more = told->ranges();
    ranges.insert(ranges.end(), more.begin(), more.end());
  }
  for (const auto& [ip, host] : hosts) ranges.push_back({ip, ip});
  targets.emplace(std::move(ranges));
}

void ScanResult::take(const RecordType& type, const void* record) {
  const auto at = [this](const Addr& ip, Text name, Time time) -> Host& {
    Host& host = hosts[ip];
    if (!name.empty()) host.name = name;
    ended = std::max(ended, time);
    return host;
  };
  if (&type == &record_type<weir::Host>()) {
    const auto& h = *static_cast<const weir::Host*>(record);
    Host& host = at(h.ip, h.host, h.time);
    host.state = h.state;
    host.time = h.time;
    if (h.mac) host.mac = h.mac;
  } else if (&type == &record_type<weir::Port>()) {
    const auto& p = *static_cast<const weir::Port*>(record);
    Host& host = at(p.ip, p.host, p.time);
    if (p.mac) host.mac = p.mac;
    Port& port = host.ports[{p.proto, p.port}];
    port.state = p.state;
    port.time = p.time;
  } else if (&type == &record_type<Service>()) {
    const auto& s = *static_cast<const Service*>(record);
    Port& port = at(s.ip, s.host, s.time).ports[{s.proto, s.port}];
    if (port.state.empty()) port.state = open_state;
    if (port.time == Time{}) port.time = s.time;
    if (s.evidence.data() != nullptr) port.service = service_text(s);
    port.certificate = s.cert_sha256;
    if (!s.cert_sha256.empty()) port.certificate_text = certificate_text(s);
  } else if (&type == &record_type<Scan>()) {
    const auto& s = *static_cast<const Scan*>(record);
    ended = std::max(ended, s.time + s.duration);
    complete = s.complete;
    take_targets(s);
    constexpr IpProto tcp[] = {IpProto::tcp};
    if (auto ports = parse_ports(s.port_list, tcp, {}); ports && !s.port_list.empty())
      asked = std::move(*ports);
    else if (std::ranges::all_of(hosts, [](const auto& h) { return h.second.ports.empty(); }))
      asked.emplace();
  }
}

Result<ScanResult> ScanResult::read(const std::string& path) {
  const std::string paths[] = {path};
  WEIR_TRY(const auto inputs, find_record_files(paths));
  const auto holds = [](RecordTypeOf type) {
    return &type() == &record_type<weir::Port>() || &type() == &record_type<weir::Host>();
  };
  if (inputs.empty() || std::ranges::none_of(inputs.front().format->records, holds))
    return fail(Code::usage, "holds no result of a scan", path,
                "give what weir scan -o json or -oX, or nmap -oX, has written");
  ScanResult result;
  Emitter::Wants wants{};
  for (const RecordTypeOf type : inputs.front().format->records) wants[type().id].wanted = true;
  const std::atomic<bool> never{false};
  WEIR_TRY(const Outcome outcome,
           run_record_files(
               inputs, wants, nullptr,
               [&](const RecordType& type, const void* record) { result.take(type, record); },
               [](const Progress&) {}, never));
  if (!outcome.damages.empty())
    return fail(Code::usage, "is damaged: " + outcome.damages.front().what, path, "make it anew");
  return result;
}

Result<ScanDifferences> compare_scans(const ScanResult& before, const ScanResult& after,
                                      const ScanReach& reach,
                                      const std::function<Result<bool>(const ScanChange&)>& tell) {
  return Comparison(before, after, reach, tell).run();
}

Result<ScanDifferences> write_scan_changes(const ScanResult& before, const ScanResult& after,
                                           const ScanReach& reach, const ChangeFilter& filter, Sink& to) {
  const RecordType& type = record_type<ScanChange>();
  std::string encoded;
  return compare_scans(before, after, reach, [&](const ScanChange& change) -> Result<bool> {
    if (filter.accept != nullptr && !filter.accept(filter.filter, &change)) return false;
    encoded.clear();
    to.encode(type, &change, encoded);
    WEIR_CHECK(to.consume(type, &change, encoded));
    return true;
  });
}

bool ScanDiffSink::matters(const RecordType& type, const void* record) const {
  if (&type == &record_type<Host>()) {
    const Host& host = *static_cast<const Host*>(record);
    return host.state == "up" || before_.hosts.contains(host.ip);
  }
  if (&type != &record_type<Port>()) return true;
  const Port& port = *static_cast<const Port*>(record);
  if (port.state == open_state) return true;
  const auto host = before_.hosts.find(port.ip);
  return host != before_.hosts.end() && host->second.ports.contains({port.proto, port.port});
}

Result<void> ScanDiffSink::close() {
  WEIR_TRY(differences_, write_scan_changes(before_, after_, reach_, filter_, *to_));
  return to_->close();
}

}  // namespace weir

#include "devices/evidence.hpp"

#include <algorithm>

#include "core/ascii.hpp"
#include "core/hex.hpp"
#include "records/arp.hpp"
#include "records/dhcp.hpp"
#include "records/dhcpv6.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "records/host.hpp"
#include "records/http.hpp"
#include "records/ndp.hpp"
#include "records/ssh.hpp"

namespace weir {
namespace {

bool is_device(const Mac& mac) noexcept {
  return (mac.bytes[0] & 1) == 0 && mac != Mac{};
}
bool is_device(const Addr& ip) noexcept {
  const bool loopback =
      ip.is_v4() ? ip.bytes[12] == 127 : ip == Addr{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  const bool broadcast = ip.is_v4() && ip.bytes[12] == 255;
  return !ip.is_unspecified() && !ip.is_multicast() && !loopback && !broadcast;
}
std::optional<Mac> device_mac(const std::optional<Mac>& mac) {
  return mac && is_device(*mac) ? mac : std::nullopt;
}
std::optional<Addr> device_ip(const Addr& ip) {
  return is_device(ip) ? std::optional(ip) : std::nullopt;
}

void add(Sighting& sighting, FactKind kind, std::string_view value, std::string_view source) {
  if (!value.empty()) sighting.facts.push_back({kind, std::string(value), std::string(source)});
}
std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}
std::string evidence(std::string_view protocol, std::string_view what) {
  return std::string(protocol) + " " + std::string(what);
}

void take(Inventory& inventory, const Arp& arp) {
  if (!is_device(arp.sender_mac)) return;
  const bool answer = arp.kind == "reply" || arp.kind == "gratuitous" || arp.kind == "announcement";
  Sighting sighting{.time = arp.time, .mac = arp.sender_mac, .ip = device_ip(arp.src_ip)};
  if (sighting.ip) sighting.claim = answer ? Claim::told : Claim::asked;
  sighting.evidence = evidence("arp", arp.kind);
  if (sighting.ip) sighting.evidence += ": " + to_string(*sighting.ip) + " is at " + mac_text(arp.sender_mac);
  inventory.see(sighting);
}

void take(Inventory& inventory, const Ndp& ndp) {
  Sighting sighting{.time = ndp.time, .mac = device_mac(ndp.src_mac), .ip = device_ip(ndp.sender_ip)};
  const bool advertises = ndp.message == "neighbor_advertisement";
  if (advertises && ndp.target) {
    sighting.ip = device_ip(*ndp.target);
    if (ndp.link_address) sighting.mac = device_mac(ndp.link_address);
  }
  if (!sighting.mac) return;
  if (sighting.ip) sighting.claim = advertises ? Claim::told : Claim::asked;
  sighting.evidence = evidence("ndp", ndp.message);
  if (sighting.ip) sighting.evidence += ": " + to_string(*sighting.ip) + " is at " + mac_text(*sighting.mac);
  if (ndp.message == "router_advertisement" && ndp.router_lifetime && ndp.router_lifetime->ns > 0) {
    add(sighting, FactKind::role, "router", "ndp");
    for (const Text& prefix : ndp.prefixes) sighting.evidence += ", prefix " + std::string(prefix);
  }
  inventory.see(sighting);
}

// A client identifier says something of its own when it is not the hardware address again (RFC 2132 §9.14),
// and holds a DUID when it begins with 255 (RFC 4361).
void add_client_id(Sighting& sighting, std::string_view id, const std::optional<Mac>& mac) {
  constexpr std::size_t iaid_end = 2 + 8;
  if (id.starts_with("ff") && iaid_end < id.size())
    return add(sighting, FactKind::duid, id.substr(iaid_end), "dhcp");
  if (mac) {
    char digits[12];
    write_hex(digits, Bytes(mac->bytes.data(), mac->bytes.size()));
    if (id.ends_with(std::string_view(digits, sizeof digits))) return;
  }
  if (id.size() > 4) add(sighting, FactKind::client_id, id, "dhcp");
}

void take_dhcp_client(Inventory& inventory, const Dhcp& dhcp) {
  Sighting sighting{.time = dhcp.time, .mac = device_mac(dhcp.client_mac)};
  if (!sighting.mac) return;
  if (dhcp.client_ip && is_device(*dhcp.client_ip)) {
    sighting.ip = dhcp.client_ip;
    sighting.claim = Claim::asked;
  }
  add_client_id(sighting, dhcp.client_id, sighting.mac);
  add(sighting, FactKind::name, dhcp.host_name, "dhcp");
  add(sighting, FactKind::name, dhcp.client_fqdn.substr(0, dhcp.client_fqdn.find('.')), "dhcp");
  add(sighting, FactKind::vendor_class, dhcp.vendor_class, "dhcp");
  if (dhcp.message == "discover" || dhcp.message == "request")
    add(sighting, FactKind::fingerprint, dhcp.fingerprint, "dhcp");
  sighting.evidence = evidence("dhcp", dhcp.message) + " from " + mac_text(*sighting.mac);
  inventory.see(sighting);
}

void take_dhcp_server(Inventory& inventory, const Dhcp& dhcp) {
  if (dhcp.message == "ack" && dhcp.assigned_ip && is_device(*dhcp.assigned_ip)) {
    Sighting lease{.time = dhcp.time,
                   .mac = device_mac(dhcp.client_mac),
                   .ip = dhcp.assigned_ip,
                   .claim = Claim::leased,
                   .alive = false};
    lease.evidence = evidence("dhcp", "ack") + ": leased by " + to_string(dhcp.sender_ip);
    if (lease.mac) inventory.see(lease);
  }
  // A relay's word is not a server's.
  if (!is_device(dhcp.sender_ip) || dhcp.sender_ip == dhcp.relay_ip.value_or(Addr{})) return;
  Sighting server{.time = dhcp.time, .ip = dhcp.sender_ip};
  add(server, FactKind::role, "dhcp_server", "dhcp");
  server.evidence = evidence("dhcp", dhcp.message);
  if (dhcp.assigned_ip) server.evidence += " of " + to_string(*dhcp.assigned_ip);
  for (const Addr& router : dhcp.routers) server.evidence += ", router " + to_string(router);
  for (const Addr& dns : dhcp.dns_servers) server.evidence += ", DNS " + to_string(dns);
  inventory.see(server);
}

void take(Inventory& inventory, const Dhcp& dhcp) {
  const bool server = dhcp.message == "offer" || dhcp.message == "ack" || dhcp.message == "nak";
  return server ? take_dhcp_server(inventory, dhcp) : take_dhcp_client(inventory, dhcp);
}

void take(Inventory& inventory, const Dhcpv6& dhcp) {
  const bool server = dhcp.message == "advertise" || dhcp.message == "reply" || dhcp.message == "reconfigure";
  Sighting sighting{.time = dhcp.time, .mac = {}, .ip = device_ip(dhcp.sender_ip)};
  sighting.evidence = evidence("dhcpv6", dhcp.message);
  if (server) {
    add(sighting, FactKind::role, "dhcp_server", "dhcpv6");
  } else if (dhcp.relays == 0) {
    // The DUID may have been made of the hardware address of another interface: it names the host alone.
    add(sighting, FactKind::duid, dhcp.client_id, "dhcpv6");
    add(sighting, FactKind::name, dhcp.client_fqdn.substr(0, dhcp.client_fqdn.find('.')), "dhcp");
    add(sighting, FactKind::vendor_class, dhcp.vendor_class, "dhcpv6");
  }
  inventory.see(sighting);
}

// A name and its address; whoever has the address is called so.
void take_name(Inventory& inventory, const Dns& dns, std::string_view name, std::string_view address) {
  const auto ip = parse_addr(address);
  if (!ip || !is_device(*ip)) return;
  if (name.ends_with(".local")) name.remove_suffix(6);
  name = name.substr(0, name.find('<'));  // NetBIOS: what the name is for, <20>
  Sighting sighting{.time = dns.time, .mac = {}, .ip = *ip};
  sighting.alive = sighting.introduces = false;
  add(sighting, FactKind::name, name, dns.variant);
  sighting.evidence = evidence(dns.variant, "answer: ") + std::string(name) + " is " + to_string(*ip);
  inventory.see(sighting);
}

void take(Inventory& inventory, const Dns& dns) {
  // In ordinary DNS an address may have any number of names, and nobody need know of them.
  if (dns.variant == "dns") return;
  for (std::size_t i = 0; i < dns.answers.size() && i < dns.answer_types.size(); ++i) {
    const bool address =
        dns.answer_types[i] == "A" || dns.answer_types[i] == "AAAA" || dns.answer_types[i] == "NB";
    const std::string_view name = i < dns.answer_names.size() && dns.answer_names[i].data() != nullptr
                                      ? dns.answer_names[i]
                                      : dns.query;
    if (address) take_name(inventory, dns, name, dns.answers[i]);
  }
}

// What is said of the host at the end of a flow, if it is a known device.
void take_fact(Inventory& inventory, Time time, const Addr& ip, FactKind kind, std::string_view value,
               std::string_view source) {
  if (value.empty() || !is_device(ip)) return;
  Sighting sighting{.time = time, .mac = {}, .ip = ip};
  sighting.introduces = false;
  add(sighting, kind, value, source);
  sighting.evidence = evidence(source, value);
  inventory.see(sighting);
}

void take(Inventory& inventory, const Http& http) {
  take_fact(inventory, http.time, http.flow.src_ip, FactKind::user_agent, http.user_agent, "http");
}
void take(Inventory& inventory, const Ssh& ssh) {
  take_fact(inventory, ssh.time, ssh.ref.dst_ip, FactKind::host_key, ssh.host_key_fingerprint, "ssh");
}

// No router has counted it down: it comes from this link.
bool unrouted(std::optional<std::uint8_t> ttl) noexcept {
  return ttl == 64 || ttl == 128 || ttl == 255;
}

void take_end(Inventory& inventory, const Flow& flow, bool originator) {
  const Addr& ip = originator ? flow.ref.src_ip : flow.ref.dst_ip;
  const std::optional<Mac> mac = device_mac(originator ? flow.src_mac : flow.dst_mac);
  if (!is_device(ip) || (originator ? flow.src_packets : flow.dst_packets) == 0) return;
  Sighting sighting{.time = flow.time + flow.duration, .mac = {}, .ip = ip};
  sighting.introduces = mac && ip.is_private() && unrouted(originator ? flow.src_ttl : flow.dst_ttl);
  if (sighting.introduces) sighting.mac = mac;
  const bool answered = flow.state == "S1" || flow.state == "SF" || flow.state == "S2" ||
                        flow.state == "S3" || flow.state == "RSTO" || flow.state == "RSTR";
  const bool serves = flow.ref.proto == IpProto::tcp ? answered : !flow.application.empty();
  sighting.evidence = "flow";
  if (!originator && serves && (flow.ref.proto == IpProto::tcp || flow.ref.proto == IpProto::udp)) {
    std::string service = std::to_string(flow.ref.dst_port) + "/" + std::string(name_of(flow.ref.proto));
    sighting.evidence = "answers at " + service;
    if (!flow.application.empty()) service += " " + std::string(flow.application);
    add(sighting, FactKind::service, service, "flow");
  }
  inventory.see(sighting);
}

void take(Inventory& inventory, const Flow& flow) {
  if (!flow.tunnel.empty() || flow.exporter) return;
  take_end(inventory, flow, true);
  take_end(inventory, flow, false);
}

void take(Inventory& inventory, const Host& host) {
  if (host.state != "up") return;
  Sighting sighting{.time = host.time, .mac = device_mac(host.mac), .ip = device_ip(host.ip)};
  sighting.claim = sighting.mac ? Claim::asked : Claim::none;
  sighting.evidence = evidence("sweep", host.reason);
  inventory.see(sighting);
}

template <class R>
void take_as(Inventory& inventory, const void* record) {
  take(inventory, *static_cast<const R*>(record));
}
template <class... R>
struct Takers {
  static constexpr RecordTypeOf types[] = {record_type<R>...};
  static constexpr void (*functions[])(Inventory&, const void*) = {take_as<R>...};
};
using All = Takers<Arp, Ndp, Dhcp, Dhcpv6, Dns, Http, Ssh, Flow, Host>;

}  // namespace

std::span<const RecordTypeOf> device_evidence_types() noexcept {
  return All::types;
}

void take_evidence(Inventory& inventory, const RecordType& type, const void* record) {
  for (std::size_t i = 0; i < std::size(All::types); ++i)
    if (&All::types[i]() == &type) return All::functions[i](inventory, record);
}

}  // namespace weir

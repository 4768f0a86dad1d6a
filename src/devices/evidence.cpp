#include "devices/evidence.hpp"

#include <algorithm>
#include <cctype>

#include "core/ascii.hpp"
#include "core/hex.hpp"
#include "devices/certificate_facts.hpp"
#include "records/arp.hpp"
#include "records/cdp.hpp"
#include "records/dhcp.hpp"
#include "records/dhcpv6.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "records/host.hpp"
#include "records/http.hpp"
#include "records/lldp.hpp"
#include "records/ndp.hpp"
#include "records/netbios.hpp"
#include "records/service.hpp"
#include "records/ssdp.hpp"
#include "records/ssh.hpp"
#include "records/tls.hpp"

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
// Of which no router makes a journey (RFC 4291 §2.5.6).
bool is_link_local(const Addr& ip) noexcept {
  return !ip.is_v4() && ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
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
  const bool routes = ndp.message == "router_advertisement" && ndp.router_lifetime;
  if (routes && ndp.router_lifetime->ns == 0) sighting.withdrawn = DeviceChange::rogue_ra;
  if (routes && ndp.router_lifetime->ns > 0) {
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
  // A client that is not the frame's sender is one behind a relay or a repeater, or one that was made up, as
  // whoever wants all of a server's leases makes up thousands: it has to be seen otherwise.
  const bool relayed = dhcp.relay_ip || dhcp.hops != 0;
  const bool foreign = !relayed && dhcp.src_mac && is_device(*dhcp.src_mac) && dhcp.src_mac != sighting.mac;
  sighting.introduces = !foreign;
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
  if (foreign) sighting.evidence += ", in a frame of " + mac_text(*dhcp.src_mac);
  inventory.see(sighting);
}

void take_dhcp_server(Inventory& inventory, const Dhcp& dhcp) {
  if (dhcp.message == "ack" && dhcp.assigned_ip && is_device(*dhcp.assigned_ip)) {
    Sighting lease{.time = dhcp.time,
                   .mac = device_mac(dhcp.client_mac),
                   .ip = dhcp.assigned_ip,
                   .claim = Claim::leased,
                   .alive = false,
                   .introduces = dhcp.relay_ip.has_value()};
    lease.evidence = evidence("dhcp", "ack") + ": leased by " + to_string(dhcp.sender_ip);
    if (lease.mac) inventory.see(lease);
  }
  // A relay's word is not a server's.
  if (!is_device(dhcp.sender_ip) || dhcp.sender_ip == dhcp.relay_ip.value_or(Addr{})) return;
  Sighting server{.time = dhcp.time, .ip = dhcp.sender_ip};
  // Without a relay it is on the client's link, unless it renews a lease, which a router may pass on.
  if (!dhcp.relay_ip && !dhcp.client_ip) server.mac = device_mac(dhcp.src_mac);
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
  if (dhcp.relays == 0 && is_link_local(dhcp.sender_ip)) sighting.mac = device_mac(dhcp.src_mac);
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

// "ipp" of _ipp._tcp.local, also behind an instance's name; empty where there is none.
std::string_view offer_in(std::string_view name) noexcept {
  for (const std::string_view proto : {"._tcp.local", "._udp.local"}) {
    if (!name.ends_with(proto)) continue;
    name.remove_suffix(proto.size());
    const std::size_t at = name.rfind('_');
    if (at == name.npos || (at != 0 && name[at - 1] != '.')) return {};
    name.remove_prefix(at + 1);
    return name == "dns-sd" ? std::string_view{} : name;
  }
  return {};
}

// The value of the first of these keys in a TXT record's text: "model=X" "y=z" (RFC 6763 §6).
std::string model_in(std::string_view text) {
  for (const std::string_view key : {"\"model=", "\"md=", "\"ty=", "\"am=", "\"usb_MDL="}) {
    const std::size_t at = find_nocase(text, key);
    if (at == text.npos) continue;
    const std::string_view value = text.substr(at + key.size());
    const std::size_t end = value.find('"');
    if (end != value.npos && end != 0) return std::string(value.substr(0, end));
  }
  return {};
}

// What a multicast answer says of services: of the address that it tells as well, else of who sent it.
void take_services(Inventory& inventory, const Dns& dns) {
  Sighting sighting{.time = dns.time, .mac = {}, .ip = dns.request_bytes ? dns.flow.dst_ip : dns.flow.src_ip};
  sighting.introduces = false;
  for (std::size_t i = 0; i < dns.answers.size() && i < dns.answer_types.size(); ++i) {
    const std::string_view owner = i < dns.answer_names.size() ? dns.answer_names[i] : dns.query;
    const std::string_view type = dns.answer_types[i], data = dns.answers[i];
    if (type == "PTR") add(sighting, FactKind::offer, offer_in(data), "mdns");
    if (type == "SRV") add(sighting, FactKind::offer, offer_in(owner), "mdns");
    if (type == "TXT" && !offer_in(owner).empty()) add(sighting, FactKind::model, model_in(data), "mdns");
    if (const auto address = parse_addr(data); type == "A" && address && is_device(*address))
      sighting.ip = *address, sighting.alive = false;
  }
  // Announced, not used: a host's own flags.
  std::erase_if(sighting.facts, [](const Fact& f) { return f.value == "device-info"; });
  if (sighting.facts.empty() || !is_device(*sighting.ip)) return;
  sighting.evidence = evidence("mdns", "services of ") + to_string(*sighting.ip);
  inventory.see(sighting);
}

// The address of a name under in-addr.arpa (RFC 1035 §3.5) or ip6.arpa (RFC 3596 §2.5).
std::string reverse_address(std::string_view name) {
  const bool v6 = name.ends_with(".ip6.arpa");
  const std::string_view zone = v6 ? ".ip6.arpa" : ".in-addr.arpa";
  if (!name.ends_with(zone)) return {};
  name.remove_suffix(zone.size());
  std::string address;
  for (std::size_t labels = 0; !name.empty(); ++labels) {
    const std::size_t dot = name.rfind('.');
    if (labels != 0 && (!v6 || labels % 4 == 0)) address += v6 ? ':' : '.';
    address += name.substr(dot == name.npos ? 0 : dot + 1);
    name = name.substr(0, dot == name.npos ? 0 : dot);
  }
  return address;
}

void take(Inventory& inventory, const Dns& dns) {
  // In ordinary DNS an address may have any number of names, and nobody need know of them.
  if (dns.variant == "dns") return;
  if (dns.variant == "mdns" && dns.rcode) take_services(inventory, dns);
  for (std::size_t i = 0; i < dns.answers.size() && i < dns.answer_types.size(); ++i) {
    const bool address =
        dns.answer_types[i] == "A" || dns.answer_types[i] == "AAAA" || dns.answer_types[i] == "NB";
    const std::string_view name = i < dns.answer_names.size() && dns.answer_names[i].data() != nullptr
                                      ? dns.answer_names[i]
                                      : dns.query;
    if (address) take_name(inventory, dns, name, dns.answers[i]);
    if (dns.answer_types[i] == "PTR") take_name(inventory, dns, dns.answers[i], reverse_address(name));
  }
}

// What a neighbour says of itself besides its port, by LLDP or CDP.
struct Speaker {
  Time time;
  std::string_view protocol;
  std::optional<Mac> mac;   // of the port
  std::string chassis;      // empty: it is no evidence
  std::optional<Mac> base;  // the chassis is this hardware address
  List<Addr> addresses;
  std::uint16_t interface = 0;  // that heard it
  std::string_view port;
  Duration ttl;
};

// Ports of one device have hardware addresses of their own: the chassis makes them one.
void take_neighbour(Inventory& inventory, const Speaker& n, Sighting&& sighting) {
  sighting.time = n.time;
  sighting.mac = n.mac;
  add(sighting, FactKind::chassis, n.chassis, n.protocol);
  sighting.evidence = evidence(n.protocol, n.chassis.empty() ? mac_text(*n.mac) : n.chassis);
  inventory.see(sighting);
  if (n.ttl.ns > 0)
    inventory.topology().hear(n.interface,
                              {.device = mac_text(*n.mac),
                               .port = std::string(n.port),
                               .neighbour = {},
                               .neighbour_port = {},
                               .source = std::string(n.protocol),
                               .neighbour_name = {},
                               .first = n.time,
                               .last = n.time},
                              n.ttl);
  Sighting same{.time = n.time};
  same.alive = same.introduces = false;
  if (n.chassis.empty()) {
    same.mac = n.mac;
  } else {
    add(same, FactKind::chassis, n.chassis, n.protocol);
    same.mac = n.base;
    same.evidence = sighting.evidence;
    if (same.mac && same.mac != n.mac) inventory.see(same);
    same.mac.reset();
  }
  for (const Addr& ip : n.addresses) {
    if (!is_device(ip)) continue;
    same.ip = ip;
    same.evidence = sighting.evidence + " has " + to_string(ip);
    inventory.see(same);
  }
}

// Numbers out of a factory that stand for nothing: "0", "1234", "N/A".
bool is_serial(std::string_view text) noexcept {
  const auto differs = [&](char c) { return c != text.front(); };
  return text.size() >= 5 && std::ranges::any_of(text, differs) &&
         std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The name that people know, where the identifier is none.
std::string_view port_of(const Lldp& lldp) noexcept {
  const bool is_name = lldp.port_id_kind == "interface_name" || lldp.port_id_kind == "local";
  return is_name || lldp.port_description.empty() ? lldp.port_id : lldp.port_description;
}

void take(Inventory& inventory, const Lldp& lldp) {
  Speaker n{.time = lldp.time, .protocol = "lldp", .mac = device_mac(lldp.src_mac)};
  if (!n.mac) return;
  if (lldp.chassis_id_kind == "mac") n.base = parse_mac(lldp.chassis_id).value_or(Mac{});
  if (n.base && !is_device(*n.base)) n.base.reset();
  // Names of interfaces and the like are those of others, too.
  if (n.base || (lldp.chassis_id_kind == "chassis_component" && is_serial(lldp.chassis_id)))
    n.chassis = lldp.chassis_id;
  n.addresses = lldp.management_addresses;
  n.interface = lldp.interface;
  n.port = port_of(lldp);
  n.ttl = lldp.ttl;
  Sighting sighting;
  add(sighting, FactKind::name, lldp.system_name, "lldp");
  add(sighting, FactKind::system, lldp.system_description, "lldp");
  const std::string_view maker = lldp.manufacturer, model = lldp.model;
  add(sighting, FactKind::model,
      std::string(maker) + (maker.empty() || model.empty() ? "" : " ") + std::string(model), "lldp");
  if (is_serial(lldp.serial)) add(sighting, FactKind::serial, lldp.serial, "lldp");
  for (const Text& capability : lldp.enabled_capabilities)
    add(sighting, FactKind::capability, capability, "lldp");
  take_neighbour(inventory, n, std::move(sighting));
}

void take(Inventory& inventory, const Cdp& cdp) {
  Speaker n{.time = cdp.time, .protocol = "cdp", .mac = device_mac(cdp.src_mac)};
  if (!n.mac) return;
  const bool out_of_the_box = cdp.device_id == "Switch" || cdp.device_id == "Router";
  if (!out_of_the_box && cdp.device_id.size() > 2) n.chassis = cdp.device_id;
  n.addresses = cdp.management_addresses.size() != 0 ? cdp.management_addresses : cdp.addresses;
  n.interface = cdp.interface;
  n.port = cdp.port_id;
  n.ttl = cdp.ttl;
  Sighting sighting;
  add(sighting, FactKind::name, cdp.system_name.empty() ? cdp.device_id : cdp.system_name, "cdp");
  add(sighting, FactKind::system, cdp.software, "cdp");
  add(sighting, FactKind::model, cdp.platform, "cdp");
  for (const Text& capability : cdp.capabilities) add(sighting, FactKind::capability, capability, "cdp");
  take_neighbour(inventory, n, std::move(sighting));
}

// "MediaServer" of urn:schemas-upnp-org:device:MediaServer:1; services are parts of devices.
std::string_view upnp_device(std::string_view target) noexcept {
  constexpr std::string_view before = ":device:";
  const std::size_t at = target.starts_with("urn:") ? target.find(before) : target.npos;
  if (at == target.npos) return {};
  target.remove_prefix(at + before.size());
  return target.substr(0, target.find(':'));
}

void take(Inventory& inventory, const Ssdp& ssdp) {
  // A search of one address is answered in the same flow.
  const bool answered = ssdp.message == "response" && ssdp.flow.dst_port == 1900;
  Sighting sighting{.time = ssdp.time, .mac = {}, .ip = answered ? ssdp.flow.dst_ip : ssdp.flow.src_ip};
  if (!is_device(*sighting.ip)) return;
  sighting.introduces = false;
  if (ssdp.message == "search") {
    add(sighting, FactKind::user_agent, ssdp.user_agent, "ssdp");
  } else if (ssdp.message != "byebye") {
    add(sighting, FactKind::system, ssdp.server, "ssdp");
    add(sighting, FactKind::offer, upnp_device(ssdp.target), "ssdp");
  }
  sighting.evidence = evidence("ssdp", ssdp.message) + " from " + to_string(*sighting.ip);
  inventory.see(sighting);
}

void take(Inventory& inventory, const Netbios& netbios) {
  const std::optional<Addr> ip = device_ip(netbios.ip);
  if (!ip) return;
  Sighting sighting{.time = netbios.time, .mac = {}, .ip = *ip};
  // The adapter it tells need not be the one that answered: ARP knows better.
  const KnownDevice* known = inventory.find(to_string(*ip));
  if (known == nullptr || known->macs.empty()) sighting.mac = device_mac(netbios.mac);
  sighting.introduces = sighting.mac && ip->is_private();
  add(sighting, FactKind::name, netbios.name, "netbios");
  add(sighting, FactKind::workgroup, netbios.workgroup, "netbios");
  const auto has = [](const List<Text>& names, std::string_view kind) {
    return std::ranges::any_of(names, [&](const Text& name) { return name.ends_with(kind); });
  };
  if (has(netbios.names, "<20>")) add(sighting, FactKind::offer, "smb", "netbios");
  if (has(netbios.groups, "<1c>")) add(sighting, FactKind::capability, "domain_controller", "netbios");
  sighting.evidence = evidence("netbios", "node status of ") + to_string(*ip);
  inventory.see(sighting);
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

// A name that a client may have asked for, and no address.
bool is_host_name(std::string_view name) noexcept {
  return !name.empty() && name.size() < 254 && !parse_addr(name) &&
         std::ranges::all_of(
             name,
             [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
             });
}
std::string place_of(std::uint16_t port, IpProto proto) {
  return std::to_string(port) + "/" + std::string(name_of(proto));
}

void take(Inventory& inventory, const Tls& tls) {
  if (tls.certificate_chain.size() == 0) return;
  std::string place = place_of(tls.ref.dst_port, tls.ref.proto);
  if (is_host_name(tls.server_name)) place.append(" ").append(tls.server_name);
  take_fact(inventory, tls.time, tls.ref.dst_ip, FactKind::certificate,
            certificate_line({place, tls.subject, tls.issuer, tls.not_after, tls.certificate_chain[0]}),
            "tls");
}

void take(Inventory& inventory, const Service& service) {
  // The port's number alone is no evidence.
  if ((service.evidence.empty() && !service.tls) || !is_device(service.ip)) return;
  const std::string place = place_of(service.port, service.proto);
  Sighting sighting{.time = service.time, .mac = {}, .ip = service.ip};
  sighting.introduces = false;
  sighting.evidence = evidence("scan", "answers at ") + place;
  add(sighting, FactKind::service,
      place + (service.service.empty() ? "" : " ") + std::string(service.service), "scan");
  if (!service.cert_sha256.empty())
    add(sighting, FactKind::certificate,
        certificate_line(
            {place, service.cert_subject, service.cert_issuer, service.cert_not_after, service.cert_sha256}),
        "scan");
  inventory.see(sighting);
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
    std::string service = place_of(flow.ref.dst_port, flow.ref.proto);
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
using All =
    Takers<Arp, Ndp, Dhcp, Dhcpv6, Dns, Lldp, Cdp, Ssdp, Netbios, Http, Ssh, Tls, Service, Flow, Host>;

}  // namespace

std::span<const RecordTypeOf> device_evidence_types() noexcept {
  return All::types;
}

void take_evidence(Inventory& inventory, const RecordType& type, const void* record) {
  for (std::size_t i = 0; i < std::size(All::types); ++i)
    if (&All::types[i]() == &type) return All::functions[i](inventory, record);
}

}  // namespace weir

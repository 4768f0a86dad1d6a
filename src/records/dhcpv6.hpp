// One DHCPv6 message.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Dhcpv6 {
  Time time;
  FlowRef flow;
  Text message;
  Addr sender_ip;
  std::uint32_t xid = 0;
  Text client_id, server_id;
  std::optional<Mac> client_mac;
  List<Addr> addresses;
  List<Text> prefixes;
  std::optional<Duration> preferred_lifetime, valid_lifetime, elapsed;
  Text client_fqdn, vendor_class, user_class, boot_file, interface_id, remote_id;
  List<Addr> dns_servers;
  List<Text> search_domains;
  List<std::uint16_t> parameters, options;
  Text status, status_message;
  bool is_rapid_commit = false;
  std::uint8_t relays = 0;
  std::optional<Addr> relay_link, relay_peer;
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
};
template <>
inline constexpr auto schema<Dhcpv6> = record(
    "dhcpv6", "One DHCPv6 message, relays unwrapped", field("time", &Dhcpv6::time, "When it was seen"),
    field("flow", &Dhcpv6::flow,
          "The flow that carried it; the client's multicasts and the answers are two flows: join by xid"),
    field("message", &Dhcpv6::message,
          "solicit, advertise, request, confirm, renew, rebind, reply, release, decline, reconfigure, "
          "information_request, …"),
    field("sender_ip", &Dhcpv6::sender_ip, "Who sent the packet"),
    field("xid", &Dhcpv6::xid, "Transaction identifier, the same in a message and its answer"),
    field("client_id", &Dhcpv6::client_id, "Client's DUID, hexadecimal"),
    field("server_id", &Dhcpv6::server_id, "Server's DUID, hexadecimal"),
    field("client_mac", &Dhcpv6::client_mac,
          "Client's hardware address: from the relay's option 79, else from its DUID"),
    field("addresses", &Dhcpv6::addresses, "Addresses asked for or leased"),
    field("prefixes", &Dhcpv6::prefixes, "Prefixes asked for or delegated"),
    field("preferred_lifetime", &Dhcpv6::preferred_lifetime, Unit::seconds,
          "Preferred lifetime of the first address or prefix"),
    field("valid_lifetime", &Dhcpv6::valid_lifetime, Unit::seconds,
          "Valid lifetime of the first address or prefix"),
    field("elapsed", &Dhcpv6::elapsed, Unit::seconds, "Time the client has been trying"),
    field("client_fqdn", &Dhcpv6::client_fqdn, "Client's fully qualified name"),
    field("vendor_class", &Dhcpv6::vendor_class, "Vendor class, its first text"),
    field("user_class", &Dhcpv6::user_class, "User class, its first text"),
    field("boot_file", &Dhcpv6::boot_file, "URL of the boot file"),
    field("interface_id", &Dhcpv6::interface_id, "Relay agent's interface; hexadecimal unless printable"),
    field("remote_id", &Dhcpv6::remote_id, "Relay agent's remote end; hexadecimal unless printable"),
    field("dns_servers", &Dhcpv6::dns_servers, "DNS servers"),
    field("search_domains", &Dhcpv6::search_domains, "DNS search list"),
    field("parameters", &Dhcpv6::parameters, "Options the client asks for, in its order"),
    field("options", &Dhcpv6::options, "Codes of the message's own options, in their order"),
    field("status", &Dhcpv6::status,
          "First status that is not success, else success when stated: no_addrs_avail, no_binding, "
          "not_on_link, …"),
    field("status_message", &Dhcpv6::status_message, "Its text"),
    field("rapid_commit", &Dhcpv6::is_rapid_commit, "Whether two messages are to do for four"),
    field("relays", &Dhcpv6::relays, "Relay agents passed"),
    field("relay_link", &Dhcpv6::relay_link, "Address of the client's link, by the relay next to it"),
    field("relay_peer", &Dhcpv6::relay_peer, "Client's address, by the relay next to it"),
    field("src_mac", &Dhcpv6::src_mac,
          "Source of the frame; the last router's where the message was relayed or routed"),
    field("dst_mac", &Dhcpv6::dst_mac, "Destination of the frame"),
    field("vlan", &Dhcpv6::vlan, "VLAN, the inner one of two"));

}  // namespace weir

// One DHCPv4 or BOOTP message.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Dhcp {
  Time time;
  FlowRef flow;
  Text message;
  Addr sender_ip;
  std::uint32_t xid = 0;
  std::optional<Mac> client_mac;
  std::optional<Addr> client_ip, requested_ip, assigned_ip, server_ip, next_server, relay_ip;
  Text host_name, client_fqdn, domain, vendor_class, client_id;
  std::optional<Duration> lease_time;
  std::optional<Addr> subnet_mask;
  List<Addr> routers, dns_servers;
  List<Text> search_domains;
  List<std::uint16_t> parameters, options;
  Text fingerprint, user_class, server_name, boot_file, circuit_id, remote_id, subscriber_id, error_message;
  std::optional<bool> is_broadcast;
  std::optional<Duration> elapsed;
  std::uint8_t hops = 0;
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
};
template <>
inline constexpr auto schema<Dhcp> = record(
    "dhcp", "One DHCP (IPv4) or BOOTP message", field("time", &Dhcp::time, "When it was seen"),
    field("flow", &Dhcp::flow,
          "The flow that carried it; broadcasts of client and server may be two flows: join by xid"),
    field("message", &Dhcp::message,
          "discover, offer, request, decline, ack, nak, release, inform, …; bootp_request or bootp_reply "
          "without a type"),
    field("sender_ip", &Dhcp::sender_ip, "Who sent this message"),
    field("xid", &Dhcp::xid, "Transaction identifier, the same in all messages of one exchange"),
    field("client_mac", &Dhcp::client_mac, "Client's hardware address"),
    field("client_ip", &Dhcp::client_ip, "Address the client says it has (ciaddr)"),
    field("requested_ip", &Dhcp::requested_ip, "Address the client asks for (option 50)"),
    field("assigned_ip", &Dhcp::assigned_ip, "Address the server offers or grants (yiaddr)"),
    field("server_ip", &Dhcp::server_ip, "Server identifier (option 54)"),
    field("next_server", &Dhcp::next_server, "Server to boot from (siaddr)"),
    field("relay_ip", &Dhcp::relay_ip, "Relay agent (giaddr)"),
    field("host_name", &Dhcp::host_name, "Client's host name (option 12)"),
    field("client_fqdn", &Dhcp::client_fqdn, "Client's fully qualified name (option 81)"),
    field("domain", &Dhcp::domain, "Domain name (option 15)"),
    field("vendor_class", &Dhcp::vendor_class, "Vendor class identifier (option 60)"),
    field("client_id", &Dhcp::client_id, "Client identifier (option 61), hexadecimal"),
    field("lease_time", &Dhcp::lease_time, Unit::seconds, "Lease time (option 51)"),
    field("subnet_mask", &Dhcp::subnet_mask, "Subnet mask (option 1)"),
    field("routers", &Dhcp::routers, "Default routers (option 3)"),
    field("dns_servers", &Dhcp::dns_servers, "DNS servers (option 6)"),
    field("search_domains", &Dhcp::search_domains, "DNS search list (option 119)"),
    field("parameters", &Dhcp::parameters, "Options the client asks for, in its order (option 55)"),
    field("options", &Dhcp::options, "Codes of all options in the message, in their order"),
    field("fingerprint", &Dhcp::fingerprint,
          "parameters as text, as device fingerprint databases write it: 1,3,6,15"),
    field("user_class", &Dhcp::user_class, "User class (option 77)"),
    field("server_name", &Dhcp::server_name, "Boot server's name (sname or option 66)"),
    field("boot_file", &Dhcp::boot_file, "Boot file (file or option 67)"),
    field("circuit_id", &Dhcp::circuit_id,
          "Relay agent's circuit (option 82.1); hexadecimal unless printable"),
    field("remote_id", &Dhcp::remote_id,
          "Relay agent's remote end (option 82.2); hexadecimal unless printable"),
    field("subscriber_id", &Dhcp::subscriber_id, "Relay agent's subscriber (option 82.6)"),
    field("error_message", &Dhcp::error_message, "What a decline or nak says (option 56)"),
    field("broadcast", &Dhcp::is_broadcast, "Whether the client wants the answer broadcast"),
    field("elapsed", &Dhcp::elapsed, Unit::seconds, "Time the client has been trying (secs)"),
    field("hops", &Dhcp::hops, "Relays passed"),
    field("src_mac", &Dhcp::src_mac,
          "Source of the frame; differs from client_mac behind a relay, a router or a forger"),
    field("dst_mac", &Dhcp::dst_mac, "Destination of the frame"),
    field("vlan", &Dhcp::vlan, "VLAN, the inner one of two"));

}  // namespace weir

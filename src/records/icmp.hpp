// One ICMP or ICMPv6 message.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Icmp {
  Time time;
  FlowRef flow;
  Addr sender_ip;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  Text name, reason;
  std::optional<std::uint16_t> id, sequence;
  std::uint32_t payload = 0;
  std::optional<Duration> rtt;
  std::uint8_t ttl = 0;
  std::optional<std::uint32_t> mtu, pointer;
  std::optional<Addr> gateway;
  std::optional<Addr> orig_src_ip, orig_dst_ip;
  std::optional<std::uint16_t> orig_src_port, orig_dst_port;
  std::optional<IpProto> orig_proto;
};
template <>
inline constexpr auto schema<Icmp> = record(
    "icmp", "One ICMP or ICMPv6 message", field("time", &Icmp::time, "When it was seen"),
    field("flow", &Icmp::flow, "The flow that carried it"),
    field("sender_ip", &Icmp::sender_ip, "Who sent this message"),
    field("icmp_type", &Icmp::icmp_type, "Type, IANA number"),
    field("icmp_code", &Icmp::icmp_code, "Code, IANA number"),
    field("name", &Icmp::name, "Type by name: echo_request, destination_unreachable, time_exceeded, …"),
    field("reason", &Icmp::reason,
          "Code by name, for types that have codes: port_unreachable, ttl_exceeded, …"),
    field("id", &Icmp::id, "Identifier of an echo or timestamp message"),
    field("sequence", &Icmp::sequence, "Sequence number of an echo or timestamp message"),
    field("payload", &Icmp::payload, Unit::bytes, "Bytes after the 8-byte header, on the wire"),
    field("rtt", &Icmp::rtt, Unit::seconds,
          "In an echo or timestamp reply: time since the request with this id and sequence"),
    field("ttl", &Icmp::ttl, "TTL or hop limit of the packet"),
    field("mtu", &Icmp::mtu, Unit::bytes, "MTU of the next hop, when a packet was too big for it"),
    field("pointer", &Icmp::pointer, "Offset of the octet found wrong, in a parameter problem"),
    field("gateway", &Icmp::gateway, "Better router, in a redirect"),
    field("orig_src_ip", &Icmp::orig_src_ip, "In an error: source of the packet it is about"),
    field("orig_src_port", &Icmp::orig_src_port, "In an error: source port of the packet it is about"),
    field("orig_dst_ip", &Icmp::orig_dst_ip,
          "In an error: destination of the packet it is about, that is what was not reached"),
    field("orig_dst_port", &Icmp::orig_dst_port, "In an error: destination port of the packet it is about"),
    field("orig_proto", &Icmp::orig_proto, "In an error: transport protocol of the packet it is about"));

}  // namespace weir

// One bidirectional flow.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Flow {
  Time time;
  FlowRef ref;
  Duration duration;
  Text application;
  std::uint64_t bytes = 0, packets = 0;
  std::uint64_t src_bytes = 0, dst_bytes = 0, src_packets = 0, dst_packets = 0;
  std::optional<std::uint64_t> src_payload, dst_payload, src_missed,
      dst_missed;  // null: exporters do not tell
  Text state, history, src_tcp_flags, dst_tcp_flags;
  std::optional<Duration> rtt;
  std::optional<std::uint32_t> src_retransmissions, dst_retransmissions, src_out_of_order, dst_out_of_order;
  std::optional<std::uint8_t> src_ttl, dst_ttl, src_tos, dst_tos;
  std::optional<std::uint16_t> vlan;
  std::optional<Mac> src_mac, dst_mac;
  Text community_id, tunnel;
  std::optional<std::uint64_t> tunnel_flow_id;
  std::optional<std::uint32_t> tunnel_key;
  Text end_reason;
  std::optional<Addr> exporter;
  std::optional<std::uint32_t> domain, sampling, in_interface, out_interface, src_as, dst_as;
  std::optional<Addr> next_hop, bgp_next_hop;
  std::optional<std::uint8_t> src_mask, dst_mask, forwarding;
  std::optional<std::uint16_t> dst_vlan;
  Text direction, event;
  std::optional<Addr> nat_src_ip, nat_dst_ip;
  std::optional<std::uint16_t> nat_src_port, nat_dst_port;
  Text src_country, dst_country, src_name, dst_name, src_network, dst_network;
};
template <>
inline constexpr auto schema<Flow> = record(
    "flow", "One bidirectional flow, from its originator's point of view",
    field("time", &Flow::time, "First packet"), field("flow", &Flow::ref, "Who talked"),
    field("duration", &Flow::duration, Unit::seconds, "From the first packet to the last"),
    field("application", &Flow::application,
          "Application protocol, recognised by content first and port second"),
    field("bytes", &Flow::bytes, Unit::bytes, "IP bytes, both directions"),
    field("packets", &Flow::packets, Unit::packets, "Packets, both directions"),
    field("src_bytes", &Flow::src_bytes, Unit::bytes, "IP bytes sent by the originator"),
    field("dst_bytes", &Flow::dst_bytes, Unit::bytes, "IP bytes sent by the responder"),
    field("src_packets", &Flow::src_packets, Unit::packets, "Packets sent by the originator"),
    field("dst_packets", &Flow::dst_packets, Unit::packets, "Packets sent by the responder"),
    field("src_payload", &Flow::src_payload, Unit::bytes,
          "Transport payload sent by the originator; for TCP without retransmitted bytes"),
    field("dst_payload", &Flow::dst_payload, Unit::bytes,
          "Transport payload sent by the responder; for TCP without retransmitted bytes"),
    field("src_missed", &Flow::src_missed, Unit::bytes, "Originator's TCP bytes that the capture lacks"),
    field("dst_missed", &Flow::dst_missed, Unit::bytes, "Responder's TCP bytes that the capture lacks"),
    field("state", &Flow::state,
          "Connection state, in Zeek's letters: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH"),
    field("history", &Flow::history,
          "What happened in order, in Zeek's letters: originator upper case, responder lower"),
    field("src_tcp_flags", &Flow::src_tcp_flags, "TCP flags the originator ever set, out of CEUAPRSF"),
    field("dst_tcp_flags", &Flow::dst_tcp_flags, "TCP flags the responder ever set, out of CEUAPRSF"),
    field("rtt", &Flow::rtt, Unit::seconds, "TCP handshake: from the SYN to the ACK that completes it"),
    field("src_retransmissions", &Flow::src_retransmissions, Unit::packets,
          "TCP packets the originator sent again"),
    field("dst_retransmissions", &Flow::dst_retransmissions, Unit::packets,
          "TCP packets the responder sent again"),
    field("src_out_of_order", &Flow::src_out_of_order, Unit::packets,
          "Originator's TCP packets that came out of order"),
    field("dst_out_of_order", &Flow::dst_out_of_order, Unit::packets,
          "Responder's TCP packets that came out of order"),
    field("src_ttl", &Flow::src_ttl, "TTL or hop limit of the originator's first packet"),
    field("dst_ttl", &Flow::dst_ttl, "TTL or hop limit of the responder's first packet"),
    field("src_tos", &Flow::src_tos, "Type of service or traffic class of the originator's first packet"),
    field("dst_tos", &Flow::dst_tos, "Type of service or traffic class of the responder's first packet"),
    field("vlan", &Flow::vlan, "VLAN of the first packet, the inner one of two"),
    field("src_mac", &Flow::src_mac, "Source MAC address of the originator's first packet"),
    field("dst_mac", &Flow::dst_mac, "Destination MAC address of the originator's first packet"),
    field("community_id", &Flow::community_id, "Community ID v1, seed 0"),
    field("tunnel", &Flow::tunnel,
          "Tunnel that carried the flow: gre, ipip, 6in4, vxlan, geneve, gtp, teredo, erspan"),
    field("tunnel_flow_id", &Flow::tunnel_flow_id, "The flow of the tunnel's outer packets"),
    field("tunnel_key", &Flow::tunnel_key,
          "VXLAN or Geneve network identifier, GRE key, GTP TEID of the first packet"),
    field("end_reason", &Flow::end_reason, "Why the record was written: closed, idle, active, evicted, end"),
    field("exporter", &Flow::exporter,
          "The device that exported the flow; null if weir made it from packets"),
    field("domain", &Flow::domain, "Observation domain, source id, engine or agent of the exporter"),
    field("sampling", &Flow::sampling,
          "The exporter saw one packet in so many; bytes and packets are scaled up by it already"),
    field("in_interface", &Flow::in_interface, "The exporter's interface (ifIndex) that received the flow"),
    field("out_interface", &Flow::out_interface, "The exporter's interface (ifIndex) that sent the flow"),
    field("src_as", &Flow::src_as, "Autonomous system of src_ip"),
    field("dst_as", &Flow::dst_as, "Autonomous system of dst_ip"),
    field("next_hop", &Flow::next_hop, "The router it was forwarded to"),
    field("bgp_next_hop", &Flow::bgp_next_hop, "The BGP next hop"),
    field("src_mask", &Flow::src_mask, "Length of the route's prefix that holds src_ip"),
    field("dst_mask", &Flow::dst_mask, "Length of the route's prefix that holds dst_ip"),
    field("forwarding", &Flow::forwarding, "Forwarding status (IANA IPFIX element 89)"),
    field("dst_vlan", &Flow::dst_vlan, "VLAN it was sent on by the exporter, where another than vlan"),
    field("direction", &Flow::direction, "Where the exporter saw it: ingress or egress"),
    field("event", &Flow::event,
          "What the exporter did: created, deleted, denied, alert, updated, nat_create, nat_delete, …"),
    field("nat_src_ip", &Flow::nat_src_ip, "src_ip after translation"),
    field("nat_dst_ip", &Flow::nat_dst_ip, "dst_ip after translation"),
    field("nat_src_port", &Flow::nat_src_port, "src_port after translation"),
    field("nat_dst_port", &Flow::nat_dst_port, "dst_port after translation"),
    field("src_country", &Flow::src_country, "Country of src_ip (ISO 3166-1 alpha-2)"),
    field("dst_country", &Flow::dst_country, "Country of dst_ip (ISO 3166-1 alpha-2)"),
    field("src_name", &Flow::src_name, "Reverse DNS name of src_ip"),
    field("dst_name", &Flow::dst_name, "Reverse DNS name of dst_ip"),
    field("src_network", &Flow::src_network, "Name of the own network that holds src_ip"),
    field("dst_network", &Flow::dst_network, "Name of the own network that holds dst_ip"));

}  // namespace weir

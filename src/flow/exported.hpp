// What flow exports and files of flow records say in numbers, in the terms of a Flow. Names are literals,
// null where the number says nothing.
#pragma once

#include "packet/tcp_flags.hpp"
#include "records/flow.hpp"

namespace weir {

// The inverse of flags_text(); a null is 0.
inline std::uint8_t tcp_flags_of(Text letters) noexcept {
  constexpr std::string_view names = "FSRPAUEC";
  unsigned flags = 0;
  for (const char c : letters)
    if (const std::size_t bit = names.find(c); bit != names.npos) flags |= 1U << bit;
  return static_cast<std::uint8_t>(flags);
}

// IPFIX flowEndReason (element 136, RFC 5102 §5.11.3).
inline Text end_reason_text(std::uint8_t reason) noexcept {
  static constexpr Text names[] = {{}, "idle", "active", "closed", "end", "evicted"};
  return reason < std::size(names) ? names[reason] : Text{};
}

// IPFIX firewallEvent (element 233).
inline Text firewall_event_text(std::uint8_t event) noexcept {
  static constexpr Text names[] = {{}, "created", "deleted", "denied", "alert", "updated"};
  return event < std::size(names) ? names[event] : Text{};
}

// IPFIX natEvent (element 230, RFC 8158 §4.1).
inline Text nat_event_text(std::uint8_t event) noexcept {
  static constexpr Text names[] = {
      {},
      "nat_create",
      "nat_delete",
      "nat_addresses_exhausted",
      "nat_create",
      "nat_delete",
      "nat_create",
      "nat_delete",
      "nat_bib_create",
      "nat_bib_delete",
      "nat_bib_create",
      "nat_bib_delete",
      "nat_ports_exhausted",
      "nat_quota_exceeded",
      "nat_binding_create",
      "nat_binding_delete",
      "nat_port_block_create",
      "nat_port_block_delete",
      "nat_threshold_reached",
  };
  return event < std::size(names) ? names[event] : Text{};
}

// The number of one of these names, 0 when it is none: number_of(nat_event_text, "nat_create").
inline std::uint8_t number_of(Text (*text)(std::uint8_t), Text name) noexcept {
  constexpr std::uint8_t beyond = 32;
  for (std::uint8_t number = 1; number < beyond; ++number)
    if (const Text t = text(number); t.data() != nullptr && t == name) return number;
  return 0;
}

// Type and code of the originator's packet become the flow's ports (records/flow_ref.hpp says how), and come
// back from them.
struct IcmpType {
  std::uint8_t type, code;
};
void set_icmp_ports(FlowRef& flow, IcmpType icmp) noexcept;
IcmpType icmp_type_of(const FlowRef& flow) noexcept;

// What either end sent, as a flow of its own: NetFlow v9 and nfdump's lines know one direction. Start and
// length are those of both, which is all that is known.
Flow forward_of(const Flow& flow) noexcept;
Flow backward_of(const Flow& flow) noexcept;
// Calls f with each direction that has packets; with the forward one when neither has (an event).
template <class F>
void for_each_direction(const Flow& flow, F&& f) {
  if (flow.dst_packets == 0) return f(flow);
  if (flow.src_packets != 0) f(forward_of(flow));
  f(backward_of(flow));
}

}  // namespace weir

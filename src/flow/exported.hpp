// What flow exports and files of flow records say in numbers, in the terms of a Flow. Names are literals,
// null where the number says nothing.
#pragma once

#include <array>

#include "records/flow.hpp"

namespace weir {

// Letters out of CEUAPRSF: CWR ECE URG ACK PSH RST SYN FIN.
inline Text tcp_flags_text(std::uint8_t flags) noexcept {
  struct Texts {
    std::array<std::array<char, 8>, 256> letters{};
    std::array<std::uint8_t, 256> sizes{};
    constexpr Texts() {
      constexpr char names[] = "FSRPAUEC";
      for (unsigned set = 0; set < 256; ++set)
        for (unsigned bit = 8; bit-- > 0;)
          if ((set >> bit & 1U) != 0) letters[set][sizes[set]++] = names[bit];
    }
  };
  static constexpr Texts texts;
  return {texts.letters[flags].data(), texts.sizes[flags]};
}
// The other way round; a null is 0.
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
inline std::uint8_t end_reason_of(Text name) noexcept {
  for (std::uint8_t reason = 1; reason <= 5; ++reason)
    if (end_reason_text(reason) == name) return reason;
  return 0;
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
      "nat44_create",
      "nat44_delete",
      "nat64_create",
      "nat64_delete",
      "nat44_bib_create",
      "nat44_bib_delete",
      "nat64_bib_create",
      "nat64_bib_delete",
      "nat_ports_exhausted",
      "nat_quota_exceeded",
      "nat_address_bind",
      "nat_address_unbind",
      "nat_port_block_allocate",
      "nat_port_block_free",
      "nat_threshold_reached",
  };
  return event < std::size(names) ? names[event] : Text{};
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

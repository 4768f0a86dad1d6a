// NetBIOS node status answers (RFC 1002 §4.2.18) as a record.
#pragma once

#include <array>

#include "parsers/dns_name.hpp"
#include "plugin/parser.hpp"
#include "records/netbios.hpp"

namespace weir::dns {

// Names kept per list; the rest is left out.
inline constexpr std::size_t netbios_names_max = 64;

// Emits nothing when the names are not all there.
inline void emit_node_status(Context& c, Bytes data) {
  using Names = std::array<Text, netbios_names_max>;
  Netbios n{.time = c.time, .flow = c.flow};
  n.ip = c.side == Side::resp ? c.flow.dst_ip : c.flow.src_ip;
  Names names, groups;
  std::size_t name_count = 0, group_count = 0;
  ByteReader r{data};
  for (unsigned left = r.u8(); left > 0 && r.ok(); --left) {
    constexpr std::uint16_t group_flag = 0x8000;
    std::string_view name = r.text(15);
    const std::uint8_t kind = r.u8();
    const bool group = (r.u16() & group_flag) != 0;
    if (!r.ok()) return;
    name = name.substr(0, name.find_last_not_of(std::string_view{" \0", 2}) + 1);
    Line<24> text;
    for (const char ch : name) text << (ch >= 0x20 && ch < 0x7f ? ch : '.');
    if (kind == 0 && !group && n.name.empty()) n.name = c.text(text.view());
    if (kind == 0 && group && n.workgroup.empty()) n.workgroup = c.text(text.view());
    static constexpr std::string_view digits = "0123456789abcdef";
    text << '<' << digits[kind >> 4] << digits[kind & 15] << '>';
    if (group && group_count < groups.size()) groups[group_count++] = c.text(text.view());
    if (!group && name_count < names.size()) names[name_count++] = c.text(text.view());
  }
  // The statistics begin with the adapter's address.
  if (const Bytes mac = r.bytes(6); r.ok() && Mac::from(mac.data()) != Mac{}) n.mac = Mac::from(mac.data());
  n.names = c.out.list(std::span<const Text>(names.data(), name_count));
  n.groups = c.out.list(std::span<const Text>(groups.data(), group_count));
  c.emit(n);
}

}  // namespace weir::dns

// Packets into layers: link, IP and transport headers read, tunnels opened. Nothing is kept between calls and
// no bytes are copied; hostile bytes give a layer with an oddity, never a failure. Any thread.
#pragma once

#include <optional>
#include <vector>

#include "packet/layer.hpp"
#include "plugin/source.hpp"

namespace weir {

struct Datagram;  // packet/defragment.hpp

// Layers read per packet. What a packet nests deeper stays unread: oddity "tunnel_depth" on the last layer.
inline constexpr std::size_t max_layers = 8;

// Appends the packet's layers, outermost first, at least one; returns how many. They borrow the packet's
// bytes. Nothing is read inside a layer with `fragment` set: it is the last of its packet, but for 802.11
// frames that aggregate several.
std::size_t decode(const RawPacket& packet, std::vector<Layer>& out);

// What a layer of kind `other` carries, as SNAP says it (plugin/parser.hpp): organisation code and type, 0
// for an Ethernet type's organisation. The protocol is 0 where nothing says.
struct LinkPayload {
  std::uint64_t protocol = 0;
  Bytes bytes;
  std::size_t cut = 0;  // bytes of it that were not captured
};
LinkPayload link_payload(const Layer& layer) noexcept;

// LINKTYPE_NFLOG, which BPF knows nothing of.
inline constexpr std::uint16_t link_netfilter_log = 239;
// The packet in a message of that link type, from its IP header on, as LINKTYPE_RAW; nothing when there is
// none.
std::optional<RawPacket> logged_packet(const RawPacket& message) noexcept;

// Appends the layers of a reassembled datagram, to stand in for `fragment`, the layer that completed it: take
// that one out of `out` first. Link and tunnel fields are the fragment's; ip_length and fragments are those
// of all fragments together, so that a flow counts every packet and byte once. The layers borrow the
// datagram's bytes.
std::size_t decode_ip(const Layer& fragment, const Datagram& whole, std::vector<Layer>& out);

}  // namespace weir

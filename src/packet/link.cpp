// One step per LINKTYPE_ number (pcap-linktype(7), tcpdump.org/linktypes.html).
#include "packet/decode.hpp"
#include "packet/decoding.hpp"

namespace weir {
namespace {

// Address families as the systems number them whose loopback captures are seen.
void decode_family(Decoding& d, std::uint32_t family, Piece rest) {
  switch (family) {
    case 2: return decode_ether_type(d, 0x0800, rest);
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return decode_ether_type(d, 0x86dd, rest);
    default: return add_other(d, rest);
  }
}

// The capturing host's byte order is not recorded; families are small numbers, so the order shows.
void null_link(Decoding& d, Piece frame) {
  if (!frame.has(4)) return add_other(d, frame, missing(frame, 4, "truncated_null_header"));
  const std::uint32_t family = frame.be32(0);
  decode_family(d, family > 0xffff ? __builtin_bswap32(family) : family, frame.from(4));
}

// What Linux "cooked" captures call a protocol is an EtherType or one of a few numbers below 0x0600.
void cooked(Decoding& d, std::uint16_t hardware, std::uint16_t protocol, Piece rest) {
  constexpr std::uint16_t netlink = 824, radiotap = 803, frad = 770;
  if (hardware == netlink || hardware == frad) return add_other(d, rest);
  if (hardware == radiotap) return decode_radiotap(d, rest);
  if (protocol == 4) return decode_llc(d, rest);
  if (protocol >= 0x0600) return decode_ether_type(d, protocol, rest);
  d.ether_type = protocol;
  add_other(d, rest);
}

void linux_sll(Decoding& d, Piece frame) {
  if (!frame.has(16)) return add_other(d, frame, missing(frame, 16, "truncated_sll"));
  cooked(d, frame.be16(2), frame.be16(14), frame.from(16));
}

void linux_sll2(Decoding& d, Piece frame) {
  if (!frame.has(20)) return add_other(d, frame, missing(frame, 20, "truncated_sll"));
  cooked(d, frame.be16(8), frame.be16(0), frame.from(20));
}

// RFC 1547 §4.3.1: address, control, EtherType. PPP in HDLC-like framing is captured with the same link
// types.
void hdlc(Decoding& d, Piece frame) {
  if (!frame.has(4)) return add_other(d, frame, missing(frame, 4, "truncated_hdlc"));
  if (frame.data[0] == 0xff && frame.data[1] == 0x03) return decode_ppp(d, frame);
  decode_ether_type(d, std::max<std::uint16_t>(frame.be16(2), 0x0600), frame.from(4));
}

void ppp_serial(Decoding& d, Piece frame) {
  const bool cisco = frame.has(1) && (frame.data[0] == 0x0f || frame.data[0] == 0x8f);
  return cisco ? hdlc(d, frame) : decode_ppp(d, frame);
}

// Frames whose MAC addresses stand together and whose payload is 802.2.
void local_network(Decoding& d, std::uint32_t addresses, std::uint32_t header, Piece frame) {
  if (!frame.has(header)) return add_other(d, frame, missing(frame, header, "truncated_frame"));
  d.macs = frame.data + addresses;
  decode_llc(d, frame.from(header));
}

void token_ring(Decoding& d, Piece frame) {
  std::uint32_t header = 14;
  const bool source_routed = frame.has(15) && (frame.data[8] & 0x80U) != 0;
  if (source_routed) header += frame.data[14] & 31U;  // IEEE 802.5 §3.3: length in its first octet
  local_network(d, 2, header, frame);
}

// RFC 2427 §3, §4: a two-octet address, then an NLPID or Cisco's EtherType.
void frame_relay(Decoding& d, Piece frame) {
  std::uint32_t at = 1;
  while (frame.has(at) && (frame.data[at - 1] & 1U) == 0 && at < 4) ++at;
  if (!frame.has(at + 2)) return add_other(d, frame, missing(frame, at + 2, "truncated_frame_relay"));
  if (frame.data[at] != 3)
    return decode_ether_type(d, std::max<std::uint16_t>(frame.be16(at), 0x0600), frame.from(at + 2));
  ++at;
  if (frame.data[at] == 0 && frame.has(at + 2)) ++at;  // padding
  switch (frame.data[at]) {
    case 0xcc: return decode_ether_type(d, 0x0800, frame.from(at + 1));
    case 0x8e: return decode_ether_type(d, 0x86dd, frame.from(at + 1));
    case 0xcf: return decode_ppp(d, frame.from(at + 1));
    case 0x80:
      if (frame.has(at + 6) && frame.be16(at + 1) == 0 && frame.data[at + 3] == 0)
        return decode_ether_type(d, std::max<std::uint16_t>(frame.be16(at + 4), 0x0600), frame.from(at + 6));
      [[fallthrough]];
    default: return add_other(d, frame);
  }
}

// OpenBSD's packet filter log: its length, then the family.
void filter_log(Decoding& d, Piece frame) {
  if (!frame.has(4)) return add_other(d, frame, missing(frame, 4, "truncated_pflog"));
  const std::uint32_t header = (frame.data[0] + 3U) & ~3U;
  if (header < 4 || header > frame.wire) return add_other(d, frame, "bad_pflog_length");
  decode_family(d, frame.data[1], frame.from(header));
}

// Linux netfilter log: attributes of host byte order; the packet is one of them.
std::optional<Piece> logged(Piece frame) noexcept {
  for (std::uint32_t at = 4; at + 4 <= frame.captured;) {
    const std::uint32_t length = load_le<std::uint16_t>(frame.data + at);
    const unsigned type = load_le<std::uint16_t>(frame.data + at + 2) & 0x7fffU;
    if (length < 4) break;
    if (type == 9 && at + length <= frame.wire) return frame.first(at + length).from(at + 4);
    at += (length + 3) & ~3U;
  }
  return std::nullopt;
}

void netfilter_log(Decoding& d, Piece frame) {
  if (!frame.has(4)) return add_other(d, frame, missing(frame, 4, "truncated_nflog"));
  if (const auto packet = logged(frame)) return decode_family(d, frame.data[0], *packet);
  add_other(d, frame, "bad_nflog");
}

// After a fixed number of bytes comes an EtherType, or a length.
void type_at(Decoding& d, std::uint32_t at, Piece frame) {
  if (!frame.has(at + 2)) return add_other(d, frame, missing(frame, at + 2, "truncated_frame"));
  decode_ether_type(d, frame.be16(at), frame.from(at + 2));
}

void raw_ip(Decoding& d, std::uint32_t header, Piece frame) {
  if (frame.wire <= header) return add_other(d, frame, "truncated_frame");
  decode_ip_version(d, frame.from(header));
}

// RFC 1201, as Linux captures it: addresses, offset, protocol, fragmentation.
void arcnet(Decoding& d, Piece frame) {
  if (!frame.has(8)) return add_other(d, frame, missing(frame, 8, "truncated_frame"));
  switch (frame.data[5] == 0 ? frame.data[4] : 0) {
    case 212: return decode_ether_type(d, 0x0800, frame.from(8));
    case 196: return decode_ether_type(d, 0x86dd, frame.from(8));
    default: return add_other(d, frame);
  }
}

// A switch's tag stands between addresses and EtherType.
void switch_tag(Decoding& d, std::uint32_t length, Piece frame) {
  if (frame.has(12)) d.macs = frame.data;
  type_at(d, 12 + length, frame);
}

// Apple's pktap: a header that names the link type, in the host's byte order.
void packet_tap(Decoding& d, Piece frame) {
  if (!frame.has(12)) return add_other(d, frame, missing(frame, 12, "truncated_pktap"));
  const auto header = load_le<std::uint32_t>(frame.data), link_type = load_le<std::uint32_t>(frame.data + 8);
  if (header < 12 || header > frame.wire || link_type > 0xffff || link_type == 258)
    return add_other(d, frame, "bad_pktap_header");
  decode_link(d, static_cast<std::uint16_t>(link_type), frame.from(header));
}

void encapsulated(Decoding& d, Piece frame) {  // OpenBSD enc(4): host byte order
  constexpr std::uint32_t header = 12;
  if (!frame.has(header)) return add_other(d, frame, missing(frame, header, "truncated_enc"));
  const std::uint32_t family = frame.be32(0);
  decode_family(d, family > 0xffff ? __builtin_bswap32(family) : family, frame.from(header));
}

void solaris_ipnet(Decoding& d, Piece frame) {
  constexpr std::uint32_t header = 24;
  if (!frame.has(header)) return add_other(d, frame, missing(frame, header, "truncated_ipnet"));
  decode_family(d, frame.data[1] == 26 ? 10 : frame.data[1], frame.from(header));
}

void sun_atm(Decoding& d, Piece frame) {
  if (!frame.has(4)) return add_other(d, frame, missing(frame, 4, "truncated_atm"));
  return (frame.data[0] & 15U) == 2 ? decode_llc(d, frame.from(4)) : add_other(d, frame);
}

// Captures of something that never carries IP: Bluetooth, USB, CAN, 802.15.4, SS7, netlink, system logs …
bool never_ip(std::uint16_t link_type) noexcept {
  switch (link_type) {
    case 139:
    case 140:
    case 141:
    case 142:
    case 147:
    case 177:
    case 186:
    case 187:
    case 188:
    case 189:
    case 190:
    case 191:
    case 195:
    case 201:
    case 203:
    case 206:
    case 209:
    case 210:
    case 212:
    case 215:
    case 220:
    case 227:
    case 230:
    case 231:
    case 245:
    case 248:
    case 249:
    case 251:
    case 253:
    case 254:
    case 255:
    case 256:
    case 265:
    case 270:
    case 272:
    case 275:
    case 283:
    case 288: return true;
    default: return false;
  }
}

void rare_link(Decoding& d, std::uint16_t link_type, Piece frame) {
  switch (link_type) {
    case 6: return token_ring(d, frame);
    case 8: return raw_ip(d, 16, frame);             // SLIP
    case 10: return local_network(d, 1, 13, frame);  // FDDI
    case 11:                                         // ATM with LLC, as BSD systems number it
    case 100: return decode_llc(d, frame);
    case 107: return frame_relay(d, frame);
    case 109: return encapsulated(d, frame);
    case 117: return filter_log(d, frame);
    case 122: return decode_llc(d, frame.from(16));  // IP over Fibre Channel, RFC 2625
    case 123: return sun_atm(d, frame);
    case 129: return arcnet(d, frame);
    case 138: return type_at(d, 16, frame);  // IP over IEEE 1394
    case 219: return decode_ether_type(d, 0x8847, frame);
    case 226: return solaris_ipnet(d, frame);
    case link_netfilter_log: return netfilter_log(d, frame);
    case 240: return decode_ethernet(d, frame.from(4));  // netANALYZER
    case 241: return decode_ethernet(d, frame.from(12));
    case 258: return packet_tap(d, frame);
    case 281:                                  // Broadcom's tag
    case 284: return switch_tag(d, 4, frame);  // Marvell's
    case 282: return decode_ethernet(d, frame.from(4));
    case 285: return switch_tag(d, 8, frame);
    default: return add_other(d, frame, never_ip(link_type) ? nullptr : "unknown_link_type");
  }
}

}  // namespace

std::optional<RawPacket> logged_packet(const RawPacket& message) noexcept {
  constexpr std::uint16_t raw = 101;
  if (message.link_type != link_netfilter_log) return std::nullopt;
  const auto packet = logged({message.data, message.captured, message.length});
  if (!packet) return std::nullopt;
  return RawPacket{message.time, packet->data, packet->captured, packet->wire, raw, message.interface};
}

void decode_link(Decoding& d, std::uint16_t link_type, Piece frame) {
  // Some link types carry another one.
  if (++d.link_headers > max_link_headers) return add_other(d, frame, "link_header_depth");
  switch (link_type) {
    case 0:
    case 108: return null_link(d, frame);
    case 1: return decode_ethernet(d, frame);
    case 166: return decode_ppp(d, frame);
    case 9:
    case 50: return ppp_serial(d, frame);
    case 51: return decode_ether_type(d, 0x8864, frame);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229: return raw_ip(d, 0, frame);
    case 104: return hdlc(d, frame);
    case 105: return decode_80211(d, frame);
    case 113: return linux_sll(d, frame);
    case 119: return decode_prism(d, frame);
    case 127: return decode_radiotap(d, frame);
    case 163: return decode_avs(d, frame);
    case 192: return decode_ppi(d, frame);
    case 204: return ppp_serial(d, frame.from(1));  // a direction octet first
    case 205: return hdlc(d, frame.from(1));
    case 276: return linux_sll2(d, frame);
    default: return rare_link(d, link_type, frame);
  }
}

}  // namespace weir

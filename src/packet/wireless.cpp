// IEEE 802.11 data frames and the headers captures put before them.
#include "packet/decode.hpp"
#include "packet/decoding.hpp"

namespace weir {
namespace {

constexpr std::uint16_t link_80211 = 105;
constexpr std::uint16_t link_ppi = 192;

// IEEE 802.11 §9.3.2.2: several frames in one, each padded to four bytes.
void aggregate(Decoding& d, Piece rest) {
  do {
    if (!rest.has(14)) return add_other(d, rest, missing(rest, 14, "truncated_80211"));
    const std::uint32_t length = 14U + rest.be16(12);
    d.macs = rest.data;
    decode_llc(d, rest.from(14).first(length - 14));
    rest = rest.from((length + 3) & ~3U);
  } while (rest.captured > 0 && d.added < max_layers);
}

}  // namespace

// `padded`: the capturing card aligned the body to four bytes.
void decode_80211(Decoding& d, Piece frame, bool padded) {
  d.ether_type = 0;
  if (!frame.has(2)) return add_other(d, frame, missing(frame, 2, "truncated_80211"));
  const unsigned type = frame.data[0] >> 2U & 3U, subtype = frame.data[0] >> 4U, flags = frame.data[1];
  const bool to_system = (flags & 1U) != 0, from_system = (flags & 2U) != 0, encrypted = (flags & 0x40U) != 0;
  const bool data = type == 2, empty = (subtype & 4U) != 0, quality = (subtype & 8U) != 0;
  if (!data || empty || encrypted) return add_other(d, frame);
  std::uint32_t header = 24;
  if (to_system && from_system) header += 6;
  const std::uint32_t control = header;
  if (quality) header += (flags & 0x80U) != 0 ? 6 : 2;  // the order bit: HT control follows
  if (padded) header = (header + 3) & ~3U;
  if (!frame.has(header)) return add_other(d, frame, missing(frame, header, "truncated_80211"));
  if ((frame.data[22] & 15U) != 0) return add_other(d, frame);  // a later fragment
  if (!to_system && !from_system) d.macs = frame.data + 4;  // else receiver and sender do not stand together
  if (quality && (frame.data[control] & 0x80U) != 0) return aggregate(d, frame.from(header));
  decode_llc(d, frame.from(header));
}

// radiotap.org. Only the flags matter here: is the body padded.
void decode_radiotap(Decoding& d, Piece frame) {
  if (!frame.has(8)) return add_other(d, frame, missing(frame, 8, "truncated_radiotap"));
  const std::uint16_t length = load_le<std::uint16_t>(frame.data + 2);
  const auto first = load_le<std::uint32_t>(frame.data + 4);
  if (length < 8 || length > frame.wire) return add_other(d, frame, "bad_radiotap_length");
  std::uint32_t at = 4;
  while (at + 4 <= length && frame.has(at + 4) &&
         (load_le<std::uint32_t>(frame.data + at) & 0x80000000U) != 0)
    at += 4;
  at += 4;
  if ((first & 1U) != 0) at = ((at + 7) & ~7U) + 8;  // TSFT
  const bool flags = (first & 2U) != 0 && at < length && frame.has(at + 1);
  decode_80211(d, frame.from(length), flags && (frame.data[at] & 0x20U) != 0);
}

// Per-Packet Information: a link type of its own.
void decode_ppi(Decoding& d, Piece frame) {
  if (!frame.has(8)) return add_other(d, frame, missing(frame, 8, "truncated_ppi"));
  const std::uint16_t length = load_le<std::uint16_t>(frame.data + 2);
  const auto link_type = load_le<std::uint32_t>(frame.data + 4);
  if (length < 8 || length > frame.wire || link_type == link_ppi || link_type > 0xffff)
    return add_other(d, frame, "bad_ppi_header");
  decode_link(d, static_cast<std::uint16_t>(link_type), frame.from(length));
}

void decode_avs(Decoding& d, Piece frame) {
  if (!frame.has(8)) return add_other(d, frame, missing(frame, 8, "truncated_avs"));
  const std::uint32_t length = frame.be32(4);
  if (length < 8 || length > frame.wire) return add_other(d, frame, "bad_avs_length");
  decode_link(d, link_80211, frame.from(length));
}

void decode_prism(Decoding& d, Piece frame) {
  constexpr std::uint32_t header = 144, avs_magic = 0x80211000;
  if (frame.has(4) && (frame.be32(0) & 0xfffff000U) == avs_magic) return decode_avs(d, frame);
  if (!frame.has(header)) return add_other(d, frame, missing(frame, header, "truncated_prism"));
  decode_link(d, link_80211, frame.from(header));
}

}  // namespace weir

// The DNS message format (RFC 1035 §4): header, and the IANA names of numbers. Views into the message,
// nothing is kept.
#pragma once

#include <array>
#include <string_view>

#include "parsers/dns_name.hpp"

namespace weir::dns {

struct Header {
  std::uint16_t id, flags, questions, answers, authorities, additionals;

  bool is_response() const noexcept { return (flags & 0x8000) != 0; }
  std::uint8_t opcode() const noexcept { return flags >> 11 & 0xf; }
  bool authoritative() const noexcept { return (flags & 0x0400) != 0; }
  bool truncated() const noexcept { return (flags & 0x0200) != 0; }
  bool recursion_desired() const noexcept { return (flags & 0x0100) != 0; }
  bool recursion_available() const noexcept { return (flags & 0x0080) != 0; }
  std::uint8_t z() const noexcept { return flags >> 4 & 7; }
  std::uint16_t rcode() const noexcept { return flags & 0xf; }
};
inline constexpr std::size_t header_size = 12;

inline Header read_header(ByteReader& r) noexcept {
  Header h{};
  h.id = r.u16();
  h.flags = r.u16();
  h.questions = r.u16();
  h.answers = r.u16();
  h.authorities = r.u16();
  h.additionals = r.u16();
  return h;
}

// A name without its text.
inline void skip_name(ByteReader& r) noexcept {
  for (std::uint8_t length = r.u8(); r.ok() && length != 0; length = r.u8()) {
    if (length >= 0xc0) return r.skip(1);
    if (length >= 0x40) return r.fail();
    r.skip(length);
  }
}

// Empty for a number without a name. IANA, Domain Name System Parameters.
inline std::string_view type_name(std::uint16_t type) noexcept {
  static constexpr std::array<std::string_view, 67> low = {
      "",        "A",          "NS",     "MD",       "MF",    "CNAME",    "SOA",   "MB",   "MG",     "MR",
      "NULL",    "WKS",        "PTR",    "HINFO",    "MINFO", "MX",       "TXT",   "RP",   "AFSDB",  "X25",
      "ISDN",    "RT",         "NSAP",   "NSAP-PTR", "SIG",   "KEY",      "PX",    "GPOS", "AAAA",   "LOC",
      "NXT",     "EID",        "NIMLOC", "SRV",      "ATMA",  "NAPTR",    "KX",    "CERT", "A6",     "DNAME",
      "SINK",    "OPT",        "APL",    "DS",       "SSHFP", "IPSECKEY", "RRSIG", "NSEC", "DNSKEY", "DHCID",
      "NSEC3",   "NSEC3PARAM", "TLSA",   "SMIMEA",   "",      "HIP",      "NINFO", "RKEY", "TALINK", "CDS",
      "CDNSKEY", "OPENPGPKEY", "CSYNC",  "ZONEMD",   "SVCB",  "HTTPS",    "DSYNC"};
  if (type < low.size()) return low[type];
  switch (type) {
    case 99: return "SPF";
    case 104: return "NID";
    case 105: return "L32";
    case 106: return "L64";
    case 107: return "LP";
    case 108: return "EUI48";
    case 109: return "EUI64";
    case 249: return "TKEY";
    case 250: return "TSIG";
    case 251: return "IXFR";
    case 252: return "AXFR";
    case 253: return "MAILB";
    case 254: return "MAILA";
    case 255: return "ANY";
    case 256: return "URI";
    case 257: return "CAA";
    case 258: return "AVC";
    case 32768: return "TA";
    case 32769: return "DLV";
    default: return {};
  }
}

inline std::string_view class_name(std::uint16_t c) noexcept {
  switch (c) {
    case 1: return "IN";
    case 3: return "CH";
    case 4: return "HS";
    case 254: return "NONE";
    case 255: return "ANY";
    default: return {};
  }
}

inline std::string_view rcode_name(std::uint16_t rcode) noexcept {
  static constexpr std::array<std::string_view, 12> low = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                           "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                           "NXRRSET", "NOTAUTH", "NOTZONE",  "DSOTYPENI"};
  if (rcode < low.size()) return low[rcode];
  switch (rcode) {
    case 16: return "BADVERS";
    case 17: return "BADKEY";
    case 18: return "BADTIME";
    case 19: return "BADMODE";
    case 20: return "BADNAME";
    case 21: return "BADALG";
    case 22: return "BADTRUNC";
    case 23: return "BADCOOKIE";
    default: return {};
  }
}

inline std::string_view opcode_name(std::uint8_t opcode) noexcept {
  static constexpr std::array<std::string_view, 7> names = {"query",  "iquery", "status", "",
                                                            "notify", "update", "dso"};
  return opcode < names.size() ? names[opcode] : std::string_view{};
}

// RFC 1002 §4.2.1.1.
inline std::string_view netbios_opcode_name(std::uint8_t opcode) noexcept {
  switch (opcode) {
    case 0: return "query";
    case 5: return "registration";
    case 6: return "release";
    case 7: return "wack";
    case 8:
    case 9: return "refresh";
    case 15: return "multihomed_registration";
    default: return {};
  }
}

// RFC 1001 §14.1: each half byte of the 16-byte name is a letter from A; the last byte is the kind of name,
// written as nbtstat does: WORKGROUP<1d>. Empty if `label` (lower case) is none.
inline std::string_view netbios_name(std::string_view label, std::array<char, 64>& out) noexcept {
  constexpr std::size_t encoded = 32;
  if (label.size() < encoded || (label.size() > encoded && label[encoded] != '.')) return {};
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < encoded; ++i) {
    const unsigned nibble = static_cast<unsigned char>(label[i]) - unsigned{'a'};
    if (nibble > 15) return {};
    bytes[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? nibble << 4 : bytes[i / 2] | nibble);
  }
  std::size_t size = 15;
  while (size > 0 && (bytes[size - 1] == ' ' || bytes[size - 1] == 0)) --size;
  char* at = out.data();
  for (std::size_t i = 0; i < size; ++i)
    *at++ = bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '.';
  static constexpr std::string_view digits = "0123456789abcdef";
  *at++ = '<';
  *at++ = digits[bytes[15] >> 4];
  *at++ = digits[bytes[15] & 15];
  *at++ = '>';
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

}  // namespace weir::dns

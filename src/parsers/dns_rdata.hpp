// The data of resource records as text, in the presentation format of each type's RFC (what dig prints), but
// names lower case and without the last dot. Unknown types and bad data come out as RFC 3597 §5 tells: \#
// LENGTH HEX.
#pragma once

#include <algorithm>

#include "core/time.hpp"
#include "parsers/dns_message.hpp"

namespace weir::dns {

// Longer data is cut.
inline constexpr std::size_t rdata_text_max = 4096;
using RdataText = Line<rdata_text_max>;

// One record's data. `r` reads the message up to the data's end, so compression pointers work and reads do
// not leave the data.
struct Rdata {
  ByteReader& r;
  Bytes message;
  RdataText& out;

  std::size_t left() const noexcept { return r.remaining(); }

  Rdata& operator<<(std::string_view s) noexcept { return out << s, *this; }
  Rdata& space() noexcept { return out << ' ', *this; }
  Rdata& u8() noexcept { return out << std::uint64_t{r.u8()}, *this; }
  Rdata& u16() noexcept { return out << std::uint64_t{r.u16()}, *this; }
  Rdata& u32() noexcept { return out << std::uint64_t{r.u32()}, *this; }
  Rdata& name() noexcept {
    Name n;
    read_name(r, message, n);
    return out << n.view(), *this;
  }
  Rdata& hex(std::size_t n) noexcept {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    for (const std::uint8_t byte : r.bytes(n)) out << digits[byte >> 4] << digits[byte & 15];
    return *this;
  }
  Rdata& base64(std::size_t n) noexcept {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const Bytes data = r.bytes(n);
    for (std::size_t i = 0; i < data.size(); i += 3) {
      const std::size_t have = std::min<std::size_t>(3, data.size() - i);
      std::uint32_t three = std::uint32_t{data[i]} << 16;
      if (have > 1) three |= std::uint32_t{data[i + 1]} << 8;
      if (have > 2) three |= data[i + 2];
      out << digits[three >> 18] << digits[three >> 12 & 63] << (have > 1 ? digits[three >> 6 & 63] : '=')
          << (have > 2 ? digits[three & 63] : '=');
    }
    return *this;
  }
  // RFC 4648 §7, without padding: the hashed owner names of NSEC3.
  Rdata& base32hex(std::size_t n) noexcept {
    static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    std::uint32_t bits = 0;
    unsigned have = 0;
    for (const std::uint8_t byte : r.bytes(n)) {
      bits = bits << 8 | byte;
      for (have += 8; have >= 5; have -= 5) out << digits[bits >> (have - 5) & 31];
    }
    if (have > 0) out << digits[bits << (5 - have) & 31];
    return *this;
  }
  Rdata& quoted(std::string_view text) noexcept {
    out << '"';
    for (const char c : text) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (c == '"' || c == '\\')
        out << '\\' << c;
      else if (byte >= 0x20 && byte < 0x7f)
        out << c;
      else
        out.escape(byte);
    }
    return out << '"', *this;
  }
  // <character-string>: a length byte and that many.
  Rdata& string() noexcept { return quoted(r.text(r.u8())); }
  Rdata& type() noexcept {
    const std::uint16_t number = r.u16();
    return append_type(number);
  }
  Rdata& append_type(std::uint16_t number) noexcept {
    if (const auto known = type_name(number); !known.empty())
      out << known;
    else
      out << "TYPE" << std::uint64_t{number};
    return *this;
  }
  // YYYYMMDDHHMMSS, as RRSIG times are written (RFC 4034 §3.2).
  Rdata& timestamp() noexcept {
    std::array<char, time_text_max> text;
    const char* end = write_rfc3339(text.data(), Time{std::int64_t{r.u32()} * 1'000'000'000});
    for (const char* c = text.data(); c != end && *c != '.' && *c != 'Z'; ++c)
      if (*c >= '0' && *c <= '9') out << *c;
    return *this;
  }
};

// RFC 4034 §4.1.2: windows of 256 types, a bitmap of up to 32 bytes each.
inline void write_type_bitmap(Rdata& d) noexcept {
  while (d.left() > 0 && d.r.ok()) {
    const unsigned window = d.r.u8();
    const Bytes bitmap = d.r.bytes(d.r.u8());
    for (std::size_t i = 0; i < bitmap.size(); ++i)
      for (unsigned bit = 0; bit < 8; ++bit)
        if ((bitmap[i] & 0x80u >> bit) != 0)
          d.space().append_type(static_cast<std::uint16_t>(window << 8 | (i * 8 + bit)));
  }
}

inline void write_nsec3_head(Rdata& d) noexcept {
  d.u8().space().u8().space().u16().space();
  if (const std::size_t salt = d.r.u8(); salt != 0)
    d.hex(salt);
  else
    d << "-";
}

// RFC 1876 §3: thousandths of a second of arc from 2^31, centimetres from 100 km below.
inline void write_loc_angle(Rdata& d, std::string_view positive, std::string_view negative) noexcept {
  const std::int64_t offset = std::int64_t{d.r.u32()} - (std::int64_t{1} << 31);
  const auto ms = static_cast<std::uint64_t>(offset < 0 ? -offset : offset);
  d.out << ms / 3'600'000 << ' ' << ms / 60'000 % 60 << ' ' << ms / 1000 % 60 << '.' << ms / 100 % 10
        << ms / 10 % 10 << ms % 10 << ' ' << (offset < 0 ? negative : positive) << ' ';
}
// Half a byte of mantissa, half of exponent, in centimetres; whole metres unless below.
inline void write_loc_size(Rdata& d, std::uint8_t encoded) noexcept {
  const unsigned exponent = encoded & 15u;
  std::uint64_t centimetres = encoded >> 4;
  for (unsigned power = exponent; power > 0; --power) centimetres *= 10;
  d.out << centimetres / 100;
  if (exponent < 2) d.out << '.' << centimetres / 10 % 10 << centimetres % 10;
  d.out << 'm';
}
inline void write_loc(Rdata& d) noexcept {
  if (d.r.u8() != 0) return d.r.fail();  // version
  const std::array<std::uint8_t, 3> sizes = {d.r.u8(), d.r.u8(), d.r.u8()};
  if (std::any_of(sizes.begin(), sizes.end(), [](unsigned s) { return s >> 4 > 9 || (s & 15u) > 9; }))
    return d.r.fail();
  write_loc_angle(d, "N", "S");
  write_loc_angle(d, "E", "W");
  const std::int64_t altitude = std::int64_t{d.r.u32()} - 10'000'000;
  const auto cm = static_cast<std::uint64_t>(altitude < 0 ? -altitude : altitude);
  if (altitude < 0) d << "-";
  d.out << cm / 100 << '.' << cm / 10 % 10 << cm % 10 << 'm';
  for (const std::uint8_t size : sizes) write_loc_size(d.space(), size);
}

// RFC 9460 §2.1, §7.
inline void write_svc_param(Rdata& d, std::uint16_t key, ByteReader value) noexcept {
  static constexpr std::array<std::string_view, 9> names = {
      "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"};
  if (key < names.size())
    d << names[key];
  else
    d.out << "key" << std::uint64_t{key};
  if (value.empty()) return;
  d << "=";
  constexpr std::uint16_t alpn = 1;
  if (key == alpn) d << "\"";
  Rdata v{value, d.message, d.out};
  for (bool first = true; !value.empty(); first = false) {
    if (!first) d << ",";
    switch (key) {
      case 0: {
        const std::uint16_t needed = value.u16();
        if (needed < names.size())
          d << names[needed];
        else
          d.out << "key" << std::uint64_t{needed};
        break;
      }
      case alpn: d << value.text(value.u8()); break;
      case 3: v.u16(); break;
      case 4:
        if (const Bytes four = value.bytes(4); !four.empty()) d.out << Addr::v4(four.data());
        break;
      case 5: v.base64(value.remaining()); break;
      case 6:
        if (const Bytes sixteen = value.bytes(16); !sixteen.empty()) d.out << Addr::v6(sixteen.data());
        break;
      default: v.quoted(value.text(value.remaining())); break;
    }
  }
  if (key == alpn) d << "\"";
  if (!value.ok()) d.r.fail();
}
inline void write_svcb(Rdata& d) noexcept {
  d.u16().space().name();
  while (d.left() > 0 && d.r.ok()) {
    const std::uint16_t key = d.r.u16();
    const ByteReader value{d.r.bytes(d.r.u16())};
    if (d.r.ok()) write_svc_param(d.space(), key, value);
  }
}

// RFC 1002 §4.2.13 (NB: flags and addresses) and §4.2.18 (NBSTAT: names and flags).
inline void write_netbios(Rdata& d, std::uint16_t type) noexcept {
  if (type == 32) {
    for (bool first = true; d.left() > 0 && d.r.ok(); first = false) {
      d.r.skip(2);
      const Bytes four = d.r.bytes(4);
      if (!four.empty()) (first ? d : d.space()).out << Addr::v4(four.data());
    }
    return;
  }
  const unsigned names = d.r.u8();
  for (unsigned i = 0; i < names && d.r.ok(); ++i) {
    std::string_view name = d.r.text(15);
    name = name.substr(0, name.find_last_not_of(std::string_view{" \0", 2}) + 1);
    if (i > 0) d.space();
    for (const char c : name) d.out << (c >= 0x20 && c < 0x7f ? c : '.');
    d << "<";
    d.hex(1) << ">";
    d.r.skip(2);
  }
  d.r.skip(d.left());  // statistics
}

inline void write_rrsig(Rdata& d) noexcept {
  d.type().space().u8().space().u8().space().u32().space();
  d.timestamp().space().timestamp().space().u16().space().name().space();
  d.base64(d.left());
}

inline void write_naptr(Rdata& d) noexcept {
  d.u16().space().u16().space().string().space().string().space().string().space().name();
}

inline void write_soa(Rdata& d) noexcept {
  d.name().space().name();
  for (int i = 0; i < 5; ++i) d.space().u32();
}

inline void write_strings(Rdata& d) noexcept {
  for (bool first = true; d.left() > 0 && d.r.ok(); first = false) (first ? d : d.space()).string();
}

inline void write_nsec3(Rdata& d) noexcept {
  write_nsec3_head(d);
  d.space().base32hex(d.r.u8());
  write_type_bitmap(d);
}

inline void write_caa(Rdata& d) noexcept {
  d.u8().space() << d.r.text(d.r.u8());
  d.space().quoted(d.r.text(d.left()));
}

// False when the type is not known here.
inline bool write_known_rdata(Rdata& d, std::uint16_t type) noexcept {
  switch (type) {
    case 1:
      if (const Bytes a = d.r.bytes(4); !a.empty()) d.out << Addr::v4(a.data());
      return true;
    case 28:
      if (const Bytes a = d.r.bytes(16); !a.empty()) d.out << Addr::v6(a.data());
      return true;
    case 2:
    case 3:
    case 4:
    case 5:
    case 7:
    case 8:
    case 9:
    case 12:
    case 39: d.name(); return true;
    case 6: write_soa(d); return true;
    case 14:
    case 17: d.name().space().name(); return true;
    case 15:
    case 18:
    case 21:
    case 36: d.u16().space().name(); return true;
    case 13:
    case 16:
    case 20:
    case 99: write_strings(d); return true;
    case 29: write_loc(d); return true;
    case 33: d.u16().space().u16().space().u16().space().name(); return true;
    case 35: write_naptr(d); return true;
    case 37: d.u16().space().u16().space().u8().space().base64(d.left()); return true;
    case 43:
    case 59:
    case 32769: d.u16().space().u8().space().u8().space().hex(d.left()); return true;
    case 44: d.u8().space().u8().space().hex(d.left()); return true;
    case 46: write_rrsig(d); return true;
    case 47: d.name(), write_type_bitmap(d); return true;
    case 25:
    case 48:
    case 60: d.u16().space().u8().space().u8().space().base64(d.left()); return true;
    case 50: write_nsec3(d); return true;
    case 51: write_nsec3_head(d); return true;
    case 52:
    case 53: d.u8().space().u8().space().u8().space().hex(d.left()); return true;
    case 61: d.base64(d.left()); return true;
    case 62: d.u32().space().u16(), write_type_bitmap(d); return true;
    case 64:
    case 65: write_svcb(d); return true;
    case 256: d.u16().space().u16().space().quoted(d.r.text(d.left())); return true;
    case 257: write_caa(d); return true;
    default: return false;
  }
}

// The data at [at, at + length) of the message, which holds it. False when it is not what its type promises.
inline bool write_rdata(Bytes message, std::size_t at, std::size_t length, std::uint16_t type, bool netbios,
                        RdataText& out) noexcept {
  ByteReader r{message.first(at + length)};
  r.seek(at);
  Rdata d{r, message, out};
  bool known = true;
  if (netbios && (type == 32 || type == 33))
    write_netbios(d, type);
  else
    known = length > 0 && write_known_rdata(d, type);
  if (known && r.ok() && r.empty()) return true;
  out.clear();
  r = ByteReader{message.subspan(at, length)};
  out << "\\# " << std::uint64_t{length};
  if (length > 0) d.space().hex(length);
  return !known;
}

}  // namespace weir::dns

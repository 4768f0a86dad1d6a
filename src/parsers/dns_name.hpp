// Domain names in wire format, with compression (RFC 1035 §4.1.4): in DNS messages, and in the options of
// DHCP, DHCPv6 and neighbour discovery.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "core/addr.hpp"
#include "core/bytes.hpp"

namespace weir::dns {

// A bounded line of text on the stack. What does not fit is left out, and `full` says so.
template <std::size_t Max>
class Line {
 public:
  std::string_view view() const noexcept { return {text_.data(), size_}; }
  bool full() const noexcept { return full_; }
  void clear() noexcept {
    size_ = 0;
    full_ = false;
  }
  Line& operator<<(char c) noexcept {
    if (size_ < Max)
      text_[size_++] = c;
    else
      full_ = true;
    return *this;
  }
  Line& operator<<(std::string_view s) noexcept {
    const std::size_t n = s.copy(text_.data() + size_, Max - size_);
    size_ += n;
    full_ |= n < s.size();
    return *this;
  }
  Line& operator<<(std::uint64_t n) noexcept {
    std::array<char, 20> digits;
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
    return *this << std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
  }
  Line& operator<<(const Addr& a) noexcept {
    std::array<char, addr_text_max> text;
    const char* end = write_addr(text.data(), a);
    return *this << std::string_view{text.data(), static_cast<std::size_t>(end - text.data())};
  }
  // \DDD of RFC 1035 §5.1.
  Line& escape(std::uint8_t byte) noexcept {
    const auto digit = [](unsigned d) { return static_cast<char>('0' + d); };
    return *this << '\\' << digit(byte / 100u) << digit(byte / 10u % 10) << digit(byte % 10u);
  }

 private:
  std::array<char, Max> text_;
  std::size_t size_ = 0;
  bool full_ = false;
};

// 255 bytes on the wire (RFC 1035 §2.3.4), each at most four characters as text.
inline constexpr std::size_t name_wire_max = 255;
using Name = Line<4 * name_wire_max>;

enum class NameIn : std::uint8_t {
  message,  // lower case; the root is "."
  option,   // as sent; the end of the bytes may end it as the root does (RFC 4702, RFC 4704), which is ""
};

inline void append_label(Name& name, Bytes label, NameIn where) noexcept {
  for (const std::uint8_t byte : label) {
    if (byte >= 'A' && byte <= 'Z' && where == NameIn::message)
      name << static_cast<char>(byte | 0x20);
    else if (byte == '.' || byte == '\\')
      name << '\\' << static_cast<char>(byte);
    else if (byte > 0x20 && byte < 0x7f)
      name << static_cast<char>(byte);
    else
      name.escape(byte);
  }
}

// Reads the name at the reader's place and follows compression pointers into `message`. The reader ends
// behind the name, and fails on a name that is too long, leaves the message, or points anywhere but backward
// (RFC 1035 §4.1.4: "a prior occurrence"), which also makes loops impossible.
inline void read_name(ByteReader& r, Bytes message, Name& name, NameIn where = NameIn::message) noexcept {
  name.clear();
  std::size_t at = r.position(), segment = at, wire = 1, end = 0;
  while (at < message.size()) {
    const std::uint8_t length = message[at];
    if (length == 0) {
      if (name.view().empty() && where == NameIn::message) name << '.';
      return r.seek(end != 0 ? end : at + 1);
    }
    if (length >= 0xc0) {
      if (at + 1 >= message.size()) return r.fail();
      const std::size_t target = load_be16(&message[at]) & 0x3fff;
      if (end == 0) end = at + 2;
      if (target >= segment) return r.fail();
      at = segment = target;
      continue;
    }
    wire += length + 1u;
    if (length >= 0x40 || wire > name_wire_max || at + 1 + length > message.size()) return r.fail();
    if (!name.view().empty()) name << '.';
    append_label(name, message.subspan(at + 1, length), where);
    at += length + 1u;
  }
  if (where == NameIn::message) return r.fail();
  r.seek(end != 0 ? end : at);
}

}  // namespace weir::dns

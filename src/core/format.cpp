#include "core/format.hpp"

#include <charconv>
#include <cstring>

namespace weir {
namespace {

char* copy(char* out, std::string_view text) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

struct ValueWriter {
  char* out;
  TimeStyle style;

  char* operator()(bool v) const noexcept { return copy(out, v ? "true" : "false"); }
  char* operator()(std::uint64_t v) const noexcept { return write_number(out, v); }
  char* operator()(std::uint32_t v) const noexcept { return write_number(out, v); }
  char* operator()(std::uint16_t v) const noexcept { return write_number(out, v); }
  char* operator()(std::uint8_t v) const noexcept { return write_number(out, v); }
  char* operator()(std::int64_t v) const noexcept { return std::to_chars(out, out + value_text_max, v).ptr; }
  char* operator()(double v) const noexcept { return std::to_chars(out, out + value_text_max, v).ptr; }
  char* operator()(Text) const noexcept { return out; }
  char* operator()(Time v) const noexcept {
    return style == TimeStyle::epoch ? write_epoch(out, v) : write_rfc3339(out, v);
  }
  char* operator()(Duration v) const noexcept { return write_seconds(out, v); }
  char* operator()(const Addr& v) const noexcept { return write_addr(out, v); }
  char* operator()(const Mac& v) const noexcept { return write_mac(out, v); }
  char* operator()(IpProto v) const noexcept {
    const std::string_view name = name_of(v);
    return name.empty() ? write_number(out, static_cast<std::uint8_t>(v)) : copy(out, name);
  }
};

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

char* write_number(char* out, std::uint64_t value) noexcept {
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  return std::to_chars(out, out + value_text_max, value).ptr;
}

char* write_value(char* out, Kind kind, const void* value, TimeStyle style) noexcept {
  return visit_value(kind, value, ValueWriter{out, style});
}

void append_value(std::string& out, Kind kind, const void* value, TimeStyle style) {
  if (kind == Kind::text) {
    out.append(*static_cast<const Text*>(value));
    return;
  }
  char buffer[value_text_max];
  out.append(buffer, write_value(buffer, kind, value, style));
}

std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t left = text.size() - at;
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return left >= 2 && tail(1) ? 2 : 0;
  if (lead < 0xf0) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return 4;
}

char* write_hex_escape(char* out, unsigned char byte) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  out[0] = '\\';
  out[1] = 'x';
  out[2] = digits[byte >> 4];
  out[3] = digits[byte & 15U];
  return out + 4;
}

bool looks_like_hex_escape(std::string_view text, std::size_t at) noexcept {
  return text.size() - at >= 4 && text[at] == '\\' && text[at + 1] == 'x' && is_hex(text[at + 2]) &&
         is_hex(text[at + 3]);
}

}  // namespace weir

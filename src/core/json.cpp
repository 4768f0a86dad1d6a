#include "core/json.hpp"

#include <cmath>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir {
namespace {

constexpr bool is_plain(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x20 && u < 0x80 && c != '"' && c != '\\';
}

// Copies characters that stand for themselves, up to the first that does not; the return is their number.
std::size_t copy_plain(char* out, const char* in, std::size_t size) noexcept {
  std::size_t i = 0;
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
  for (; i + 16 <= size; i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), v);
    // Signed: bytes from 0x80 up are below the space too.
    const __m128i special = _mm_or_si128(
        _mm_cmplt_epi8(v, space), _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
    if (const int mask = _mm_movemask_epi8(special); mask != 0)
      return i + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; i < size && is_plain(in[i]); ++i) out[i] = in[i];
  return i;
}

char* write_control(char* out, char c) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  *out++ = '\\';
  switch (c) {
    case '\b': *out++ = 'b'; return out;
    case '\t': *out++ = 't'; return out;
    case '\n': *out++ = 'n'; return out;
    case '\f': *out++ = 'f'; return out;
    case '\r': *out++ = 'r'; return out;
    case '"':
    case '\\': *out++ = c; return out;
    default: break;
  }
  std::memcpy(out, "u00", 3);
  out[3] = digits[static_cast<unsigned char>(c) >> 4];
  out[4] = digits[static_cast<unsigned char>(c) & 15U];
  return out + 5;
}

// The text's \xNN, whose backslash JSON doubles.
char* write_json_hex_escape(char* out, unsigned char byte) noexcept {
  *out++ = '\\';
  return write_hex_escape(out, byte);
}

char* write_quoted(char* out, char* (*write)(char*, Kind, const void*, TimeStyle) noexcept, Kind kind,
                   const void* value) noexcept {
  *out++ = '"';
  out = write(out, kind, value, TimeStyle::rfc3339);
  *out++ = '"';
  return out;
}

}  // namespace

char* write_json_text(char* out, std::string_view text) noexcept {
  *out++ = '"';
  std::size_t at = 0;
  for (;;) {
    const std::size_t plain = copy_plain(out, text.data() + at, text.size() - at);
    out += plain;
    at += plain;
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      out = looks_like_hex_escape(text, at) ? write_json_hex_escape(out, '\\') : write_control(out, text[at]);
      ++at;
    } else if (const std::size_t length = utf8_length(text, at); length != 0) {
      std::memcpy(out, text.data() + at, length);
      out += length;
      at += length;
    } else {
      out = write_json_hex_escape(out, static_cast<unsigned char>(text[at]));
      ++at;
    }
  }
  *out++ = '"';
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  out.resize(start + json_text_max(text.size()));
  out.resize(static_cast<std::size_t>(write_json_text(out.data() + start, text) - out.data()));
}

char* write_json_value(char* out, Kind kind, const void* value, TimeStyle style) noexcept {
  switch (kind) {
    case Kind::time:
      if (style == TimeStyle::epoch) return write_epoch(out, *static_cast<const Time*>(value));
      return write_quoted(out, write_value, kind, value);
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: return write_quoted(out, write_value, kind, value);
    case Kind::f64:
      if (!std::isfinite(*static_cast<const double*>(value))) {
        std::memcpy(out, "null", 4);
        return out + 4;
      }
      break;
    default: break;
  }
  return write_value(out, kind, value, style);
}

}  // namespace weir

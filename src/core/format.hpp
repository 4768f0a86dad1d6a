// Single values as text, the same in every output. Writers fill a caller's buffer, add no terminator and
// return one past the last character; nothing here allocates except append_value.
#pragma once

#include <string>

#include "core/schema.hpp"

namespace weir {

enum class TimeStyle : std::uint8_t { rfc3339, epoch };

// Room for any value that is not a Text.
inline constexpr std::size_t value_text_max = 48;

// Decimal.
char* write_number(char* out, std::uint64_t value) noexcept;
// Any kind but text: true/false, shortest round-trip for f64 ("nan", "inf"), seconds for durations, a name or
// else a number for protocols.
char* write_value(char* out, Kind kind, const void* value, TimeStyle style) noexcept;
// Any kind; a text as it is.
void append_value(std::string& out, Kind kind, const void* value, TimeStyle style);

// Bytes of the UTF-8 character that starts at `text[at]`, 0 when the bytes there are not valid UTF-8 (RFC
// 3629: no overlong forms, no surrogates, at most U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at) noexcept;

// Bytes that cannot be shown, as every text output shows them: \xNN, two lower-case hex digits.
char* write_hex_escape(char* out, unsigned char byte) noexcept;
// True where a genuine backslash would be taken for such an escape, and must be written as \x5c.
bool looks_like_hex_escape(std::string_view text, std::size_t at) noexcept;

}  // namespace weir

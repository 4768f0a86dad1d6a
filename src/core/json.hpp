// Values as JSON (RFC 8259). Writers fill a caller's buffer and return one past the last character.
//
// Texts come from the network and need not be UTF-8. A byte that is not part of valid UTF-8 is written as the
// four characters \xNN, and a genuine backslash before xNN as \x5c, so that the bytes can be had back from
// the parsed string by replacing every \xNN.
#pragma once

#include <string>

#include "core/format.hpp"

namespace weir {

// Room that write_json_text needs.
constexpr std::size_t json_text_max(std::size_t size) noexcept {
  return 2 + 6 * size;
}
// With quotes.
char* write_json_text(char* out, std::string_view text) noexcept;
void append_json_text(std::string& out, std::string_view text);

// Any kind but text; needs value_text_max. Times are strings or, as epoch, numbers with nine decimals;
// durations are numbers of seconds; addresses and protocols are strings; a double that is not finite is null.
char* write_json_value(char* out, Kind kind, const void* value, TimeStyle style) noexcept;

}  // namespace weir

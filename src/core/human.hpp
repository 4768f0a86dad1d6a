// Values for people on a terminal: short, rounded, with units. Programs read core/format.hpp's.
#pragma once

#include <string>
#include <string_view>

#include "core/time.hpp"

namespace weir {

std::string human_bytes(std::uint64_t bytes);    // 999 B, 12.3 kB, 4.56 GB: powers of 1000
std::string human_bits_per_second(double rate);  // 12.3 Mbit/s
std::string human_count(std::uint64_t count);    // 1,234,567
std::string human_duration(Duration duration);   // 850 ns, 12.3 µs, 4.56 ms, 1.23 s, 2m05s, 3h07m, 2d04h
std::string human_time(Time time);               // 2026-01-31T23:59:59.123Z

// A bar of at most `columns` columns, in eighths of one: ███▌. Shares are 0..1; what is not nothing shows.
std::string human_bar(double share, unsigned columns);

// Terminal columns that UTF-8 text takes: one per character, two for East Asian wide ones, none for combining
// marks.
std::size_t display_width(std::string_view utf8) noexcept;
// The text cut to at most `columns`, its end marked by … where something was cut off.
std::string clip(std::string_view utf8, std::size_t columns);
// Appends text from the network with nothing in it that a terminal would obey: control characters and bytes
// that are not UTF-8 are \xNN, a genuine backslash before xNN is \x5c.
void append_printable(std::string& out, std::string_view text);

}  // namespace weir

#include "packet/capture_write.hpp"

namespace weir {
namespace {

void add16(std::string& out, std::uint16_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void add32(std::string& out, std::uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void add64(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// §3.5: options, padded to four bytes.
void add_option(std::string& out, std::uint16_t code, std::string_view value) {
  add16(out, code);
  add16(out, static_cast<std::uint16_t>(value.size()));
  out.append(value);
  out.append(-value.size() & 3U, '\0');
}
void add_text(std::string& out, std::uint16_t code, std::string_view text) {
  constexpr std::size_t longest = 0xfff0;
  if (!text.empty()) add_option(out, code, text.substr(0, longest));
}
void add_number(std::string& out, std::uint16_t code, std::uint64_t value) {
  add_option(out, code, {reinterpret_cast<const char*>(&value), sizeof value});
}

// A block's length goes before and behind its body.
template <class F>
void add_block(std::string& out, std::uint32_t type, F&& body) {
  const std::size_t start = out.size();
  add32(out, type);
  add32(out, 0);
  body();
  add32(out, 0);  // the end of options
  const auto size = static_cast<std::uint32_t>(out.size() - start + sizeof(std::uint32_t));
  std::memcpy(&out[start + 4], &size, sizeof size);
  add32(out, size);
}

// Where a time is an option it is in two halves, the upper one first.
void add_time(std::string& out, std::uint16_t code, Time time) {
  const auto ticks = static_cast<std::uint64_t>(time.ns);
  add_number(out, code, ticks >> 32U | ticks << 32U);
}

}  // namespace

void append_section(std::string& out, std::string_view application, std::string_view hardware,
                    std::string_view os) {
  add_block(out, 0x0a0d0d0a, [&] {
    add32(out, 0x1a2b3c4d);
    add16(out, 1);
    add16(out, 0);
    add64(out, ~std::uint64_t{0});  // the section's length: not told
    add_text(out, 2, hardware);
    add_text(out, 3, os);
    add_text(out, 4, application);
  });
}

void append_interface(std::string& out, const InterfaceInfo& interface) {
  constexpr std::string_view nanoseconds("\x09", 1);
  add_block(out, 1, [&] {
    add16(out, interface.link_type);
    add16(out, 0);
    add32(out, interface.snaplen);
    add_text(out, 2, interface.name);
    add_text(out, 3, interface.description);
    if (interface.speed) add_number(out, 8, *interface.speed);
    add_option(out, 9, nanoseconds);
    // The first byte says how it is written; 0 is the text.
    if (!interface.filter.empty()) add_text(out, 11, std::string(1, '\0') + interface.filter);
    add_text(out, 12, interface.os);
    add_text(out, 15, interface.hardware);
  });
}

void append_statistics(std::string& out, std::uint32_t interface, const InterfaceStatistics& statistics) {
  add_block(out, 5, [&] {
    add32(out, interface);
    const auto ticks = static_cast<std::uint64_t>(statistics.end.ns);
    add64(out, ticks >> 32U | ticks << 32U);
    add_time(out, 2, statistics.start);
    add_time(out, 3, statistics.end);
    add_number(out, 4, statistics.received);
    add_number(out, 5, statistics.nic_drops + statistics.dropped);
    add_number(out, 7, statistics.dropped);
    add_number(out, 8, statistics.delivered);
  });
}

void append_pcap_header(std::string& out, std::uint16_t link_type, std::uint32_t snaplen) {
  constexpr std::uint32_t magic_nanoseconds = 0xa1b23c4d, unlimited = 262'144;
  add32(out, magic_nanoseconds);
  add16(out, 2);
  add16(out, 4);
  add64(out, 0);
  add32(out, snaplen == 0 ? unlimited : snaplen);
  add32(out, link_type);
}

}  // namespace weir

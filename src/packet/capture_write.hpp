// The bytes of capture files: pcapng (draft-ietf-opsawg-pcapng) and pcap (draft-ietf-opsawg-pcap), in this
// machine's byte order, with times in nanoseconds.
#pragma once

#include <cstring>
#include <string>

#include "packet/capture_file.hpp"

namespace weir {

enum class CaptureFormat : std::uint8_t { pcapng, pcap };

// A packet takes no more than this beside its own bytes, in either format.
inline constexpr std::size_t packet_room = 28 + 3 + 4;

// Section header: what made the file, on what.
void append_section(std::string& out, std::string_view application, std::string_view hardware,
                    std::string_view os);
void append_interface(std::string& out, const InterfaceInfo& interface);
struct InterfaceStatistics {
  Time start, end;
  std::uint64_t received = 0;   // by the kernel, after its filter
  std::uint64_t nic_drops = 0;  // the interface itself had no room
  std::uint64_t dropped = 0;    // by the kernel
  std::uint64_t delivered = 0;  // to the file
};
void append_statistics(std::string& out, std::uint32_t interface, const InterfaceStatistics& statistics);

void append_pcap_header(std::string& out, std::uint16_t link_type, std::uint32_t snaplen);

namespace capture_write {
inline std::uint8_t* put32(std::uint8_t* at, std::uint32_t value) noexcept {
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
}  // namespace capture_write

// An enhanced packet block; there must be room. One past its end.
inline std::uint8_t* put_packet_block(std::uint8_t* at, const RawPacket& packet) noexcept {
  constexpr std::uint32_t enhanced_packet = 6, fixed = 32;
  const std::uint32_t padding = -packet.captured & 3U, size = fixed + packet.captured + padding;
  const auto ticks = static_cast<std::uint64_t>(packet.time.ns);
  const std::uint32_t head[] = {enhanced_packet,
                                size,
                                packet.interface,
                                static_cast<std::uint32_t>(ticks >> 32U),
                                static_cast<std::uint32_t>(ticks),
                                packet.captured,
                                packet.length};
  std::memcpy(at, head, sizeof head);
  at += sizeof head;
  std::memcpy(at, packet.data, packet.captured);
  at += packet.captured;
  std::memset(at, 0, padding);
  return capture_write::put32(at + padding, size);
}

// The same for pcap. Times before 1970 and after 2106 do not fit.
inline std::uint8_t* put_pcap_packet(std::uint8_t* at, const RawPacket& packet) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  const std::uint32_t head[] = {static_cast<std::uint32_t>(packet.time.ns / second),
                                static_cast<std::uint32_t>(packet.time.ns % second), packet.captured,
                                packet.length};
  std::memcpy(at, head, sizeof head);
  std::memcpy(at + sizeof head, packet.data, packet.captured);
  return at + sizeof head + packet.captured;
}

}  // namespace weir

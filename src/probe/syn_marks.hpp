// SYNs that prove, by what comes back of them, that they are ours: the probe's number is the sequence number,
// masked by a cookie of whom it is for, and a second cookie chooses the source port. Nothing is kept.
#pragma once

#include <optional>

#include "probe/cookie.hpp"

namespace weir {

class SynMarks {
 public:
  static constexpr std::uint16_t source_ports = 1024;
  static constexpr std::size_t header_size = 20;  // of TCP

  // `first_port` of `source_ports` that no socket of this machine has.
  SynMarks(const CookieKey& key, std::uint16_t first_port) noexcept : key_(key), first_port_(first_port) {}
  std::uint16_t first_port() const noexcept { return first_port_; }
  std::uint16_t last_port() const noexcept {
    return static_cast<std::uint16_t>(first_port_ + source_ports - 1);
  }

  struct Mark {
    std::uint16_t port = 0;  // source port
    std::uint32_t sequence = 0;
  };
  Mark of(const Addr& to, std::uint16_t to_port, std::uint32_t number) const noexcept {
    const std::uint64_t chosen =
        cookie(key_, to, std::uint64_t{1} << 48 | std::uint64_t{number} << 16 | to_port);
    return {static_cast<std::uint16_t>(first_port_ + chosen % source_ports), number ^ mask(to, to_port)};
  }

  struct Answer {
    std::uint32_t number = 0;
    bool reset = false;  // RST; else SYN-ACK
  };
  // A segment from `from`; nothing when it answers none of ours. Hostile bytes are nothing.
  std::optional<Answer> read(const Addr& from, Bytes segment) const noexcept;
  // The number of a segment to `to` that an ICMP error quotes: eight bytes of it are enough (RFC 792).
  std::optional<std::uint32_t> quoted(const Addr& to, Bytes segment) const noexcept;

 private:
  std::uint32_t mask(const Addr& to, std::uint16_t to_port) const noexcept {
    return static_cast<std::uint32_t>(cookie(key_, to, to_port));
  }
  std::optional<std::uint32_t> number(const Addr& to, std::uint16_t to_port, const Mark& seen) const noexcept;

  CookieKey key_;
  std::uint16_t first_port_;
};

}  // namespace weir

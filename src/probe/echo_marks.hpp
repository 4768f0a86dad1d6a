// Echo requests that are told apart by what comes back of them (RFC 792, RFC 4443 §4.1). The probe's number
// fills identifier and sequence number, so that 2^32 of them can be told apart; with a datagram socket, whose
// identifier is the kernel's, its lower half is the sequence number and the data has all of it. A cookie in
// the data proves that a reply is to a probe of ours.
#pragma once

#include <optional>

#include "probe/cookie.hpp"

namespace weir {

class EchoMarks {
 public:
  static constexpr std::size_t header_size = 8;
  // The data: tag (one a run, for the kernel's filter), number, cookie, then filling.
  static constexpr std::size_t tag_size = 4, number_end = 8, cookie_end = 16;

  // `own_id`: identifiers are ours, not the kernel's. `size`: of the data, which may be shorter than all of
  // it.
  EchoMarks(bool v6, bool own_id, std::size_t size, const CookieKey& key) noexcept;

  std::uint32_t tag() const noexcept { return tag_; }
  // Of header_size + `size` bytes; the rest of the data is the caller's, set before. Checksums of ICMPv6 are
  // the kernel's.
  void write(std::uint8_t* message, std::uint32_t number) const noexcept;

  struct Origin {
    std::uint32_t number = 0;
    std::uint8_t known_bits = 32;  // how many low bits of it are known
    bool proven = false;           // by the cookie
  };
  struct Answer {
    Origin origin;
    bool is_error = false;            // by ICMP, about one of ours
    std::uint8_t type = 0, code = 0;  // of the error
    Addr to;                          // whom ours was for, as the error has it
  };
  // What a message that was received says; nothing when it is about none of ours. Hostile bytes are nothing.
  std::optional<Answer> read(Bytes message) const noexcept;
  // The same of an echo that an error quotes, as far as it does.
  std::optional<Origin> origin(Bytes echo) const noexcept;

 private:
  std::uint64_t cookie_of(std::uint32_t number) const noexcept { return cookie(key_, Addr{}, number); }

  const bool v6_, own_id_;
  const std::size_t size_;
  const CookieKey key_;
  const std::uint32_t tag_;
};

}  // namespace weir

// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): what a probe carries so that
// its reply proves itself, with nothing kept per probe. Nobody who does not see the probe can make one up.
#pragma once

#include <array>
#include <bit>

#include "core/addr.hpp"
#include "core/bytes.hpp"

namespace weir {

using CookieKey = std::array<std::uint64_t, 2>;

class SipHash {
 public:
  explicit SipHash(const CookieKey& key) noexcept
      : v_{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
           key[1] ^ 0x7465646279746573} {}

  void word(std::uint64_t m) noexcept {
    v_[3] ^= m;
    round();
    round();
    v_[0] ^= m;
    bytes_ += 8;
  }
  // The rest, fewer than 8 bytes, and the hash of all.
  std::uint64_t finish(Bytes rest = {}) noexcept {
    std::uint64_t last = (bytes_ + rest.size()) << 56;
    for (std::size_t i = 0; i < rest.size(); ++i) last |= std::uint64_t{rest[i]} << 8 * i;
    word(last);
    v_[2] ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  void round() noexcept {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = std::rotl(v_[1], 13) ^ v_[0];
    v_[3] = std::rotl(v_[3], 16) ^ v_[2];
    v_[0] = std::rotl(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = std::rotl(v_[1], 17) ^ v_[2];
    v_[3] = std::rotl(v_[3], 21) ^ v_[0];
    v_[2] = std::rotl(v_[2], 32);
  }

  std::array<std::uint64_t, 4> v_;
  std::uint64_t bytes_ = 0;
};

inline std::uint64_t siphash(const CookieKey& key, Bytes message) noexcept {
  SipHash hash(key);
  while (message.size() >= 8) {
    hash.word(load_le<std::uint64_t>(message.data()));
    message = message.subspan(8);
  }
  return hash.finish(message);
}

// Of a probe to `address`; `rest` tells probes to it apart (ports, protocol, round). 64 bits: fields take
// what fits.
inline std::uint64_t cookie(const CookieKey& key, const Addr& address, std::uint64_t rest) noexcept {
  SipHash hash(key);
  hash.word(load_le<std::uint64_t>(address.bytes.data()));
  hash.word(load_le<std::uint64_t>(&address.bytes[8]));
  hash.word(rest);
  return hash.finish();
}

}  // namespace weir

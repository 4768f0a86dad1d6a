// MD5, SHA-1 and SHA-256, for identifiers that others compute the same way (JA3, HASSH, certificate
// fingerprints). Not for passwords or signatures. Any thread.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "core/bytes.hpp"

struct evp_md_ctx_st;  // OpenSSL's

namespace weir {

enum class Digest : std::uint8_t { md5, sha1, sha256 };

struct DigestValue {
  std::array<std::uint8_t, 32> bytes{};
  std::uint8_t size = 0;  // 0: the cryptographic library refused (MD5 under a FIPS policy)
};
DigestValue digest(Digest kind, Bytes data) noexcept;

// Lower-case hexadecimal.
std::string to_hex(Bytes data);
// The digest in hexadecimal; empty when it was refused.
std::string hex_digest(Digest kind, Bytes data);
inline std::string hex_digest(Digest kind, std::string_view text) {
  return hex_digest(kind, as_bytes(text));
}

// A digest of data that comes in pieces. One thread.
class DigestStream {
 public:
  explicit DigestStream(Digest kind) noexcept;
  void add(Bytes data) noexcept;
  // Ends it. Empty when the cryptographic library refused.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace weir

// Names of the numbers in a handshake, as IANA registers them. A null Text where a number has none.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::tls {

// "TLSv1.2", "SSLv3", "DTLSv1.2", "TLSv1.3-draft23".
std::string_view version_name(std::uint16_t version) noexcept;
// "TLS_AES_128_GCM_SHA256".
std::string_view cipher_name(std::uint16_t id) noexcept;
// "x25519".
std::string_view group_name(std::uint16_t id) noexcept;
// "handshake_failure".
std::string_view alert_name(std::uint8_t description) noexcept;

// Reserved values that clients sprinkle in to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a, … 0xfafa.
constexpr bool is_grease(std::uint16_t value) noexcept {
  return (value & 0x0f0fU) == 0x0a0aU && (value >> 8) == (value & 0xffU);
}
// DTLS versions are one's complement, so they count downwards: 0xfeff 1.0, 0xfefd 1.2, 0xfefc 1.3.
constexpr bool is_datagram_version(std::uint16_t version) noexcept {
  return version >> 8 == 0xfe;
}

}  // namespace weir::tls

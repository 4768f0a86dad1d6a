#include "tls/names.hpp"

#include <algorithm>
#include <span>

#include "tls/cipher_suites.hpp"

namespace weir::tls {
namespace {

struct Name {
  std::uint16_t id;
  std::string_view name;
};

template <class Row>
std::string_view find(std::span<const Row> rows, std::uint16_t id) noexcept {
  const auto row = std::ranges::lower_bound(rows, id, {}, &Row::id);
  return row != rows.end() && row->id == id ? row->name : std::string_view{};
}

constexpr Name versions[] = {
    {0x0002, "SSLv2"},           {0x0100, "DTLSv0.9"},        {0x0300, "SSLv3"},
    {0x0301, "TLSv1.0"},         {0x0302, "TLSv1.1"},         {0x0303, "TLSv1.2"},
    {0x0304, "TLSv1.3"},         {0x7f0e, "TLSv1.3-draft14"}, {0x7f0f, "TLSv1.3-draft15"},
    {0x7f10, "TLSv1.3-draft16"}, {0x7f11, "TLSv1.3-draft17"}, {0x7f12, "TLSv1.3-draft18"},
    {0x7f13, "TLSv1.3-draft19"}, {0x7f14, "TLSv1.3-draft20"}, {0x7f15, "TLSv1.3-draft21"},
    {0x7f16, "TLSv1.3-draft22"}, {0x7f17, "TLSv1.3-draft23"}, {0x7f18, "TLSv1.3-draft24"},
    {0x7f19, "TLSv1.3-draft25"}, {0x7f1a, "TLSv1.3-draft26"}, {0x7f1b, "TLSv1.3-draft27"},
    {0x7f1c, "TLSv1.3-draft28"}, {0xfb17, "TLSv1.3-fb23"},    {0xfb1a, "TLSv1.3-fb26"},
    {0xfefc, "DTLSv1.3"},        {0xfefd, "DTLSv1.2"},        {0xfeff, "DTLSv1.0"},
};

constexpr Name groups[] = {
    {1, "sect163k1"},
    {2, "sect163r1"},
    {3, "sect163r2"},
    {4, "sect193r1"},
    {5, "sect193r2"},
    {6, "sect233k1"},
    {7, "sect233r1"},
    {8, "sect239k1"},
    {9, "sect283k1"},
    {10, "sect283r1"},
    {11, "sect409k1"},
    {12, "sect409r1"},
    {13, "sect571k1"},
    {14, "sect571r1"},
    {15, "secp160k1"},
    {16, "secp160r1"},
    {17, "secp160r2"},
    {18, "secp192k1"},
    {19, "secp192r1"},
    {20, "secp224k1"},
    {21, "secp224r1"},
    {22, "secp256k1"},
    {23, "secp256r1"},
    {24, "secp384r1"},
    {25, "secp521r1"},
    {26, "brainpoolP256r1"},
    {27, "brainpoolP384r1"},
    {28, "brainpoolP512r1"},
    {29, "x25519"},
    {30, "x448"},
    {31, "brainpoolP256r1tls13"},
    {32, "brainpoolP384r1tls13"},
    {33, "brainpoolP512r1tls13"},
    {34, "GC256A"},
    {35, "GC256B"},
    {36, "GC256C"},
    {37, "GC256D"},
    {38, "GC512A"},
    {39, "GC512B"},
    {40, "GC512C"},
    {41, "curveSM2"},
    {256, "ffdhe2048"},
    {257, "ffdhe3072"},
    {258, "ffdhe4096"},
    {259, "ffdhe6144"},
    {260, "ffdhe8192"},
    {512, "MLKEM512"},
    {513, "MLKEM768"},
    {514, "MLKEM1024"},
    {4587, "SecP256r1MLKEM768"},
    {4588, "X25519MLKEM768"},
    {4589, "SecP384r1MLKEM1024"},
    {16696, "CECPQ2"},
    {25497, "X25519Kyber768Draft00"},
    {25498, "SecP256r1Kyber768Draft00"},
    {0xff01, "arbitrary_explicit_prime_curves"},
    {0xff02, "arbitrary_explicit_char2_curves"},
};

constexpr Name alerts[] = {
    {0, "close_notify"},
    {1, "end_of_early_data"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {52, "too_many_cids_requested"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {117, "general_error"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

}  // namespace

std::string_view version_name(std::uint16_t version) noexcept {
  return find<Name>(versions, version);
}
std::string_view cipher_name(std::uint16_t id) noexcept {
  return find<CipherSuite>(cipher_suites, id);
}
std::string_view group_name(std::uint16_t id) noexcept {
  return find<Name>(groups, id);
}
std::string_view alert_name(std::uint8_t description) noexcept {
  return find<Name>(alerts, description);
}

}  // namespace weir::tls

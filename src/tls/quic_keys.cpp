#include "tls/quic_keys.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace weir::tls {
namespace {

constexpr std::size_t tag_size = 16, sample_size = 16, number_max = 4;
using Secret = std::array<std::uint8_t, 32>;
using Salt = std::array<std::uint8_t, 20>;

constexpr Salt salt_v1 = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,  // RFC 9001 §5.2
                          0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr Salt salt_v2 = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,  // RFC 9369 §3.3.1
                          0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
constexpr Salt salt_v2_draft = {
    0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d,  // draft-ietf-quic-v2-03
    0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3};
constexpr Salt salt_draft29 = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,  // drafts 29 to 32
                               0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr Salt salt_draft27 = {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,  // drafts 23 to 28
                               0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};
// Google's versions between its own handshake and the standard.
constexpr Salt salt_q050 = {0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
                            0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45};
constexpr Salt salt_t050 = {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
                            0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10};
constexpr Salt salt_t051 = {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
                            0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d};

const Salt& salt_of(QuicDraft draft) noexcept {
  switch (draft) {
    case QuicDraft::v2: return salt_v2;
    case QuicDraft::v2_draft: return salt_v2_draft;
    case QuicDraft::draft29: return salt_draft29;
    case QuicDraft::draft27: return salt_draft27;
    case QuicDraft::q050: return salt_q050;
    case QuicDraft::t050: return salt_t050;
    case QuicDraft::t051: return salt_t051;
    default: return salt_v1;
  }
}

// Looked up once, for the life of the process (see core/digest.cpp).
const EVP_MD* sha256() noexcept {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}
const EVP_CIPHER* aes_gcm() noexcept {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  return cipher;
}
const EVP_CIPHER* aes_block() noexcept {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  return cipher;
}

Secret hmac(Bytes key, Bytes data) noexcept {
  Secret out{};
  unsigned size = 0;
  HMAC(sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(), &size);
  return out;
}

// HKDF-Expand-Label (RFC 8446 §7.1) with an empty context, for outputs of one block.
template <std::size_t n>
std::array<std::uint8_t, n> expand(const Secret& secret, std::string_view label) noexcept {
  static_assert(n <= 32);
  std::array<std::uint8_t, 64> info{};
  constexpr std::string_view prefix = "tls13 ";
  std::uint8_t* p = info.data();
  *p++ = 0;
  *p++ = static_cast<std::uint8_t>(n);
  *p++ = static_cast<std::uint8_t>(prefix.size() + label.size());
  p = std::copy(prefix.begin(), prefix.end(), p);
  p = std::copy(label.begin(), label.end(), p);
  *p++ = 0;  // context
  *p++ = 1;  // block number of HKDF-Expand (RFC 5869 §2.3)
  const Secret block = hmac(secret, {info.data(), static_cast<std::size_t>(p - info.data())});
  std::array<std::uint8_t, n> out{};
  std::copy_n(block.begin(), n, out.begin());
  return out;
}

QuicKeys packet_keys(QuicDraft draft, const Secret& secret) noexcept {
  if (is_quic_v2(draft))  // RFC 9369 §3.3.2
    return {.key = expand<16>(secret, "quicv2 key"),
            .header = expand<16>(secret, "quicv2 hp"),
            .iv = expand<12>(secret, "quicv2 iv")};
  return {.key = expand<16>(secret, "quic key"),
          .header = expand<16>(secret, "quic hp"),
          .iv = expand<12>(secret, "quic iv")};
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* c) const noexcept { EVP_CIPHER_CTX_free(c); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// RFC 9001 §5.4.3.
bool header_mask(EVP_CIPHER_CTX* context, const QuicKeys& keys, const std::uint8_t* sample,
                 std::array<std::uint8_t, sample_size>& mask) noexcept {
  int size = 0;
  return EVP_EncryptInit_ex(context, aes_block(), nullptr, keys.header.data(), nullptr) == 1 &&
         EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
         EVP_EncryptUpdate(context, mask.data(), &size, sample, sample_size) == 1;
}

// AES-128-GCM in place; false when the tag does not fit.
bool open_payload(EVP_CIPHER_CTX* context, const QuicKeys& keys, const std::uint8_t* nonce, Bytes header,
                  std::span<std::uint8_t> payload, std::uint8_t* tag) noexcept {
  int size = 0;
  return EVP_CIPHER_CTX_reset(context) == 1 &&
         EVP_DecryptInit_ex(context, aes_gcm(), nullptr, keys.key.data(), nonce) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &size, header.data(), static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context, payload.data(), &size, payload.data(),
                           static_cast<int>(payload.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag) == 1 &&
         EVP_DecryptFinal_ex(context, payload.data() + size, &size) == 1;
}

}  // namespace

QuicDraft quic_draft(std::uint32_t version) noexcept {
  switch (version) {
    case 0x00000001:
    case 0xff000021:
    case 0xff000022: return QuicDraft::v1;  // drafts 33 and 34 have its salt
    case 0x6b3343cf: return QuicDraft::v2;
    case 0x709a50c4: return QuicDraft::v2_draft;
    case 0xff00001d:
    case 0xff00001e:
    case 0xff00001f:
    case 0xff000020: return QuicDraft::draft29;
    case 0xff000017:
    case 0xff000018:
    case 0xff000019:
    case 0xff00001a:
    case 0xff00001b:
    case 0xff00001c:
    case 0xfaceb002:
    case 0xfaceb00e: return QuicDraft::draft27;  // the last two: Facebook's mvfst
    case 0x51303530: return QuicDraft::q050;
    case 0x54303530: return QuicDraft::t050;
    case 0x54303531: return QuicDraft::t051;
    default: return QuicDraft::none;
  }
}

QuicInitialKeys quic_initial_keys(QuicDraft draft, Bytes connection_id) noexcept {
  const Secret initial = hmac(salt_of(draft), connection_id);  // HKDF-Extract (RFC 5869 §2.2)
  return {.client = packet_keys(draft, expand<32>(initial, "client in")),
          .server = packet_keys(draft, expand<32>(initial, "server in"))};
}

std::optional<std::vector<std::uint8_t>> open_quic_packet(const QuicKeys& keys, Bytes packet,
                                                          std::size_t number_at) {
  if (number_at + number_max + sample_size > packet.size()) return std::nullopt;
  const CipherContext context{EVP_CIPHER_CTX_new()};
  std::array<std::uint8_t, sample_size> mask{};
  if (!context || !header_mask(context.get(), keys, &packet[number_at + number_max], mask))
    return std::nullopt;

  std::vector<std::uint8_t> bytes(packet.begin(), packet.end());
  bytes[0] = static_cast<std::uint8_t>(bytes[0] ^ (mask[0] & 0x0fU));
  const std::size_t number_size = (bytes[0] & 3U) + 1U, payload_at = number_at + number_size;
  if (payload_at + tag_size > bytes.size()) return std::nullopt;
  std::array<std::uint8_t, 12> nonce = keys.iv;
  for (std::size_t i = 0; i < number_size; ++i) {
    std::uint8_t& byte = bytes[number_at + i];
    byte = static_cast<std::uint8_t>(byte ^ mask[1 + i]);
    // Numbers of Initial packets start near 0, so that the bytes sent are the whole number.
    std::uint8_t& n = nonce[nonce.size() - number_size + i];
    n = static_cast<std::uint8_t>(n ^ byte);
  }
  const std::size_t payload_size = bytes.size() - payload_at - tag_size;
  if (!open_payload(context.get(), keys, nonce.data(), {bytes.data(), payload_at},
                    {bytes.data() + payload_at, payload_size}, bytes.data() + payload_at + payload_size))
    return std::nullopt;
  bytes.resize(payload_at + payload_size);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(payload_at));
  return bytes;
}

}  // namespace weir::tls

// The two hello messages of a TLS, DTLS or QUIC handshake, read into views of the message's bytes. Nothing is
// copied: the views are as short-lived as the bytes.
#pragma once

#include <optional>

#include "core/bytes.hpp"

namespace weir::tls {

enum class Carrier : std::uint8_t { tcp, datagram, quic };

// Extension numbers (IANA, "TLS ExtensionType Values") that are looked into.
namespace extension {
inline constexpr std::uint16_t server_name = 0, supported_groups = 10, ec_point_formats = 11,
                               signature_algorithms = 13, alpn = 16, session_ticket = 35, pre_shared_key = 41,
                               early_data = 42, supported_versions = 43, key_share = 51,
                               next_protocol_negotiation = 13172, quic_transport_parameters = 57,
                               quic_transport_parameters_draft = 0xffa5, encrypted_client_hello = 0xfe0d;
}

// A list of big-endian 16-bit numbers in the bytes of a message; a last odd byte is not seen.
struct Numbers {
  Bytes bytes;
  std::size_t size() const noexcept { return bytes.size() / 2; }
  std::uint16_t operator[](std::size_t i) const noexcept { return load_be16(&bytes[2 * i]); }
};

// A list of texts, each after its 8-bit length (ALPN, RFC 7301 §3.1). Stops at the first that does not fit.
template <class F>
void for_each_name(Bytes list, F&& f) {
  ByteReader in{list};
  while (!in.empty()) {
    const auto name = in.text(in.u8());
    if (!in.ok()) return;
    f(name);
  }
}

// Calls f(number, body) for each extension of the block. False when one does not fit into it.
template <class F>
bool for_each_extension(Bytes block, F&& f) {
  ByteReader in{block};
  while (!in.empty()) {
    const std::uint16_t number = in.u16();
    const Bytes body = in.bytes(in.u16());
    if (!in.ok()) return false;
    f(number, body);
  }
  return true;
}

struct ClientHello {
  bool damaged = false;       // the extensions end elsewhere than their lengths say
  std::uint16_t version = 0;  // legacy_version
  bool sslv2 = false;         // SSL 2.0 framing: three-byte ciphers, no extensions (RFC 5246 appendix E.2)
  Bytes session_id;
  Numbers ciphers;   // none for sslv2
  Bytes extensions;  // the block, without its length
  bool has_server_name = false, has_alpn = false, has_session_ticket = false, offers_psk = false,
       offers_early_data = false, has_ech = false;
  std::string_view server_name;
  Bytes alpn;  // for for_each_name
  Bytes point_formats;
  Numbers groups, signature_algorithms, supported_versions;
  Bytes quic_parameters;
};

struct ServerHello {
  bool damaged = false;                // as in ClientHello
  std::uint16_t version = 0;           // legacy_version
  std::uint16_t selected_version = 0;  // supported_versions, or legacy_version without that extension
  std::uint16_t cipher = 0;
  Bytes session_id, extensions;
  bool is_retry = false;  // HelloRetryRequest (RFC 8446 §4.1.3)
  bool accepts_psk = false;
  std::optional<std::uint16_t> group;  // of the key share
  std::string_view alpn;               // null: none chosen
};

// `body` is the message without its header. Nothing when it is malformed; trailing bytes and malformed
// extension contents are tolerated, as every peer tolerates some of them.
std::optional<ClientHello> read_client_hello(Bytes body, Carrier carrier) noexcept;
std::optional<ServerHello> read_server_hello(Bytes body) noexcept;
// After the two-byte length and the message type.
std::optional<ClientHello> read_sslv2_client_hello(Bytes body) noexcept;

}  // namespace weir::tls

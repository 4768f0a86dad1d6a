#include "tls/hello.hpp"

#include <algorithm>

#include "tls/names.hpp"

namespace weir::tls {
namespace {

constexpr std::size_t random_size = 32;

// SHA-256 of "HelloRetryRequest": the random of a ServerHello that is one (RFC 8446 §4.1.3).
constexpr std::uint8_t retry_random[random_size] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// A vector with a 16-bit length; empty if it does not fit.
Bytes vector16(Bytes body) noexcept {
  ByteReader in{body};
  return in.bytes(in.u16());
}
Bytes vector8(Bytes body) noexcept {
  ByteReader in{body};
  return in.bytes(in.u8());
}

// RFC 6066 §3: the first name of type host_name.
std::string_view read_server_name(Bytes body) noexcept {
  ByteReader in{vector16(body)};
  while (!in.empty()) {
    const std::uint8_t type = in.u8();
    const auto name = in.text(in.u16());
    if (in.ok() && type == 0) return name;
  }
  return {};
}

void read_client_extension(ClientHello& hello, std::uint16_t number, Bytes body) noexcept {
  switch (number) {
    case extension::server_name:
      if (!hello.has_server_name) hello.server_name = read_server_name(body);
      hello.has_server_name = true;
      break;
    case extension::supported_groups: hello.groups = {vector16(body)}; break;
    case extension::ec_point_formats: hello.point_formats = vector8(body); break;
    case extension::signature_algorithms: hello.signature_algorithms = {vector16(body)}; break;
    case extension::alpn:
      hello.has_alpn = true;
      hello.alpn = vector16(body);
      break;
    case extension::session_ticket: hello.has_session_ticket = !body.empty(); break;
    case extension::pre_shared_key: hello.offers_psk = true; break;
    case extension::early_data: hello.offers_early_data = true; break;
    case extension::supported_versions: hello.supported_versions = {vector8(body)}; break;
    case extension::encrypted_client_hello: hello.has_ech = true; break;
    case extension::quic_transport_parameters:
    case extension::quic_transport_parameters_draft: hello.quic_parameters = body; break;
    default: break;
  }
}

void read_server_extension(ServerHello& hello, std::uint16_t number, Bytes body) noexcept {
  switch (number) {
    case extension::supported_versions:
      if (body.size() == 2) hello.selected_version = load_be16(body.data());
      break;
    case extension::key_share:
      if (body.size() >= 2) hello.group = load_be16(body.data());
      break;
    case extension::pre_shared_key: hello.accepts_psk = true; break;
    case extension::alpn:
      for_each_name(vector16(body), [&](std::string_view name) {
        if (hello.alpn.data() == nullptr) hello.alpn = name;
      });
      break;
    default: break;
  }
}

}  // namespace

std::optional<ClientHello> read_client_hello(Bytes body, Carrier carrier) noexcept {
  ByteReader in{body};
  ClientHello hello;
  hello.version = in.u16();
  in.skip(random_size);
  hello.session_id = in.bytes(in.u8());
  if (carrier == Carrier::datagram) in.skip(in.u8());  // cookie (RFC 6347 §4.2.1)
  hello.ciphers = {in.bytes(in.u16())};
  in.skip(in.u8());  // compression methods
  if (!in.ok()) return std::nullopt;
  if (in.empty()) return hello;  // before RFC 3546 there were no extensions
  const std::size_t size = in.u16();
  hello.extensions = in.bytes(std::min(size, in.remaining()));
  hello.damaged = size != hello.extensions.size() ||
                  !for_each_extension(hello.extensions, [&](std::uint16_t number, Bytes b) {
                    read_client_extension(hello, number, b);
                  });
  return hello;
}

std::optional<ServerHello> read_server_hello(Bytes body) noexcept {
  ByteReader in{body};
  ServerHello hello;
  hello.version = hello.selected_version = in.u16();
  const Bytes random = in.bytes(random_size);
  // Drafts of TLS 1.3 before the 22nd left out session id and compression (draft-ietf-tls-tls13-21 §4.1.3).
  const bool early_draft = hello.version >= 0x7f00 && hello.version < 0x7f16;
  if (!early_draft) hello.session_id = in.bytes(in.u8());
  hello.cipher = in.u16();
  if (!early_draft) in.skip(1);
  if (!in.ok()) return std::nullopt;
  hello.is_retry = std::ranges::equal(random, retry_random);
  if (in.empty()) return hello;
  const std::size_t size = in.u16();
  hello.extensions = in.bytes(std::min(size, in.remaining()));
  hello.damaged = size != hello.extensions.size() ||
                  !for_each_extension(hello.extensions, [&](std::uint16_t number, Bytes b) {
                    read_server_extension(hello, number, b);
                  });
  return hello;
}

std::optional<ClientHello> read_sslv2_client_hello(Bytes body) noexcept {
  ByteReader in{body};
  ClientHello hello;
  hello.sslv2 = true;
  hello.version = in.u16();
  const std::size_t ciphers = in.u16(), session_id = in.u16(), challenge = in.u16();
  in.skip(ciphers);
  hello.session_id = in.bytes(session_id);
  in.skip(challenge);
  if (!in.ok() || ciphers % 3 != 0) return std::nullopt;
  return hello;
}

}  // namespace weir::tls

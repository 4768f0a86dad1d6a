#include "tls/session.hpp"

#include <algorithm>

#include "records/certificate.hpp"
#include "records/tls.hpp"
#include "tls/fingerprints.hpp"
#include "tls/names.hpp"

namespace weir::tls {
namespace {

namespace type {
constexpr std::uint8_t client_hello = 1, server_hello = 2, hello_verify_request = 3, certificate = 11,
                       server_key_exchange = 12, client_key_exchange = 16;
}

// Zeek's letters (ssl_history in base/protocols/ssl/main.zeek's documentation).
char letter_of(std::uint8_t message) noexcept {
  switch (message) {
    case 0: return 'H';
    case 1: return 'C';
    case 2: return 'S';
    case 3: return 'V';
    case 4: return 'T';
    case 5: return 'E';
    case 6: return 'J';
    case 8: return 'O';
    case 11: return 'X';
    case 12: return 'K';
    case 13: return 'R';
    case 14: return 'N';
    case 15: return 'Y';
    case 16: return 'G';
    case 20: return 'F';
    case 21: return 'W';
    case 22: return 'U';
    case 23: return 'A';
    case 24: return 'P';
    case 254: return 'M';
    default: return 'Z';
  }
}

// An alert encrypted by TLS 1.3 (RFC 8446 §5.2): two bytes, the content type and a tag of 8 or 16 bytes. A
// Finished is at least 36 before the tag.
constexpr std::size_t encrypted_alert_max = 2 + 1 + 16;

Text number_text(Context& c, Text name, std::uint16_t number) {
  if (name.data() != nullptr) return name;
  const std::uint8_t bytes[] = {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  static constexpr char digits[] = "0123456789abcdef";
  const char text[] = {
      '0', 'x', digits[bytes[0] >> 4], digits[bytes[0] & 15], digits[bytes[1] >> 4], digits[bytes[1] & 15]};
  return c.text({text, sizeof text});
}

Text text_or_null(Context& c, const std::string& text) {
  return text.empty() ? Text{} : c.text(text);
}

List<Text> texts(Context& c, const std::vector<std::string>& items) {
  std::vector<Text> views;
  views.reserve(items.size());
  for (const auto& item : items) views.push_back(c.text(item));
  return c.out.list(std::span<const Text>(views));
}
template <class T>
List<T> list_or_null(Context& c, const std::vector<T>& items) {
  return items.empty() ? List<T>{} : c.out.list(std::span<const T>(items));
}
List<Text> texts_or_null(Context& c, const std::vector<std::string>& items) {
  return items.empty() ? List<Text>{} : texts(c, items);
}

void emit_certificate(Context& c, const CertificateFacts& facts, std::size_t position, std::size_t size,
                      bool from_client) {
  Certificate r{.time = c.time, .ref = c.flow, .from_client = from_client};
  r.position = static_cast<std::uint8_t>(position);
  r.version = facts.version;
  r.subject = c.text(facts.subject);
  r.issuer = c.text(facts.issuer);
  r.serial = c.text(facts.serial);
  r.not_before = facts.not_before;
  r.not_after = facts.not_after;
  r.key_type = text_or_null(c, facts.key_type);
  r.key_bits = facts.key_bits;
  r.curve = text_or_null(c, facts.curve);
  r.signature_algorithm = text_or_null(c, facts.signature_algorithm);
  r.san_dns = texts_or_null(c, facts.dns);
  r.san_ip = list_or_null(c, facts.ip);
  r.san_email = texts_or_null(c, facts.email);
  r.san_uri = texts_or_null(c, facts.uri);
  r.is_ca = facts.is_ca;
  r.path_length = facts.path_length;
  r.self_signed = facts.self_signed;
  r.sha256 = c.text(facts.sha256);
  r.sha1 = c.text(facts.sha1);
  r.size = static_cast<std::uint32_t>(size);
  c.emit(r);
}

}  // namespace

bool is_tls13(std::uint16_t version) noexcept {
  return version == 0x0304 || version == 0xfefc || version >> 8 == 0x7f || version >> 8 == 0xfb;
}

std::uint16_t newest_version(const ClientHello& hello) noexcept {
  std::uint16_t newest = 0;
  for (std::size_t i = 0; i < hello.supported_versions.size(); ++i) {
    const std::uint16_t version = hello.supported_versions[i];
    if (is_grease(version)) continue;
    const bool newer = is_datagram_version(version) ? version < newest : version > newest;
    if (newest == 0 || newer) newest = version;
  }
  return newest == 0 ? hello.version : newest;
}

Text cipher_text(Context& c, std::uint16_t cipher) {
  return number_text(c, cipher_name(cipher), cipher);
}
Text group_text(Context& c, std::uint16_t group) {
  return number_text(c, group_name(group), group);
}
Text version_text(Context& c, std::uint16_t version) {
  return number_text(c, version_name(version), version);
}

List<Text> alpn_texts(Context& c, std::string_view list) {
  std::vector<Text> names;
  for_each_name(as_bytes(c.text(list)), [&](Text name) { names.push_back(name); });
  return c.out.list(std::span<const Text>(names));
}

void Session::note(Side side, char letter) {
  if (history_.size() < history_max)
    history_ += is_client(side) ? letter : static_cast<char>(letter - 'A' + 'a');
}

void Session::start(Context& c, Side client) noexcept {
  if (started_) return;
  started_ = true;
  client_ = client;
  time_ = c.time;
}

void Session::first_record(Side side, std::uint16_t version) noexcept {
  if (record_version_ == 0 && (!started_ || is_client(side))) record_version_ = version;
}

void Session::message(Context& c, std::uint8_t message, Bytes body) {
  const Side other_side = c.side == Side::orig ? Side::resp : Side::orig;
  if (message == type::client_hello) start(c, c.side);
  if (message == type::server_hello || message == type::hello_verify_request) start(c, other_side);
  note(c.side, letter_of(message));
  switch (message) {
    case type::client_hello:
      if (const auto hello = read_client_hello(body, carrier_))
        client_hello(c, *hello);
      else
        c.oddity("malformed_client_hello");
      break;
    case type::server_hello:
      if (const auto hello = read_server_hello(body))
        server_hello(c, *hello);
      else
        c.oddity("malformed_server_hello");
      break;
    case type::hello_verify_request: retried_ = true; break;
    case type::certificate:
      if (!is_tls13(version_)) certificates(c, body);
      break;
    case type::server_key_exchange: server_key_exchange(body); break;
    case type::client_key_exchange: has_key_exchange_ = true; break;
    default: break;
  }
}

void Session::sslv2_hello(Context& c, Bytes body) {
  start(c, c.side);
  note(c.side, 'C');
  first_record(c.side, 0x0002);
  if (const auto hello = read_sslv2_client_hello(body))
    client_hello(c, *hello);
  else
    c.oddity("malformed_client_hello");
}

void Session::sslv2_answer(Side side) {
  note(side, 'S');
  version_ = 0x0002;
}

void Session::client_hello(Context& c, const ClientHello& hello) {
  if (hello.damaged) c.oddity("malformed_tls_extensions");
  // A second one answers a retry, and repeats the first but for a key share or cookie.
  if (has_client_hello_) {
    if (retried_ && retry_ja4_.empty() && c.out.wants<weir::Tls>()) retry_ja4_ = ja4(hello, carrier_);
    return;
  }
  has_client_hello_ = true;
  if (!has_server_hello_) version_ = newest_version(hello);
  session_id_ = as_text(hello.session_id);
  has_server_name_ = hello.server_name.data() != nullptr;
  server_name_ = hello.server_name;
  has_alpn_ = hello.has_alpn;
  alpn_ = as_text(hello.alpn);
  early_data_ = hello.offers_early_data;
  ech_ = hello.has_ech;
  if (!c.out.wants<weir::Tls>()) return;
  ja3_ = ja3(hello);
  ja4_ = ja4(hello, carrier_);
}

void Session::server_hello(Context& c, const ServerHello& hello) {
  if (hello.damaged) c.oddity("malformed_tls_extensions");
  version_ = hello.selected_version;
  if (hello.group) group_ = *hello.group;
  if (hello.is_retry) {
    retried_ = true;
    return;
  }
  if (has_server_hello_) return;
  has_server_hello_ = true;
  cipher_ = hello.cipher;
  resumed_ = is_tls13(version_) ? hello.accepts_psk
                                : !session_id_.empty() && session_id_ == as_text(hello.session_id);
  has_next_protocol_ = hello.alpn.data() != nullptr;
  next_protocol_ = hello.alpn;
  if (c.out.wants<weir::Tls>()) ja3s_ = ja3s(hello);
}

// RFC 5246 §7.4.2: a list of certificates, each after its 24-bit length.
void Session::certificates(Context& c, Bytes body) {
  Peer& peer = sides_[index(c.side)];
  if (peer.sent_certificates) return;
  peer.sent_certificates = true;
  ByteReader list{body};
  ByteReader in{list.bytes(list.u24())};
  if (!list.ok()) return c.oddity("malformed_certificate_list");
  for (std::size_t position = 0; !in.empty(); ++position) {
    const Bytes der = in.bytes(in.u24());
    if (!in.ok()) return c.oddity("malformed_certificate_list");
    if (position == chain_max) return c.oddity("certificates_left_out");
    const auto facts = read_certificate(der);
    if (!facts) {
      c.oddity("malformed_certificate");
      continue;
    }
    if (facts->names_cut) c.oddity("certificate_names_left_out");
    peer.chain.push_back(facts->sha256);
    emit_certificate(c, *facts, position, der.size(), is_client(c.side));
    if (position == 0) peer.leaf = facts;
  }
}

// RFC 8422 §5.4: curve_type named_curve(3), then its number. With a pre-shared key a hint comes first.
void Session::server_key_exchange(Bytes body) noexcept {
  const std::string_view cipher = cipher_name(cipher_);
  const bool is_ecdh = cipher.starts_with("TLS_ECDHE_RSA") || cipher.starts_with("TLS_ECDHE_ECDSA") ||
                       cipher.starts_with("TLS_ECDH_anon");
  if (is_ecdh && body.size() >= 3 && body[0] == 3) group_ = load_be16(&body[1]);
}

void Session::change_cipher_spec(Side side) {
  note(side, 'I');
  // In TLS 1.3 it means nothing (RFC 8446 appendix D.4): a second hello may follow it.
  if (is_tls13(version_) && has_client_hello_) return;
  sides_[index(side)].encrypted = true;
  // The server finishes first, and without a key exchange, when it takes up an earlier session
  // (RFC 5246 §7.3, RFC 5077 §3.1).
  if (has_server_hello_ && !is_client(side) && !has_key_exchange_) resumed_ = true;
}

void Session::alert(Side side, std::uint8_t description) {
  note(side, 'L');
  last_alert_ = alert_name(description);
  if (last_alert_.data() == nullptr) last_alert_ = "unknown";
}

void Session::ciphertext(Side side, std::size_t size) noexcept {
  Peer& peer = sides_[index(side)];
  if (is_tls13(version_)) {
    if (!has_server_hello_) return;  // early data
    // The server's flight is encrypted and comes before the client's Finished.
    if (is_client(side) && server().sent_ciphertext && size > encrypted_alert_max) established_ = true;
  } else if (sides_[0].encrypted && sides_[1].encrypted) {
    established_ = true;
  }
  peer.sent_ciphertext = true;
}

void Session::emit(Context& c) {
  if (emitted_ || !started_) return;
  emitted_ = true;
  if (!c.out.wants<weir::Tls>()) return;
  weir::Tls r{.time = time_, .ref = c.flow};
  if (version_ != 0) r.version = version_text(c, version_);
  if (record_version_ != 0) r.record_version = version_text(c, record_version_);
  if (has_server_name_) r.server_name = c.text(server_name_);
  if (has_server_hello_) r.cipher = cipher_text(c, cipher_);
  if (group_ != 0) r.curve = group_text(c, group_);
  if (has_next_protocol_) r.next_protocol = c.text(next_protocol_);
  if (has_alpn_) r.alpn_offered = alpn_texts(c, alpn_);
  r.ja3 = text_or_null(c, ja3_);
  r.ja3s = text_or_null(c, ja3s_);
  r.ja4 = text_or_null(c, ja4_);
  r.retry_ja4 = text_or_null(c, retry_ja4_);
  r.resumed = resumed_;
  r.established = established_;
  r.retried = retried_;
  r.early_data = early_data_;
  r.ech = ech_;
  r.last_alert = last_alert_;
  r.history = c.text(history_);
  if (const auto& leaf = server().leaf) {
    r.subject = c.text(leaf->subject);
    r.issuer = c.text(leaf->issuer);
    r.serial = c.text(leaf->serial);
    r.not_before = leaf->not_before;
    r.not_after = leaf->not_after;
    r.key_type = text_or_null(c, leaf->key_type);
    r.key_bits = leaf->key_bits;
    r.signature_algorithm = text_or_null(c, leaf->signature_algorithm);
    r.san_dns = texts_or_null(c, leaf->dns);
    r.san_ip = list_or_null(c, leaf->ip);
    r.self_signed = leaf->self_signed;
  }
  if (const auto& leaf = client().leaf) {
    r.client_subject = c.text(leaf->subject);
    r.client_issuer = c.text(leaf->issuer);
  }
  r.certificate_chain = texts_or_null(c, server().chain);
  r.client_certificate_chain = texts_or_null(c, client().chain);
  c.emit(r);
}

}  // namespace weir::tls

// QUIC (RFC 9000, 9369): Initial packets opened with the keys that anyone on the path can derive (RFC 9001
// §5.2), for the two hellos inside; and what Google's QUIC before it says in clear. One record per
// connection.
#include <algorithm>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "plugin/parser.hpp"
#include "records/quic.hpp"
#include "tls/fingerprints.hpp"
#include "tls/hello.hpp"
#include "tls/quic_keys.hpp"
#include "tls/session.hpp"

namespace weir {
namespace {

constexpr std::size_t connection_id_max = 20;  // RFC 9000 §17.2
// Handshake bytes kept per side; frames that reach further are passed over.
constexpr std::size_t crypto_max = 16 * 1024;
// Without both hellos by then the record is written with what is known.
constexpr unsigned datagrams_max = 64;
// Key derivations for a connection: versions and Retry make two or three necessary.
constexpr unsigned derivations_max = 8;

enum class Kind : std::uint8_t { initial, early, handshake, retry };

struct LongHeader {
  std::uint32_t version = 0;
  Kind kind = Kind::initial;
  Bytes dcid, scid;
  std::size_t number_at = 0, size = 0;  // of the packet, packet number onward; size 0: to the datagram's end
};

std::uint64_t variable_integer(ByteReader& in) noexcept {  // RFC 9000 §16
  const unsigned log_size = in.peek() >> 6;
  std::uint64_t value = in.u8() & 0x3fU;
  for (unsigned i = 1; i < 1U << log_size; ++i) value = value << 8 | in.u8();
  return value;
}

// "Q043": Google's versions are text. T050 and T051 are its first with TLS.
bool is_google(std::uint32_t version) noexcept {
  const auto byte = [version](int shift) { return version >> shift & 0xffU; };
  const auto digit = [](unsigned c) { return c >= '0' && c <= '9'; };
  return (byte(24) == 'Q' || byte(24) == 'T') && digit(byte(16)) && digit(byte(8)) && digit(byte(0));
}
bool is_known(std::uint32_t version) noexcept {
  return tls::quic_draft(version) != tls::QuicDraft::none || is_google(version) || version >> 8 == 0xff0000 ||
         version >> 4 == 0xfaceb00;
}

// Nothing unless the bytes start with a long header that is whole.
std::optional<LongHeader> read_long_header(Bytes b) noexcept {
  ByteReader in{b};
  const std::uint8_t first = in.u8();
  LongHeader h;
  h.version = in.u32();
  const std::size_t dcid = in.u8();
  h.dcid = in.bytes(dcid);
  const std::size_t scid = in.u8();
  h.scid = in.bytes(scid);
  if (!in.ok() || (first & 0x80U) == 0 || dcid > connection_id_max || scid > connection_id_max)
    return std::nullopt;
  if (h.version == 0) return h;  // version negotiation
  unsigned bits = first >> 4 & 3U;
  if (tls::is_quic_v2(tls::quic_draft(h.version))) bits = (bits + 3) & 3U;  // RFC 9369 §3.2
  h.kind = static_cast<Kind>(bits);
  if (h.kind == Kind::retry) return h;
  if (h.kind == Kind::initial) {
    const std::uint64_t token = variable_integer(in);
    if (token > in.remaining()) return std::nullopt;
    in.skip(static_cast<std::size_t>(token));
  }
  const std::uint64_t length = variable_integer(in);
  if (!in.ok() || length > in.remaining()) return std::nullopt;
  h.number_at = in.position();
  h.size = h.number_at + static_cast<std::size_t>(length);
  return h;
}

// The public header of Google's versions up to Q043: flags with version and 8-byte connection ID, then both.
std::uint32_t google_public_version(Bytes b) noexcept {
  constexpr std::uint8_t has_version = 0x01, has_id = 0x08, is_reset = 0x02, unused = 0x80;
  if (b.size() < 13 || (b[0] & (has_version | has_id | is_reset | unused)) != (has_version | has_id))
    return 0;
  const std::uint32_t version = load_be32(&b[9]);
  return is_google(version) ? version : 0;
}

Match match(Bytes b, Side) {
  if (google_public_version(b) != 0) return Match::yes;
  if (b.size() < 7 || (b[0] & 0x80U) == 0) return Match::no;
  const std::uint32_t version = load_be32(&b[1]);
  if (!is_known(version)) {
    // A first flight fills 1200 bytes (RFC 9000 §14.1). Versions like 0x1a2a3a4a ask for negotiation (§15).
    const bool is_first_flight =
        version != 0 && (b[0] & 0xc0U) == 0xc0 && b.size() >= 1200 && read_long_header(b);
    if (!is_first_flight) return Match::no;
    return (version & 0x0f0f0f0fU) == 0x0a0a0a0a ? Match::yes : Match::maybe;
  }
  if (version >> 24 == 'Q' && version != 0x51303530)
    return (b[0] & 0xc0U) == 0xc0 ? Match::yes : Match::no;  // Q046
  const auto header = read_long_header(b);
  if (!header) return Match::no;
  return header->kind == Kind::initial && header->number_at < b.size() ? Match::yes : Match::maybe;
}

std::string version_name(std::uint32_t version) {
  if (version == 1) return "v1";
  if (version == 0x6b3343cf) return "v2";
  if (version == 0x709a50c4) return "v2-draft";
  if (version >> 8 == 0xff0000) return "draft-" + std::to_string(version & 0xff);
  if (version >> 4 == 0xfaceb00) return "mvfst-" + std::to_string(version & 0xf);
  if (is_google(version))
    return {static_cast<char>(version >> 24), static_cast<char>(version >> 16),
            static_cast<char>(version >> 8), static_cast<char>(version)};
  const std::uint8_t bytes[] = {static_cast<std::uint8_t>(version >> 24),
                                static_cast<std::uint8_t>(version >> 16),
                                static_cast<std::uint8_t>(version >> 8), static_cast<std::uint8_t>(version)};
  return "0x" + to_hex(bytes);
}

// Handshake bytes of one side, put together from CRYPTO frames in any order.
class CryptoStream {
 public:
  void add(std::size_t offset, Bytes data) {
    if (offset > crypto_max || data.size() > crypto_max - offset) return;
    if (bytes_.size() < offset + data.size()) {
      bytes_.resize(offset + data.size());
      present_.resize(offset + data.size());
    }
    std::ranges::copy(data, bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    std::fill_n(present_.begin() + static_cast<std::ptrdiff_t>(offset), data.size(), true);
    while (whole_ < present_.size() && present_[whole_]) ++whole_;
  }
  // What is there without a hole.
  Bytes whole() const noexcept { return {bytes_.data(), whole_}; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<bool> present_;
  std::size_t whole_ = 0;
};

class QuicParser {
 public:
  Step data(Context& c, Bytes b);
  void end(Context& c) { emit(c); }

 private:
  void google(Context& c, Bytes b, std::uint32_t version);
  void google_hello(Bytes b);
  void packet(Context& c, Bytes packet, const LongHeader& h);
  void initial(Context& c, Bytes packet, const LongHeader& h);
  void frames(Context& c, Bytes b);
  void hellos(Context& c, Side side);
  void client_hello(const tls::ClientHello& hello);
  void derive(std::uint32_t version, Bytes dcid);
  void emit(Context& c);
  static std::size_t index(Side side) noexcept { return side == Side::orig ? 0 : 1; }

  tls::QuicInitialKeys keys_;
  CryptoStream crypto_[2];
  std::size_t taken_[2] = {0, 0};  // handshake bytes already looked at
  std::string key_id_, initial_dcid_, client_scid_, server_scid_;
  std::string server_name_, alpn_, ja3_, ja3s_, ja4_, user_agent_;
  Time time_;
  std::uint32_t version_ = 0, key_version_ = 0;
  std::uint16_t cipher_ = 0, group_ = 0;
  unsigned datagrams_ = 0, derivations_ = 0;
  bool has_client_hello_ = false, has_server_hello_ = false, has_server_name_ = false, has_alpn_ = false;
  bool retried_ = false, version_negotiated_ = false, early_data_ = false, resumed_ = false, ech_ = false;
  bool emitted_ = false, has_server_scid_ = false;
};

Step QuicParser::data(Context& c, Bytes b) {
  if (datagrams_++ == 0) time_ = c.time;
  if (const std::uint32_t version = google_public_version(b); version != 0 && c.side == Side::orig)
    google(c, b, version);
  while (!b.empty() && (b[0] & 0x80U) != 0) {
    if (b.size() >= 5 && (b[0] & 0xc0U) == 0xc0 && b[1] == 'Q' && load_be32(&b[1]) != 0x51303530) {
      google(c, b, load_be32(&b[1]));  // Q046: the header's form is the standard's, what follows is not
      break;
    }
    const auto header = read_long_header(b);
    if (!header) break;
    const std::size_t size = header->size == 0 ? b.size() : header->size;
    packet(c, b.first(size), *header);
    b = b.subspan(size);  // several packets may share a datagram (RFC 9000 §12.2)
  }
  if ((has_client_hello_ && has_server_hello_) || emitted_ || datagrams_ >= datagrams_max) {
    emit(c);
    return {0, Parse::done};
  }
  return {0, Parse::more};
}

void QuicParser::packet(Context& c, Bytes packet, const LongHeader& h) {
  if (h.version == 0) {
    version_negotiated_ |= c.side == Side::resp;
    return;
  }
  switch (h.kind) {
    case Kind::initial: initial(c, packet, h); break;
    case Kind::early: early_data_ = true; break;
    case Kind::handshake: break;
    case Kind::retry: retried_ |= c.side == Side::resp; break;
  }
}

void QuicParser::derive(std::uint32_t version, Bytes dcid) {
  const tls::QuicDraft draft = tls::quic_draft(version);
  if (draft == tls::QuicDraft::none || derivations_ == derivations_max) return;
  ++derivations_;
  keys_ = tls::quic_initial_keys(draft, dcid);
  key_id_ = as_text(dcid);
  key_version_ = version;
}

void QuicParser::initial(Context& c, Bytes packet, const LongHeader& h) {
  if (c.side == Side::orig && version_ == 0) {
    initial_dcid_ = as_text(h.dcid);
    client_scid_ = as_text(h.scid);
    derive(h.version, h.dcid);
  }
  if (version_ != 0 && h.version != version_) version_negotiated_ = true;
  if (c.side == Side::resp || !has_server_scid_) version_ = h.version;
  // A server may go on in another version than the client began with (RFC 9369 §4.1): its own salt, the same
  // ID.
  if (key_version_ != h.version) derive(h.version, as_bytes(key_id_));
  const auto open = [&] {
    return tls::open_quic_packet(c.side == Side::orig ? keys_.client : keys_.server, packet, h.number_at);
  };
  auto plain = open();
  // After a Retry the client's new destination ID makes the keys (RFC 9001 §5.2).
  if (!plain && c.side == Side::orig && as_text(h.dcid) != key_id_) {
    derive(h.version, h.dcid);
    plain = open();
  }
  if (c.side == Side::resp) {
    server_scid_ = as_text(h.scid);
    has_server_scid_ = true;
  }
  if (plain) frames(c, *plain);
}

// The frames an Initial packet may have (RFC 9000 §12.4).
void QuicParser::frames(Context& c, Bytes b) {
  ByteReader in{b};
  while (!in.empty()) {
    switch (const std::uint64_t type = variable_integer(in)) {
      case 0x00:         // PADDING
      case 0x01: break;  // PING
      case 0x02:
      case 0x03: {  // ACK
        variable_integer(in);
        variable_integer(in);
        const std::uint64_t ranges = variable_integer(in);
        variable_integer(in);
        for (std::uint64_t i = 0; i < 2 * ranges && in.ok(); ++i) variable_integer(in);
        if (type == 0x03)
          for (int i = 0; i < 3; ++i) variable_integer(in);
        break;
      }
      case 0x08:  // CRYPTO in Google's versions, STREAM elsewhere
        if (!is_google(version_)) return;
        [[fallthrough]];
      case 0x06: {  // CRYPTO
        const std::uint64_t offset = variable_integer(in), size = variable_integer(in);
        if (size > in.remaining() || offset > crypto_max) return;
        crypto_[index(c.side)].add(static_cast<std::size_t>(offset),
                                   in.bytes(static_cast<std::size_t>(size)));
        break;
      }
      default: in.fail();
    }
    if (!in.ok()) break;
  }
  hellos(c, c.side);
}

void QuicParser::hellos(Context& c, Side side) {
  const Bytes whole = crypto_[index(side)].whole();
  std::size_t& taken = taken_[index(side)];
  if (taken == 0 && as_text(whole).starts_with("CHLO")) return google_hello(whole);
  while (whole.size() - taken >= 4) {
    ByteReader in{whole.subspan(taken)};
    const std::uint8_t type = in.u8();
    const Bytes message = in.bytes(in.u24());
    if (!in.ok()) return;
    taken += 4 + message.size();
    if (type == 1 && side == Side::orig && !has_client_hello_) {
      if (const auto hello = tls::read_client_hello(message, tls::Carrier::quic))
        client_hello(*hello);
      else
        c.oddity("malformed_client_hello");
    }
    if (type == 2 && side == Side::resp) {
      const auto hello = tls::read_server_hello(message);
      if (!hello) return c.oddity("malformed_server_hello");
      if (hello->group) group_ = *hello->group;
      retried_ |= hello->is_retry;
      if (hello->is_retry) continue;
      has_server_hello_ = true;
      cipher_ = hello->cipher;
      resumed_ = hello->accepts_psk;
      ja3s_ = tls::ja3s(*hello);
    }
  }
}

void QuicParser::client_hello(const tls::ClientHello& hello) {
  has_client_hello_ = true;
  has_server_name_ = hello.server_name.data() != nullptr;
  server_name_ = hello.server_name;
  has_alpn_ = hello.has_alpn;
  alpn_ = as_text(hello.alpn);
  ech_ = hello.has_ech;
  ja3_ = tls::ja3(hello);
  ja4_ = tls::ja4(hello, tls::Carrier::quic);
  // Transport parameters (RFC 9000 §18); 0x3129 is Google's user agent.
  ByteReader in{hello.quic_parameters};
  while (!in.empty()) {
    const std::uint64_t id = variable_integer(in), size = variable_integer(in);
    if (!in.ok() || size > in.remaining()) return;
    const auto value = in.text(static_cast<std::size_t>(size));
    if (id == 0x3129) user_agent_ = value;
  }
}

void QuicParser::google(Context& c, Bytes b, std::uint32_t version) {
  if (version_ != 0 && version_ != version) version_negotiated_ = true;
  version_ = version;
  const bool has_public_header = (b[0] & 0x80U) == 0;
  if (initial_dcid_.empty() && has_public_header) initial_dcid_ = as_text(b.subspan(1, 8));
  if (c.side != Side::orig) return;
  const std::size_t at = as_text(b).find("CHLO");
  if (at == std::string_view::npos) return;
  google_hello(b.subspan(at));
  emit(c);
}

// Google's own handshake: "CHLO", a count, and (tag, end offset) pairs before their values, all little
// endian.
void QuicParser::google_hello(Bytes b) {
  ByteReader in{b};
  in.skip(4);
  const std::size_t count = in.le16();
  in.skip(2);
  const std::size_t values_at = in.position() + 8 * count;
  std::size_t start = 0;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const auto tag = in.text(4);
    const std::size_t end = in.le32();
    if (end < start || values_at + end > b.size()) return;
    const auto value = as_text(b.subspan(values_at + start, end - start));
    if (tag == std::string_view("SNI\0", 4)) {
      server_name_ = value;
      has_server_name_ = true;
    }
    if (tag == "UAID") user_agent_ = value;
    start = end;
  }
  has_client_hello_ = has_client_hello_ || in.ok();
}

void QuicParser::emit(Context& c) {
  if (emitted_ || version_ == 0) return;
  emitted_ = true;
  const auto text = [&c](const std::string& s) { return s.empty() ? Text{} : c.text(s); };
  const auto hex = [&c](const std::string& s) { return c.text(to_hex(as_bytes(s))); };
  Quic r{.time = time_, .ref = c.flow};
  r.version = c.text(version_name(version_));
  if (has_server_name_) r.server_name = c.text(server_name_);
  if (has_alpn_) r.alpn_offered = tls::alpn_texts(c, alpn_);
  if (has_server_hello_) r.cipher = tls::cipher_text(c, cipher_);
  if (group_ != 0) r.curve = tls::group_text(c, group_);
  r.ja3 = text(ja3_);
  r.ja3s = text(ja3s_);
  r.ja4 = text(ja4_);
  r.retried = retried_;
  r.version_negotiated = version_negotiated_;
  r.early_data = early_data_;
  r.resumed = resumed_;
  r.ech = ech_;
  r.client_initial_dcid = hex(initial_dcid_);
  if (key_version_ != 0) r.client_scid = hex(client_scid_);
  if (has_server_scid_) r.server_scid = hex(server_scid_);
  r.user_agent = text(user_agent_);
  c.emit(r);
}

constexpr std::uint16_t ports[] = {443, 80, 853, 784, 8443, 4433};
constexpr RecordTypeOf records[] = {record_type<Quic>};
constexpr ParserSpec spec{.name = "quic",
                          .doc = "QUIC v1 and v2: names, versions and fingerprints from the Initial packets",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<QuicParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

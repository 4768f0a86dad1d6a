// TLS (RFC 8446, 5246), SSL 3.0, hellos of SSL 2.0, and DTLS (RFC 9147, 6347): the record layer. Ends with
// the handshake; one `tls` record per connection and one `certificate` record per certificate.
#include <algorithm>
#include <vector>

#include "plugin/parser.hpp"
#include "records/certificate.hpp"
#include "records/tls.hpp"
#include "tls/names.hpp"
#include "tls/session.hpp"

namespace weir {
namespace {

constexpr std::uint8_t change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23,
                       heartbeat = 24;
constexpr std::size_t header_size = 5, datagram_header_size = 13;
constexpr std::size_t message_header_size = 4, datagram_message_header_size = 12;
constexpr std::size_t record_max = 16384 + 2048;  // RFC 5246 §6.2.3

// A longer message is not read, nor what its sender says after it: oddity handshake_message_too_long.
constexpr std::size_t message_max = 64 * 1024;
// DTLS: longer messages, and fragments of more messages at a time than these, are passed over.
constexpr std::size_t datagram_message_max = 16 * 1024, partial_messages_max = 4;
// Encrypted records without an established session: the capture has one direction only. The record is
// written.
constexpr unsigned unanswered_records_max = 16;

bool is_datagram(std::uint16_t version) noexcept {
  return tls::is_datagram_version(version) || version == 0x0100;  // 0x0100: before RFC 4347, still in use
}

// A hello of SSL 2.0 (RFC 5246 appendix E.2): all its lengths must add up, as little else is distinctive.
Match match_sslv2(Bytes b) noexcept {
  if ((b[0] & 0x80U) == 0) return Match::no;
  if (b.size() > 2 && b[2] != 1) return Match::no;
  if (b.size() < 11) return Match::maybe;
  const unsigned length = load_be16(&b[0]) & 0x7fffU, version = load_be16(&b[3]);
  const unsigned ciphers = load_be16(&b[5]), session_id = load_be16(&b[7]), challenge = load_be16(&b[9]);
  const bool known_version = version == 0x0002 || (version >= 0x0300 && version <= 0x0303);
  const bool fits = ciphers != 0 && ciphers % 3 == 0 && (session_id == 0 || session_id == 16) &&
                    challenge >= 16 && challenge <= 32 && 9 + ciphers + session_id + challenge == length;
  return known_version && fits ? Match::yes : Match::no;
}

Match match_datagram(Bytes b) noexcept {
  if (b.size() < datagram_header_size + datagram_message_header_size) return Match::no;
  const bool first_epoch = load_be16(&b[3]) == 0;
  const std::uint8_t message = b[datagram_header_size];
  return first_epoch && is_datagram(load_be16(&b[1])) && load_be16(&b[11]) <= record_max && message >= 1 &&
                 message <= 3
             ? Match::yes
             : Match::no;
}

// A client hello, or a server's when the capture lacks the client's.
Match match(Bytes b, Side) {
  if (b.empty()) return Match::maybe;
  if (b[0] != handshake) return match_sslv2(b);
  if (b.size() >= 2 && b[1] != 3) return match_datagram(b);
  if (b.size() < header_size + 1) return Match::maybe;
  const unsigned length = load_be16(&b[3]);
  const std::uint8_t message = b[header_size];
  if (b[2] > 4 || length == 0 || length > record_max || (message != 1 && message != 2)) return Match::no;
  if (length < message_header_size) return Match::yes;  // a hello in many small records
  if (b.size() < header_size + message_header_size) return Match::maybe;
  return b[6] == 0 ? Match::yes : Match::no;  // no hello has 64 KiB
}

// Fragments of one DTLS message (RFC 6347 §4.2.3).
struct PartialMessage {
  std::uint16_t sequence = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<bool> present;
  std::size_t missing = 0;
};

class TlsParser {
 public:
  Step data(Context& c, Bytes b) { return c.flow.proto == IpProto::udp ? datagram(c, b) : stream(c, b); }

  // Where the next record starts is unknown: this side is not read any further.
  void gap(Context& c, std::size_t) { sides_[index(c)].lost = sides_[index(c)].has_records = true; }
  void end(Context& c) { session_.emit(c); }

 private:
  struct Peer {
    bool lost = false;
    bool has_records = false;           // an SSL 2.0 message can only come before the first record
    std::vector<std::uint8_t> pending;  // a message that goes on in the next record
    std::uint64_t seen_messages = 0;    // DTLS: by sequence number, to pass over retransmissions
    std::vector<PartialMessage> partial;
  };
  static std::size_t index(const Context& c) noexcept { return c.side == Side::orig ? 0 : 1; }

  Step stream(Context& c, Bytes b);
  std::size_t sslv2(Context& c, Bytes b);
  bool record(Context& c, std::uint8_t type, Bytes body);
  void messages(Context& c, Bytes body);
  Step datagram(Context& c, Bytes b);
  void fragment(Context& c, Bytes body);
  void check_heartbeat(Context& c, Bytes body);
  void ciphertext(Context& c, std::size_t size) {
    ++ciphertext_records_;
    session_.ciphertext(c.side, size);
  }
  bool is_finished() const noexcept {
    return session_.established() || ciphertext_records_ >= unanswered_records_max ||
           (sides_[0].lost && sides_[1].lost);
  }
  Step finish(Context& c, std::size_t consumed, Parse parse = Parse::done) {
    session_.emit(c);
    return {consumed, parse};
  }

  tls::Session session_{tls::Carrier::tcp};
  Peer sides_[2];
  unsigned ciphertext_records_ = 0;
  bool is_first_ = true;
};

Step TlsParser::stream(Context& c, Bytes b) {
  std::size_t at = 0;
  if (!sides_[index(c)].has_records && b.size() >= 3 && (b[0] & 0x80U) != 0) {
    at = sslv2(c, b);
    if (session_.has_hello() && c.side == Side::resp) return finish(c, b.size());
    if (at == 0) return {0, Parse::more};
  }
  while (b.size() - at >= header_size) {
    if (sides_[index(c)].lost) return is_finished() ? finish(c, b.size()) : Step{b.size(), Parse::more};
    const std::uint8_t* p = &b[at];
    const std::size_t size = load_be16(p + 3);
    sides_[index(c)].has_records = true;
    if (p[0] < change_cipher_spec || p[0] > heartbeat || p[1] != 3 || size > record_max) {
      c.oddity("malformed_tls_record");
      return finish(c, at);
    }
    const bool unreadable = p[0] == application_data || session_.is_encrypted(c.side);
    session_.first_record(c.side, load_be16(p + 1));
    if (unreadable) {
      if (p[0] == application_data && !session_.has_hello()) return finish(c, at);
      ciphertext(c, size);
    } else if (b.size() - at - header_size < size) {
      break;
    } else if (!record(c, p[0], b.subspan(at + header_size, size))) {
      return finish(c, at + header_size + size);
    }
    at += header_size + size;  // past the end for an unreadable record: skipped unseen
    if (is_finished()) return finish(c, at);
    if (at > b.size()) break;
  }
  return {at, Parse::more};
}

// Returns how many bytes the SSL 2.0 message took, 0 when more are needed.
std::size_t TlsParser::sslv2(Context& c, Bytes b) {
  const std::size_t size = 2 + (load_be16(b.data()) & 0x7fffU);
  if (b.size() < size || size < 3) return 0;
  if (b[2] == 1) session_.sslv2_hello(c, b.subspan(3, size - 3));
  if (b[2] == 4) session_.sslv2_answer(c.side);
  return size;
}

// False when nothing more will come: a fatal alert.
bool TlsParser::record(Context& c, std::uint8_t type, Bytes body) {
  switch (type) {
    case handshake: messages(c, body); return true;
    case change_cipher_spec: session_.change_cipher_spec(c.side); return true;
    case alert:
      if (body.size() != 2) {
        ciphertext(c, body.size());
        return true;
      }
      session_.alert(c.side, body[1]);
      return body[0] != 2;
    default:
      if (type == heartbeat) check_heartbeat(c, body);
      session_.other(c.side, type == heartbeat);
      return true;
  }
}

// RFC 6520 §4: type, payload length, payload, at least 16 bytes of padding. A request that claims more
// payload than it has is how Heartbleed (CVE-2014-0160) reads the peer's memory.
void TlsParser::check_heartbeat(Context& c, Bytes body) {
  constexpr std::size_t padding_min = 16;
  if (body.size() >= 3 && body[0] == 1 && 3 + load_be16(&body[1]) + padding_min > body.size())
    c.oddity("tls_heartbeat_overread");
}

void TlsParser::messages(Context& c, Bytes body) {
  Peer& peer = sides_[index(c)];
  Bytes all = body;
  if (!peer.pending.empty()) {
    peer.pending.insert(peer.pending.end(), body.begin(), body.end());
    all = peer.pending;
  }
  std::size_t at = 0;
  while (all.size() - at >= message_header_size) {
    ByteReader in{all.subspan(at)};
    const std::uint8_t type = in.u8();
    const std::size_t size = in.u24();
    if (size > message_max) {
      c.oddity("handshake_message_too_long");
      peer.lost = true;
      break;
    }
    const Bytes message = in.bytes(size);
    if (!in.ok()) break;
    session_.message(c, type, message);
    at += message_header_size + size;
  }
  if (peer.lost || at == all.size())
    peer.pending.clear();
  else if (peer.pending.empty())
    peer.pending.assign(all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
  else
    peer.pending.erase(peer.pending.begin(), peer.pending.begin() + static_cast<std::ptrdiff_t>(at));
}

Step TlsParser::datagram(Context& c, Bytes b) {
  if (is_first_) session_ = tls::Session{tls::Carrier::datagram};
  is_first_ = false;
  ByteReader in{b};
  while (!in.empty()) {
    if ((in.peek() & 0xe0U) == 0x20) {  // RFC 9147 §4: the short header of DTLS 1.3's encrypted records
      if (session_.has_hello()) ciphertext(c, in.remaining());
      break;
    }
    const std::uint8_t type = in.u8();
    const std::uint16_t version = in.u16();
    const std::uint16_t epoch = in.u16();
    in.skip(6);  // sequence number
    const std::size_t size = in.u16();
    const Bytes body = in.bytes(size);
    // Other protocols share the port (RFC 7983), and the capture may cut a datagram short.
    if (!in.ok() || type < change_cipher_spec || type > heartbeat || !is_datagram(version)) break;
    session_.first_record(c.side, version);
    if (epoch != 0 || type == application_data)
      ciphertext(c, size);
    else if (type == handshake)
      fragment(c, body);
    else if (!record(c, type, body))
      return finish(c, b.size());
  }
  return is_finished() ? finish(c, b.size()) : Step{b.size(), Parse::more};
}

// The messages of one DTLS record, each whole or a fragment. Messages are taken in the order they become
// whole.
void TlsParser::fragment(Context& c, Bytes body) {
  Peer& peer = sides_[index(c)];
  ByteReader in{body};
  while (!in.empty()) {
    const std::uint8_t type = in.u8();
    const std::size_t size = in.u24();
    const std::uint16_t sequence = in.u16();
    const std::size_t offset = in.u24(), length = in.u24();
    const Bytes part = in.bytes(length);
    if (!in.ok() || offset + length > size) return c.oddity("malformed_dtls_fragment");
    const std::uint64_t bit = sequence < 64 ? std::uint64_t{1} << sequence : 0;
    if (size > datagram_message_max || (peer.seen_messages & bit) != 0) continue;
    if (length == size) {
      peer.seen_messages |= bit;
      session_.message(c, type, part);
      continue;
    }
    auto known = std::ranges::find(peer.partial, sequence, &PartialMessage::sequence);
    if (known == peer.partial.end()) {
      if (peer.partial.size() == partial_messages_max) continue;
      peer.partial.push_back({sequence, std::vector<std::uint8_t>(size), std::vector<bool>(size), size});
      known = peer.partial.end() - 1;
    }
    if (known->bytes.size() != size) continue;  // fragments that disagree
    std::ranges::copy(part, known->bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    for (std::size_t i = offset; i < offset + length; ++i) {
      if (!known->present[i]) --known->missing;
      known->present[i] = true;
    }
    if (known->missing != 0) continue;
    peer.seen_messages |= bit;
    const auto whole = std::move(known->bytes);
    peer.partial.erase(known);
    session_.message(c, type, whole);
  }
}

constexpr std::uint16_t ports[] = {443, 465, 563, 636,  853,  989,  990,  992,
                                   993, 994, 995, 5061, 5223, 5349, 8443, 8883};
constexpr RecordTypeOf records[] = {record_type<Tls>, record_type<Certificate>};
constexpr ParserSpec spec{.name = "tls",
                          .doc = "TLS and DTLS handshakes: names, versions, fingerprints, certificates",
                          .transports = transport::tcp | transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<TlsParser>,
                          .records = records,
                          .starts_late = true};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

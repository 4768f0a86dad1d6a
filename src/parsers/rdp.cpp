// Remote Desktop Protocol ([MS-RDPBCGR]): the connection request and its answer and, if the server chooses
// RDP's own security, what the client says of itself. With any other security the rest is recognised anew, as
// TLS.
#include <string>
#include <vector>

#include "plugin/parser.hpp"
#include "records/rdp.hpp"

namespace weir {
namespace {

constexpr std::size_t tpkt_size = 4;  // RFC 1006 §6: version 3, reserved, length
constexpr std::uint8_t connection_request = 0xe0, connection_confirm = 0xd0, data_unit = 0xf0;  // X.224 §13
constexpr std::size_t negotiation_size = 8;  // [MS-RDPBCGR] 2.2.1.1.1
constexpr std::size_t channels_max = 31;     // [MS-RDPBCGR] 2.2.1.3.4
// Messages before the client has described itself; more: the record is written without.
constexpr unsigned messages_max = 16;

Text failure_name(std::uint32_t code) noexcept {  // [MS-RDPBCGR] 2.2.1.2.2
  switch (code) {
    case 1: return "ssl_required_by_server";
    case 2: return "ssl_not_allowed_by_server";
    case 3: return "ssl_cert_not_on_server";
    case 4: return "inconsistent_flags";
    case 5: return "hybrid_required_by_server";
    case 6: return "ssl_with_user_auth_required_by_server";
    default: return "unknown_failure";
  }
}

struct Security {
  std::uint32_t bit;
  Text name;
};
constexpr Security securities[] = {{1, "tls"}, {2, "credssp"}, {4, "rdstls"}, {8, "credssp_ex"}, {16, "aad"}};

// Offset of the negotiation structure at the end of a connection request (type 1) or confirm (2, 3 for a
// refusal); 0: none. In a request 36 bytes of correlation information (2.2.1.1.2) may follow it.
std::size_t find_negotiation(Bytes packet, bool is_request) noexcept {
  constexpr std::size_t correlation_size = 36;
  const auto is_at = [&](std::size_t from_end) {
    if (packet.size() < tpkt_size + 7 + from_end) return false;
    const std::uint8_t* p = &packet[packet.size() - from_end];
    const bool type_fits = is_request ? p[0] == 1 : p[0] == 2 || p[0] == 3;
    return type_fits && load_le<std::uint16_t>(p + 2) == negotiation_size;
  };
  if (is_at(negotiation_size)) return packet.size() - negotiation_size;
  if (is_request && is_at(negotiation_size + correlation_size))
    return packet.size() - negotiation_size - correlation_size;
  return 0;
}

// Other protocols (S7, MMS) open with the same request, without a cookie or a negotiation.
Match match(Bytes b, Side side) {
  if (b.empty()) return Match::maybe;
  if (b[0] != 3 || (b.size() > 1 && b[1] != 0)) return Match::no;
  if (b.size() < tpkt_size + 7) return Match::maybe;
  const std::size_t size = load_be16(&b[2]);
  const std::uint8_t type = b[5] & 0xf0U;
  if (b[4] + tpkt_size + 1 > size || load_be16(&b[6]) != 0) return Match::no;
  if (side == Side::resp || type != connection_request)
    return type == connection_confirm ? Match::maybe : Match::no;
  if (as_text(b.subspan(tpkt_size + 7)).starts_with("Cookie: msts")) return Match::yes;
  if (b.size() < size) return Match::maybe;
  return find_negotiation(b.first(size), true) != 0 ? Match::yes : Match::maybe;
}

// Latin letters of UTF-16 as they are, others as UTF-8; up to the terminator. Surrogates are left out.
std::string utf8_of(Bytes utf16) {
  std::string out;
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    const unsigned c = load_le<std::uint16_t>(&utf16[i]);
    if (c == 0) break;
    if (c >= 0xd800 && c < 0xe000) continue;
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      out += static_cast<char>(0xe0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return out;
}

class RdpParser {
 public:
  Step data(Context& c, Bytes b);
  void end(Context& c) { emit(c); }

 private:
  Parse packet(Context& c, Bytes packet);
  void request(Context& c, Bytes packet);
  Parse confirm(Bytes packet);
  void settings(Bytes data, std::string_view key);
  void client_core(ByteReader in);
  void client_network(ByteReader in);
  void emit(Context& c);

  Time time_;
  std::string cookie_, client_name_, product_id_;
  std::vector<std::string> channels_;
  std::uint32_t requested_ = 0, selected_ = 0, failure_ = 0;
  std::optional<std::uint32_t> client_build_, keyboard_layout_, encryption_method_, encryption_level_;
  std::optional<std::uint16_t> width_, height_, depth_;
  unsigned messages_ = 0;
  bool started_ = false, confirmed_ = false, emitted_ = false;
};

Step RdpParser::data(Context& c, Bytes b) {
  if (!started_) time_ = c.time;
  started_ = true;
  std::size_t at = 0;
  while (b.size() - at >= tpkt_size) {
    const std::size_t size = load_be16(&b[at + 2]);
    // Fast-path packets ([MS-RDPBCGR] 5.3.8) start otherwise: the session has begun.
    if (b[at] != 3 || size < tpkt_size + 3) {
      emit(c);
      return {at, Parse::done};
    }
    if (b.size() - at < size) break;
    const Parse answer = packet(c, b.subspan(at, size));
    at += size;
    if (answer == Parse::more && ++messages_ < messages_max) continue;
    emit(c);
    return {at, answer == Parse::more ? Parse::done : answer};
  }
  return {at, Parse::more};
}

Parse RdpParser::packet(Context& c, Bytes packet) {
  switch (packet[5] & 0xf0U) {
    case connection_request: request(c, packet); return Parse::more;
    case connection_confirm: return confirm(packet);
    case data_unit:
      settings(packet, c.side == Side::orig ? "Duca" : "McDn");
      return c.side == Side::resp && encryption_method_ ? Parse::done : Parse::more;
    default: return Parse::more;
  }
}

// [MS-RDPBCGR] 2.2.1.1: after the X.224 header a routing token or cookie, then what security the client can
// do.
void RdpParser::request(Context& c, Bytes packet) {
  if (packet.size() < tpkt_size + 7) return c.oddity("malformed_rdp_request");
  const auto text = as_text(packet.subspan(tpkt_size + 7));
  constexpr std::string_view hash = "Cookie: mstshash=", token = "Cookie: msts=";
  const std::size_t end = text.find("\r\n");
  if (end != std::string_view::npos) {
    if (text.starts_with(hash)) cookie_ = text.substr(hash.size(), end - hash.size());
    if (text.starts_with(token)) cookie_ = text.substr(token.size(), end - token.size());
  }
  if (const std::size_t at = find_negotiation(packet, true); at != 0)
    requested_ = load_le<std::uint32_t>(&packet[at + 4]);
}

Parse RdpParser::confirm(Bytes packet) {
  confirmed_ = true;
  const std::size_t at = find_negotiation(packet, false);
  if (at == 0) return Parse::more;  // a server from before there was a choice
  const std::uint32_t value = load_le<std::uint32_t>(&packet[at + 4]);
  if (packet[at] == 3) {
    failure_ = value;
    return Parse::done;
  }
  selected_ = value;
  return selected_ == 0 ? Parse::more : Parse::rematch;
}

// The user data of MCS Connect ([MS-RDPBCGR] 2.2.1.3): deep in BER and PER (T.125, T.124), it is found by the
// key that precedes it; a PER length and then blocks of type, length and contents.
void RdpParser::settings(Bytes data, std::string_view key) {
  const std::size_t found = as_text(data).find(key);
  if (found == std::string_view::npos) return;
  ByteReader in{data.subspan(found + key.size())};
  if (in.u8() >= 0x80) in.skip(1);
  while (in.ok() && in.remaining() >= 4) {
    const std::uint16_t type = in.le16(), size = in.le16();
    if (size < 4) return;
    ByteReader block{in.bytes(size - 4U)};
    if (!in.ok()) return;
    if (key == "Duca" && type == 0xc001) client_core(block);
    if (key == "Duca" && type == 0xc003) client_network(block);
    if (key == "McDn" && type == 0x0c02) {  // server security data (2.2.1.4.3)
      const std::uint32_t method = block.le32(), level = block.le32();
      if (!block.ok()) continue;
      encryption_method_ = method;
      encryption_level_ = level;
    }
  }
}

// 2.2.1.3.2. Later fields may be missing.
void RdpParser::client_core(ByteReader in) {
  in.skip(4);  // version
  const std::uint16_t width = in.le16(), height = in.le16();
  const std::uint16_t old_depth = in.le16();
  in.skip(2);  // secure access sequence
  const std::uint32_t layout = in.le32(), build = in.le32();
  const Bytes name = in.bytes(32);
  if (!in.ok()) return;
  width_ = width;
  height_ = height;
  depth_ = old_depth == 0xca00 ? std::uint16_t{4} : std::uint16_t{8};
  keyboard_layout_ = layout;
  client_build_ = build;
  client_name_ = utf8_of(name);
  in.skip(3 * 4 + 64);  // keyboard type, subtype, function keys; input method file
  in.skip(2 + 2 + 4);   // older colour depth, product, serial number
  const std::uint16_t depth = in.le16();
  in.skip(2);
  constexpr std::uint16_t wants_32_bits = 2;
  const std::uint16_t flags = in.le16();
  if (!in.ok()) return;
  depth_ = (flags & wants_32_bits) != 0 ? std::uint16_t{32} : depth;
  const Bytes product = in.bytes(64);
  if (in.ok()) product_id_ = utf8_of(product);
}

// 2.2.1.3.4.
void RdpParser::client_network(ByteReader in) {
  const std::uint32_t count = in.le32();
  for (std::uint32_t i = 0; i < count && channels_.size() < channels_max; ++i) {
    const auto name = in.text(8);
    in.skip(4);
    if (!in.ok()) return;
    channels_.emplace_back(name.substr(0, name.find('\0')));
  }
}

void RdpParser::emit(Context& c) {
  if (emitted_ || !started_) return;
  emitted_ = true;
  const auto text = [&c](const std::string& s) { return s.empty() ? Text{} : c.text(s); };
  Rdp r{.time = time_, .ref = c.flow};
  r.cookie = text(cookie_);
  std::vector<Text> names;
  if (requested_ == 0) names.emplace_back("rdp");
  for (const auto& s : securities)
    if ((requested_ & s.bit) != 0) names.push_back(s.name);
  r.requested = c.out.list(std::span<const Text>(names));
  if (confirmed_) r.result = failure_ == 0 ? Text{"success"} : failure_name(failure_);
  if (confirmed_ && failure_ == 0) {
    r.selected = selected_ == 0 ? Text{"rdp"} : Text{"unknown"};
    for (const auto& s : securities)
      if (selected_ == s.bit) r.selected = s.name;
  }
  r.client_name = text(client_name_);
  r.client_build = client_build_;
  r.keyboard_layout = keyboard_layout_;
  r.desktop_width = width_;
  r.desktop_height = height_;
  r.color_depth = depth_;
  if (!channels_.empty()) {
    std::vector<Text> views;
    for (const auto& name : channels_) views.push_back(c.text(name));
    r.channels = c.out.list(std::span<const Text>(views));
  }
  r.product_id = text(product_id_);
  r.encryption_method = encryption_method_;
  r.encryption_level = encryption_level_;
  c.emit(r);
}

constexpr std::uint16_t ports[] = {3389};
constexpr RecordTypeOf records[] = {record_type<Rdp>};
constexpr ParserSpec spec{
    .name = "rdp",
    .doc = "Remote Desktop: user name, security agreed upon, what the client says of itself",
    .transports = transport::tcp,
    .ports = ports,
    .match = match,
    .methods = parser_methods<RdpParser>,
    .records = records,
    .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

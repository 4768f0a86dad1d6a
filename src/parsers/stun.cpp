// STUN (RFC 8489) and TURN (RFC 8656) over UDP: what a host learns about its address. DTLS on the same ports,
// as in WebRTC (RFC 7983), is handed on.
#include <algorithm>
#include <array>
#include <string>

#include "plugin/parser.hpp"
#include "records/stun.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = 20;
constexpr std::uint32_t cookie = 0x2112a442;  // RFC 8489 §5
constexpr std::size_t text_max = 763;  // bytes of a text attribute (RFC 8489 §14.9); longer ones are cut

namespace attribute {
constexpr std::uint16_t mapped_address = 0x0001, username = 0x0006, error_code = 0x0009,
                        peer_address = 0x0012, realm = 0x0014, relayed_address = 0x0016,
                        xor_mapped_address = 0x0020, software = 0x8022;
}

bool is_stun(Bytes b) noexcept {
  if (b.size() < header_size || b[0] > 3 || load_be32(&b[4]) != cookie) return false;
  const std::size_t length = load_be16(&b[2]);
  return length % 4 == 0 && header_size + length <= b.size();
}
Match match(Bytes b, Side) {
  return is_stun(b) ? Match::yes : Match::no;
}

Text method_name(unsigned method) noexcept {
  switch (method) {
    case 1: return "binding";
    case 3: return "allocate";
    case 4: return "refresh";
    case 6: return "send";
    case 7: return "data";
    case 8: return "create_permission";
    case 9: return "channel_bind";
    default: return "unknown";
  }
}

struct Endpoint {
  Addr ip;
  std::uint16_t port;
};

// RFC 8489 §14.1 and §14.2: family, port and address, the latter two mixed with cookie and transaction ID if
// `mixed`.
std::optional<Endpoint> read_endpoint(Bytes value, const std::uint8_t* message, bool mixed) noexcept {
  ByteReader in{value};
  in.skip(1);
  const std::uint8_t family = in.u8();
  std::uint16_t port = in.u16();
  std::array<std::uint8_t, 16> ip{};
  const Bytes bytes = in.bytes(family == 1 ? 4 : 16);
  if (!in.ok() || (family != 1 && family != 2)) return std::nullopt;
  const std::uint8_t* mask = message + 4;  // cookie, then transaction ID
  for (std::size_t i = 0; i < bytes.size(); ++i)
    ip[i] = static_cast<std::uint8_t>(mixed ? bytes[i] ^ mask[i] : bytes[i]);
  if (mixed) port = static_cast<std::uint16_t>(port ^ load_be16(mask));
  return Endpoint{family == 1 ? Addr::v4(ip.data()) : Addr::v6(ip.data()), port};
}

class StunParser {
 public:
  Step data(Context& c, Bytes b);
  void end(Context& c);

 private:
  void attributes(Bytes message);

  Time time_;
  std::string username_, realm_, software_;
  std::optional<Endpoint> mapped_, relayed_, peer_;
  std::optional<std::uint16_t> error_;
  Text method_;
  std::uint32_t requests_ = 0, answers_ = 0, errors_ = 0;
  bool emitted_ = false;
};

Step StunParser::data(Context& c, Bytes b) {
  if (!is_stun(b)) {
    const bool is_dtls = !b.empty() && b[0] >= 20 && b[0] <= 63;  // RFC 7983 §7
    return {0, is_dtls ? Parse::rematch : Parse::more};           // else media, or data of a TURN channel
  }
  const unsigned type = load_be16(b.data());
  const unsigned kind = (type >> 4 & 1U) | (type >> 7 & 2U);  // RFC 8489 §5: the class's two bits
  if (method_.data() == nullptr) {
    time_ = c.time;
    method_ = method_name((type & 0xfU) | (type >> 1 & 0x70U) | (type >> 2 & 0xf80U));
  }
  ++(kind < 2 ? requests_ : kind == 2 ? answers_ : errors_);
  attributes(b.first(header_size + load_be16(&b[2])));
  return {b.size(), Parse::more};
}

void StunParser::attributes(Bytes message) {
  ByteReader in{message};
  in.skip(header_size);
  const auto keep = [](std::string& to, Bytes value) {
    if (to.empty()) to = as_text(value).substr(0, text_max);
  };
  while (in.remaining() >= 4) {
    const std::uint16_t type = in.u16(), size = in.u16();
    const Bytes value = in.bytes(size);
    in.skip(std::min<std::size_t>((4 - size % 4U) % 4U, in.remaining()));
    if (!in.ok()) return;
    const auto endpoint = [&](bool mixed) { return read_endpoint(value, message.data(), mixed); };
    switch (type) {
      case attribute::username: keep(username_, value); break;
      case attribute::realm: keep(realm_, value); break;
      case attribute::software: keep(software_, value); break;
      case attribute::mapped_address:
        if (!mapped_) mapped_ = endpoint(false);
        break;
      case attribute::xor_mapped_address:
        if (!mapped_) mapped_ = endpoint(true);
        break;
      case attribute::relayed_address:
        if (!relayed_) relayed_ = endpoint(true);
        break;
      case attribute::peer_address:
        if (!peer_) peer_ = endpoint(true);
        break;
      case attribute::error_code:
        if (value.size() >= 4) error_ = static_cast<std::uint16_t>((value[2] & 7U) * 100 + value[3]);
        break;
      default: break;
    }
  }
}

void StunParser::end(Context& c) {
  if (emitted_ || method_.data() == nullptr) return;
  emitted_ = true;
  const auto text = [&c](const std::string& s) { return s.empty() ? Text{} : c.text(s); };
  Stun r{.time = time_, .ref = c.flow, .method = method_};
  r.username = text(username_);
  r.realm = text(realm_);
  r.software = text(software_);
  if (mapped_) {
    r.mapped_ip = mapped_->ip;
    r.mapped_port = mapped_->port;
  }
  if (relayed_) {
    r.relayed_ip = relayed_->ip;
    r.relayed_port = relayed_->port;
  }
  if (peer_) {
    r.peer_ip = peer_->ip;
    r.peer_port = peer_->port;
  }
  r.requests = requests_;
  r.answers = answers_;
  r.errors = errors_;
  r.last_error = error_;
  c.emit(r);
}

constexpr std::uint16_t ports[] = {3478};
constexpr RecordTypeOf records[] = {record_type<Stun>};
constexpr ParserSpec spec{.name = "stun",
                          .doc = "STUN and TURN: public addresses, relays, software",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<StunParser>,
                          .records = records,
                          .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

// SSH (RFC 4253): banners, what the two sides agree upon, HASSH (Salesforce, 2018), the host key, and whether
// the user got in.
#include <algorithm>
#include <array>
#include <string>

#include "core/digest.hpp"
#include "plugin/parser.hpp"
#include "records/ssh.hpp"

namespace weir {
namespace {

constexpr std::string_view prefix = "SSH-";
constexpr std::size_t banner_max = 255;    // RFC 4253 §4.2, line end included; longer: malformed
constexpr std::size_t packet_max = 35000;  // RFC 4253 §6.1; longer: malformed
// Lines a server may send before its banner (RFC 4253 §4.2); more: malformed.
constexpr unsigned lines_max = 64;
// Encrypted answers of the server after which nothing is learnt about the login any more.
constexpr unsigned answers_max = 200;

namespace message {
constexpr std::uint8_t kexinit = 20, newkeys = 21, kex_reply = 31, group_exchange_reply = 33;
}

Match match(Bytes b, Side) {
  const auto text = as_text(b);
  if (!text.starts_with(prefix.substr(0, text.size()))) return Match::no;
  if (text.size() <= prefix.size()) return Match::maybe;
  return text[prefix.size()] == '1' || text[prefix.size()] == '2' ? Match::yes : Match::no;
}

// The name-lists of a KEXINIT (RFC 4253 §7.1) that are of use, in their order.
enum List : std::size_t {
  kex,
  host_key,
  cipher_out,
  cipher_in,
  mac_out,
  mac_in,
  compression_out,
  compression_in
};
constexpr std::size_t list_count = 8;
using Lists = std::array<std::string, list_count>;

// The client's first choice that the server has, too (RFC 4253 §7.1).
std::string_view agreed(std::string_view client, std::string_view server) noexcept {
  const auto next = [](std::string_view& list) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const auto name = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    return name;
  };
  while (!client.empty()) {
    const auto wanted = next(client);
    for (auto rest = server; !rest.empty();)
      if (next(rest) == wanted) return wanted;
  }
  return {};
}

// "OpenSSH_9.2p1" of "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3".
std::string_view software_of(std::string_view banner) noexcept {
  const std::size_t dash = banner.find('-', prefix.size());
  if (dash == std::string_view::npos) return {};
  const auto rest = banner.substr(dash + 1);
  return rest.substr(0, rest.find(' '));
}

std::string base64_unpadded(Bytes data) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const std::uint8_t byte : data) {
    bits = bits << 8 | byte;
    for (have += 8; have >= 6; have -= 6) out += digits[bits >> (have - 6) & 63U];
  }
  if (have > 0) out += digits[bits << (6 - have) & 63U];
  return out;
}

// Judges the login by the sizes of the server's encrypted answers, as Zeek does. SERVICE_ACCEPT comes first
// and is 16 bytes longer than USERAUTH_SUCCESS with every cipher; the first answer after it refuses the
// method "none" and tells the size of USERAUTH_FAILURE.
class Login {
 public:
  void client_spoke() noexcept { client_spoke_ = true; }
  void answer(std::size_t size) noexcept {
    if (!client_spoke_) return;  // EXT_INFO (RFC 8308) follows the key exchange unasked
    ++answers_;
    if (accept_size_ == 0) {
      accept_size_ = size;
    } else if (size + success_shorter_by == accept_size_) {
      succeeded_ = true;
    } else if (refusal_size_ == 0) {
      refusal_size_ = size;
    } else if (size == refusal_size_) {
      ++failures_;
    }
  }
  bool is_settled() const noexcept { return succeeded_ || answers_ >= answers_max; }
  unsigned failures() const noexcept { return failures_; }
  std::optional<bool> succeeded() const noexcept {
    if (succeeded_) return true;
    if (failures_ > 0 && answers_ < answers_max) return false;
    return std::nullopt;
  }

 private:
  static constexpr std::size_t success_shorter_by = 16;
  std::size_t accept_size_ = 0, refusal_size_ = 0;
  unsigned answers_ = 0, failures_ = 0;
  bool client_spoke_ = false, succeeded_ = false;
};

class SshParser {
 public:
  Step data(Context& c, Bytes b);
  void gap(Context& c, std::size_t) { peer(c).stage = Stage::lost; }
  void end(Context& c) { emit(c); }

 private:
  enum class Stage : std::uint8_t { banner, packets, encrypted, lost };
  struct Peer {
    Stage stage = Stage::banner;
    unsigned lines = 0;
    std::string banner;
    Lists lists;
    bool has_lists = false;
  };

  static std::size_t index(Side side) noexcept { return side == Side::orig ? 0 : 1; }
  Peer& peer(const Context& c) noexcept { return peers_[index(c.side)]; }
  // Who is the client: the originator, unless a server's key exchange reply came from there.
  const Peer& client() const noexcept { return peers_[client_]; }
  const Peer& server() const noexcept { return peers_[1 - client_]; }

  // Bytes taken of one line or packet; 0: more are needed. Sets malformed_.
  std::size_t line(Context& c, Bytes b);
  std::size_t packet(Context& c, Bytes b);
  void contents(Context& c, Bytes payload);
  void ciphertext(Context& c, std::size_t size);
  bool speaks_version_1() const noexcept;
  void emit(Context& c);

  Peer peers_[2];
  std::size_t client_ = 0;
  std::string host_key_;
  Login login_;
  Time time_;
  bool started_ = false, malformed_ = false, emitted_ = false;
};

Step SshParser::data(Context& c, Bytes b) {
  if (!started_) time_ = c.time;
  started_ = true;
  std::size_t at = 0;
  while (at < b.size() && !malformed_) {
    const Bytes rest = b.subspan(at);
    std::size_t used = rest.size();
    switch (peer(c).stage) {
      case Stage::banner: used = line(c, rest); break;
      case Stage::packets: used = packet(c, rest); break;
      case Stage::encrypted: ciphertext(c, used); break;
      case Stage::lost: break;
    }
    if (used == 0) break;
    at += used;
  }
  if (malformed_ || login_.is_settled() || speaks_version_1() ||
      (peers_[0].stage == Stage::lost && peers_[1].stage == Stage::lost)) {
    emit(c);
    return {at, malformed_ ? Parse::malformed : Parse::done};
  }
  return {at, Parse::more};
}

std::size_t SshParser::line(Context& c, Bytes b) {
  const auto text = as_text(b);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end >= banner_max) {
    malformed_ = b.size() >= banner_max;
    return 0;
  }
  auto content = text.substr(0, end);
  if (content.ends_with('\r')) content.remove_suffix(1);
  if (content.starts_with(prefix)) {
    peer(c).banner = content;
    peer(c).stage = Stage::packets;
  } else if (++peer(c).lines > lines_max) {
    malformed_ = true;
  }
  return end + 1;
}

// RFC 4253 §6: length, padding length, payload, padding. No MAC before the first NEWKEYS.
std::size_t SshParser::packet(Context& c, Bytes b) {
  if (b.size() < 6) return 0;
  const std::size_t size = load_be32(b.data()), padding = b[4];
  if (size > packet_max || size < padding + 2) {
    malformed_ = true;
    return 0;
  }
  if (b.size() < 4 + size) return 0;
  contents(c, b.subspan(5, size - 1 - padding));
  return 4 + size;
}

void SshParser::contents(Context& c, Bytes payload) {
  ByteReader in{payload};
  const std::uint8_t type = in.u8();
  if (type == message::newkeys) {
    peer(c).stage = Stage::encrypted;
  } else if (type == message::kexinit) {
    in.skip(16);  // cookie
    Lists lists;
    for (auto& list : lists) list = in.text(in.u32());
    if (!in.ok()) return c.oddity("malformed_kexinit");
    peer(c).lists = std::move(lists);
    peer(c).has_lists = true;
  } else if (type == message::kex_reply || type == message::group_exchange_reply) {
    // With group exchange (RFC 4419) number 31 is the group, and 33 the reply with the host key.
    const bool is_group_exchange =
        agreed(client().lists[kex], server().lists[kex]).find("group-exchange") != std::string_view::npos;
    if (is_group_exchange != (type == message::group_exchange_reply)) return;
    const Bytes key = in.bytes(in.u32());
    if (!in.ok() || key.empty()) return;
    client_ = 1 - index(c.side);
    const DigestValue hash = digest(Digest::sha256, key);
    host_key_ = "SHA256:" + base64_unpadded({hash.bytes.data(), hash.size});
  }
}

void SshParser::ciphertext(Context& c, std::size_t size) {
  if (index(c.side) == client_)
    login_.client_spoke();
  else
    login_.answer(size);
}

// 1.99 is a server that speaks both (RFC 4253 §5.1). What follows the banners of version 1 is not read.
bool SshParser::speaks_version_1() const noexcept {
  return std::ranges::any_of(peers_,
                             [](const Peer& p) {
                               return p.banner.starts_with("SSH-1.") && !p.banner.starts_with("SSH-1.99");
                             }) &&
         !peers_[0].banner.empty() && !peers_[1].banner.empty();
}

std::string hassh(const Lists& lists, List cipher, List mac, List compression) {
  return hex_digest(Digest::md5,
                    lists[kex] + ';' + lists[cipher] + ';' + lists[mac] + ';' + lists[compression]);
}

void SshParser::emit(Context& c) {
  if (emitted_ || (client().banner.empty() && server().banner.empty())) return;
  emitted_ = true;
  const auto text = [&c](std::string_view s) { return s.empty() ? Text{} : c.text(s); };
  Ssh r{.time = time_, .ref = c.flow};
  if (!client().banner.empty() && !server().banner.empty()) r.version = speaks_version_1() ? 1 : 2;
  r.client = text(client().banner);
  r.server = text(server().banner);
  r.client_software = text(software_of(client().banner));
  r.server_software = text(software_of(server().banner));
  if (client().has_lists) r.hassh = text(hassh(client().lists, cipher_out, mac_out, compression_out));
  if (server().has_lists) r.hassh_server = text(hassh(server().lists, cipher_in, mac_in, compression_in));
  const auto choice = [&](List list) { return text(agreed(client().lists[list], server().lists[list])); };
  r.kex = choice(kex);
  r.host_key_algorithm = choice(host_key);
  r.cipher = choice(cipher_out);
  r.mac = choice(mac_out);
  r.compression = choice(compression_out);
  r.host_key_fingerprint = text(host_key_);
  r.authenticated = login_.succeeded();
  r.failed_attempts = login_.failures();
  const bool from_inside = c.flow.src_ip.is_private(), to_inside = c.flow.dst_ip.is_private();
  if (from_inside != to_inside) r.direction = to_inside ? "inbound" : "outbound";
  c.emit(r);
}

constexpr std::uint16_t ports[] = {22, 2222};
constexpr RecordTypeOf records[] = {record_type<Ssh>};
constexpr ParserSpec spec{.name = "ssh",
                          .doc = "SSH: banners, algorithms, HASSH, host key, and whether the user got in",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SshParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

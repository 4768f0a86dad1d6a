// SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): what the proxy is asked for. What it then carries is recognised
// anew.
#include <algorithm>
#include <array>
#include <string>

#include "plugin/parser.hpp"
#include "records/socks.hpp"

namespace weir {
namespace {

constexpr std::size_t text_max = 255;  // user and host of SOCKS 4; longer: malformed
constexpr std::uint8_t password_method = 2, refused = 0xff;

Match match_v5(Bytes b) noexcept {
  if (b.size() < 2) return Match::maybe;
  const std::size_t methods = b[1];
  if (methods == 0 || methods > 9 || b.size() > 2 + methods) return Match::no;
  // RFC 1928 §3: methods 0 to 9 are assigned. The client waits for the answer, so nothing follows them.
  const bool known = std::ranges::all_of(b.subspan(2), [](std::uint8_t m) { return m <= 9; });
  if (!known) return Match::no;
  return b.size() == 2 + methods ? Match::yes : Match::maybe;
}

Match match_v4(Bytes b) noexcept {
  if (b.size() > 1 && b[1] != 1 && b[1] != 2) return Match::no;
  if (b.size() < 9) return Match::maybe;
  const bool has_port = b[2] != 0 || b[3] != 0;
  const auto rest = as_text(b.subspan(8));
  const bool is_text =
      std::ranges::all_of(rest, [](char c) { return c == '\0' || (c >= ' ' && c != '\x7f'); });
  return has_port && is_text && rest.back() == '\0' && rest.size() <= 2 * text_max ? Match::yes : Match::no;
}

Match match(Bytes b, Side side) {
  if (side == Side::resp) return Match::no;
  if (b.empty()) return Match::maybe;
  if (b[0] == 5) return match_v5(b);
  return b[0] == 4 ? match_v4(b) : Match::no;
}

Text command_name(std::uint8_t command) noexcept {
  constexpr std::array<Text, 4> names = {"unknown", "connect", "bind", "udp"};
  return names[command < names.size() ? command : 0];
}

Text result_name(std::uint8_t version, std::uint8_t code) noexcept {
  constexpr std::array<Text, 9> v5 = {
      "succeeded",           "general_failure",       "not_allowed",
      "network_unreachable", "host_unreachable",      "connection_refused",
      "ttl_expired",         "command_not_supported", "address_not_supported"};
  constexpr std::array<Text, 4> v4 = {"succeeded", "rejected", "no_identd", "identd_mismatch"};
  if (version == 4) return code >= 90 && code < 90 + v4.size() ? v4[code - 90U] : Text{"unknown"};
  return code < v5.size() ? v5[code] : Text{"unknown"};
}

class SocksParser {
 public:
  Step data(Context& c, Bytes b);
  void end(Context& c) { emit(c); }

 private:
  enum class Stage : std::uint8_t { greeting, method, login, login_answer, request, answer };

  // One message of the side whose turn it is. False: more bytes are needed, or malformed_.
  bool message(ByteReader& in, Side side);
  void request4(ByteReader& in);
  void request5(ByteReader& in);
  void address(ByteReader& in, bool keep);
  std::string text_until_zero(ByteReader& in);
  void emit(Context& c);

  Time time_;
  Stage stage_ = Stage::greeting;
  std::string user_, host_;
  std::optional<Addr> ip_;
  std::optional<std::uint16_t> port_;
  std::optional<std::uint8_t> result_;
  std::uint8_t version_ = 0, command_ = 0;
  bool started_ = false, malformed_ = false, emitted_ = false, rejected_ = false;
};

Step SocksParser::data(Context& c, Bytes b) {
  if (!started_) time_ = c.time;
  started_ = true;
  std::size_t at = 0;
  while (at < b.size() && !result_ && !rejected_) {
    ByteReader in{b.subspan(at)};
    if (!message(in, c.side)) break;
    at += in.position();
  }
  if (!malformed_ && !result_ && !rejected_) return {at, Parse::more};
  emit(c);
  if (malformed_) return {at, Parse::malformed};
  const bool connected = result_ == (version_ == 4 ? 90 : 0) && command_ == 1;
  return {at, connected ? Parse::rematch : Parse::done};
}

bool SocksParser::message(ByteReader& in, Side side) {
  const bool clients_turn = stage_ == Stage::greeting || stage_ == Stage::login || stage_ == Stage::request;
  if (clients_turn != (side == Side::orig)) return false;
  Stage next = stage_;
  switch (stage_) {
    case Stage::greeting:
      version_ = in.u8();
      if (version_ == 4) {
        request4(in);
        next = Stage::answer;
      } else {
        in.skip(in.u8());
        next = Stage::method;
      }
      break;
    case Stage::method: {
      malformed_ = in.u8() != 5;
      const std::uint8_t method = in.u8();
      rejected_ = in.ok() && method == refused;
      next = method == password_method ? Stage::login : Stage::request;
      break;
    }
    case Stage::login:  // RFC 1929 §2
      in.skip(1);
      user_ = in.text(in.u8());
      in.skip(in.u8());
      next = Stage::login_answer;
      break;
    case Stage::login_answer:
      in.skip(1);
      rejected_ = in.u8() != 0 && in.ok();
      next = Stage::request;
      break;
    case Stage::request:
      request5(in);
      next = Stage::answer;
      break;
    case Stage::answer: {
      malformed_ = in.u8() != (version_ == 4 ? 0 : 5);
      const std::uint8_t code = in.u8();
      if (version_ == 4) {
        in.skip(6);
      } else {
        in.skip(1);
        address(in, false);
      }
      if (in.ok() && !malformed_) result_ = code;
      break;
    }
  }
  if (!in.ok() || malformed_) return false;
  stage_ = next;
  return true;
}

// SOCKS 4: command, port, address, user; with 4a an address of 0.0.0.x and then the name.
void SocksParser::request4(ByteReader& in) {
  command_ = in.u8();
  port_ = in.u16();
  const Bytes ip = in.bytes(4);
  user_ = text_until_zero(in);
  if (!in.ok()) return;
  if (ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0)
    host_ = text_until_zero(in);
  else
    ip_ = Addr::v4(ip.data());
}

void SocksParser::request5(ByteReader& in) {
  malformed_ = in.u8() != 5 && in.ok();
  command_ = in.u8();
  in.skip(1);
  address(in, true);
}

// RFC 1928 §5.
void SocksParser::address(ByteReader& in, bool keep) {
  std::optional<Addr> ip;
  std::string_view name;
  const std::uint8_t type = in.u8();
  if (type == 1) {
    if (const Bytes four = in.bytes(4); !four.empty()) ip = Addr::v4(four.data());
  } else if (type == 3) {
    name = in.text(in.u8());
  } else if (type == 4) {
    if (const Bytes sixteen = in.bytes(16); !sixteen.empty()) ip = Addr::v6(sixteen.data());
  } else if (in.ok()) {
    malformed_ = true;
  }
  const std::uint16_t port = in.u16();
  if (!keep || !in.ok()) return;
  ip_ = ip;
  host_ = name;
  port_ = port;
}

std::string SocksParser::text_until_zero(ByteReader& in) {
  std::string text;
  while (in.ok() && !in.empty() && text.size() <= text_max) {
    const std::uint8_t c = in.u8();
    if (c == 0) return text;
    text += static_cast<char>(c);
  }
  malformed_ = text.size() > text_max;
  in.fail();
  return {};
}

void SocksParser::emit(Context& c) {
  if (emitted_ || stage_ == Stage::greeting) return;
  emitted_ = true;
  const auto text = [&c](const std::string& s) { return s.empty() ? Text{} : c.text(s); };
  Socks r{.time = time_, .ref = c.flow, .version = version_};
  r.user = text(user_);
  if (command_ != 0) r.command = command_name(command_);
  r.host = text(host_);
  r.ip = ip_;
  r.port = port_;
  if (rejected_) r.result = "authentication_refused";
  if (result_) r.result = result_name(version_, *result_);
  c.emit(r);
}

constexpr std::uint16_t ports[] = {1080};
constexpr RecordTypeOf records[] = {record_type<Socks>};
constexpr ParserSpec spec{
    .name = "socks",
    .doc = "SOCKS proxies: what they are asked for; the connection inside is recognised anew",
    .transports = transport::tcp,
    .ports = ports,
    .match = match,
    .methods = parser_methods<SocksParser>,
    .records = records,
    .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

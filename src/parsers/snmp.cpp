// SNMP versions 1, 2c and 3 (RFC 1157, 3416, 3412, 3414): one record per message.
#include "records/snmp.hpp"

#include <algorithm>
#include <array>

#include "core/hex.hpp"
#include "parsers/recent.hpp"
#include "parsers/snmp_ber.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Variables kept per message; "snmp_long_list" when there are more.
constexpr std::size_t bindings_max = 64;
// Octets of a value that are kept.
constexpr std::size_t value_max = 512;

constexpr std::string_view pdus[] = {"get",      "get_next", "response", "set",   "trap_v1",
                                     "get_bulk", "inform",   "trap",     "report"};
constexpr std::uint8_t tag_pdu = 0xa0, tag_trap_v1 = 0xa4, tag_get_bulk = 0xa5;

std::string_view error_name(std::int64_t error) noexcept {
  constexpr std::string_view names[] = {"no_error",
                                        "too_big",
                                        "no_such_name",
                                        "bad_value",
                                        "read_only",
                                        "gen_err",
                                        "no_access",
                                        "wrong_type",
                                        "wrong_length",
                                        "wrong_encoding",
                                        "wrong_value",
                                        "no_creation",
                                        "inconsistent_value",
                                        "resource_unavailable",
                                        "commit_failed",
                                        "undo_failed",
                                        "authorization_error",
                                        "not_writable",
                                        "inconsistent_name"};
  return error >= 0 && error < std::ssize(names) ? names[error] : "unknown";
}

std::string_view trap_name(std::int64_t trap) noexcept {
  constexpr std::string_view names[] = {
      "cold_start",        "warm_start",         "link_down", "link_up", "authentication_failure",
      "egp_neighbor_loss", "enterprise_specific"};
  return trap >= 0 && trap < std::ssize(names) ? names[trap] : "unknown";
}

Text oid_text(Context& c, Bytes oid) {
  char text[oid_text_max];
  const char* end = write_oid(text, std::end(text), oid);
  return c.text({text, static_cast<std::size_t>(end - text)});
}

Text octets_text(Context& c, Bytes value) {
  value = value.first(std::min(value.size(), value_max));
  const auto printable = [](std::uint8_t b) {
    return (b >= 0x20 && b < 0x7f) || b == '\n' || b == '\r' || b == '\t';
  };
  if (std::all_of(value.begin(), value.end(), printable)) return c.text(as_text(value));
  char text[2 * value_max];
  const char* end = write_hex(text, value);
  return c.text({text, static_cast<std::size_t>(end - text)});
}

template <class T>
Text number_text(Context& c, std::optional<T> number) {
  if (!number) return {};
  char digits[24];
  const char* end = std::to_chars(digits, std::end(digits), *number).ptr;
  return c.text({digits, static_cast<std::size_t>(end - digits)});
}

Text value_text(Context& c, const BerValue& v) {
  switch (v.tag) {
    case ber::integer: return number_text(c, v.integer());
    case ber::oid: return oid_text(c, v.contents);
    case ber::null: return c.text({});
    case 0x40: {  // IpAddress (RFC 2578 §7.1.5)
      if (v.contents.size() != 4) break;
      char text[addr_text_max];
      const char* end = write_addr(text, Addr::v4(v.contents.data()));
      return c.text({text, static_cast<std::size_t>(end - text)});
    }
    case 0x41:
    case 0x42:
    case 0x43:
    case 0x46:
    case 0x47:  // counters, gauge, ticks
      return number_text(c, v.unsigned_integer());
    case 0x80: return "no_such_object";  // RFC 3416 §3
    case 0x81: return "no_such_instance";
    case 0x82: return "end_of_mib_view";
    default: break;
  }
  return octets_text(c, v.contents);
}

Duration ticks(std::uint64_t hundredths) noexcept {
  return milliseconds(static_cast<std::int64_t>(hundredths & 0xffffffff) * 10);
}

struct Bindings {
  std::array<Text, bindings_max> oids, values;
  std::size_t size = 0;
  bool overflow = false;
};

void read_bindings(Context& c, Snmp& s, Bindings& b, ByteReader& r) {
  constexpr std::uint8_t sys_uptime_0[] = {0x2b, 6, 1, 2, 1, 1, 3, 0};
  ByteReader list(read_ber(r, ber::sequence));
  while (r.ok() && !list.empty()) {
    ByteReader pair(read_ber(list, ber::sequence));
    const Bytes name = read_ber(pair, ber::oid);
    const BerValue value = read_ber(pair);
    if (!list.ok() || !pair.ok()) return r.fail();
    if (b.size == bindings_max) {
      b.overflow = true;
      return;
    }
    b.oids[b.size] = oid_text(c, name);
    b.values[b.size] = value_text(c, value);
    ++b.size;
    if (!s.uptime && value.tag == 0x43 && std::ranges::equal(name, sys_uptime_0))
      if (const auto t = value.unsigned_integer()) s.uptime = ticks(*t);
  }
}

void read_trap_v1(Context& c, Snmp& s, ByteReader& r) {  // RFC 1157 §4.1.6
  s.enterprise = oid_text(c, read_ber(r, ber::oid));
  const BerValue agent = read_ber(r);
  if (agent.contents.size() == 4) s.agent_ip = Addr::v4(agent.contents.data());
  s.trap = trap_name(read_ber_integer(r));
  s.specific_trap = read_ber_integer(r);
  if (const auto t = read_ber(r).unsigned_integer()) s.uptime = ticks(*t);
}

void read_pdu(Context& c, Snmp& s, Bindings& b, const BerValue& pdu, ByteReader& outer) {
  if (pdu.tag < tag_pdu || pdu.tag >= tag_pdu + std::size(pdus)) return outer.fail();
  s.pdu = pdus[pdu.tag - tag_pdu];
  ByteReader r(pdu.contents);
  if (pdu.tag == tag_trap_v1) {
    read_trap_v1(c, s, r);
  } else {
    s.request_id = read_ber_integer(r);
    const std::int64_t first = read_ber_integer(r), second = read_ber_integer(r);
    if (pdu.tag == tag_get_bulk) {
      s.non_repeaters = static_cast<std::uint32_t>(first);
      s.max_repetitions = static_cast<std::uint32_t>(second);
    } else if (first != 0) {
      s.error = error_name(first);
      s.error_index = static_cast<std::uint32_t>(second);
    }
  }
  read_bindings(c, s, b, r);
  if (!r.ok()) outer.fail();
}

void read_v3(Context& c, Snmp& s, Bindings& b, ByteReader& r) {
  ByteReader header(read_ber(r, ber::sequence));
  read_ber_integer(header);  // message identifier
  read_ber_integer(header);  // largest message
  const Bytes flags = read_ber(header, ber::octets);
  const std::int64_t model = read_ber_integer(header);
  if (!header.ok() || flags.empty()) return r.fail();
  s.security = (flags[0] & 2) != 0 ? "auth_priv" : (flags[0] & 1) != 0 ? "auth" : "none";
  s.is_encrypted = (flags[0] & 2) != 0;
  const Bytes parameters = read_ber(r, ber::octets);
  if (model == 3) {  // user-based security, RFC 3414 §2.4
    ByteReader outer(parameters);
    ByteReader usm(read_ber(outer, ber::sequence));
    const Bytes engine = read_ber(usm, ber::octets);
    read_ber_integer(usm);  // boots
    read_ber_integer(usm);  // time
    const Bytes user = read_ber(usm, ber::octets);
    if (!usm.ok()) return r.fail();
    char hex[2 * 32];  // RFC 3411 §5: an engine identifier has at most 32 octets
    const char* end = write_hex(hex, engine.first(std::min<std::size_t>(engine.size(), 32)));
    if (!engine.empty()) s.engine_id = c.text({hex, static_cast<std::size_t>(end - hex)});
    s.user = octets_text(c, user);
  }
  if (s.is_encrypted) {
    read_ber(r, ber::octets);
    return;
  }
  ByteReader scoped(read_ber(r, ber::sequence));
  read_ber(scoped, ber::octets);  // context engine
  s.context = octets_text(c, read_ber(scoped, ber::octets));
  const BerValue pdu = read_ber(scoped);
  if (!scoped.ok()) return r.fail();
  read_pdu(c, s, b, pdu, r);
}

Match match(Bytes data, Side) {
  ByteReader outer(data);
  ByteReader r(read_ber(outer, ber::sequence));
  const std::int64_t version = read_ber_integer(r);
  if (!outer.ok() || !r.ok()) return Match::no;
  if (version == 3) {
    read_ber(r, ber::sequence);
    read_ber(r, ber::octets);
    return r.ok() ? Match::yes : Match::no;
  }
  if (version != 0 && version != 1) return Match::no;
  read_ber(r, ber::octets);
  const BerValue pdu = read_ber(r);
  return r.ok() && pdu.tag >= tag_pdu && pdu.tag < tag_pdu + std::size(pdus) ? Match::yes : Match::no;
}

class SnmpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    Snmp s{.time = c.time, .flow = c.flow};
    s.sender_ip = c.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    Bindings b;
    ByteReader outer(bytes);
    ByteReader r(read_ber(outer, ber::sequence));
    const std::int64_t version = read_ber_integer(r);
    if (version == 3) {
      s.version = "3";
      read_v3(c, s, b, r);
    } else {
      s.version = version == 0 ? "1" : "2c";
      s.community = octets_text(c, read_ber(r, ber::octets));
      const BerValue pdu = read_ber(r);
      if (r.ok()) read_pdu(c, s, b, pdu, r);
    }
    if (!outer.ok() || !r.ok() || version < 0 || version > 3 || version == 2)
      return {bytes.size(), Parse::malformed};
    if (b.size > 0) {
      s.oids = c.out.list(std::span<const Text>(b.oids).first(b.size));
      s.values = c.out.list(std::span<const Text>(b.values).first(b.size));
    }
    match_response(s);
    c.emit(s);
    if (b.overflow) c.oddity("snmp_long_list");
    return next;
  }

 private:
  // Requests on their way whose responses are looked for; of more, the oldest get no rtt.
  static constexpr std::size_t asked_max = 16;
  struct Asked {
    std::int64_t id = 0;
    Time time;
  };

  void match_response(Snmp& s) {
    if (!s.request_id) return;
    if (s.pdu != "response" && s.pdu != "report") {
      asked_.add({*s.request_id, s.time});
      return;
    }
    if (Asked* a = asked_.find([&](const Asked& one) { return one.id == *s.request_id; }))
      s.rtt = s.time - asked_.take(*a).time;
  }

  Recent<Asked, asked_max> asked_;
};

constexpr std::uint16_t ports[] = {161, 162};
constexpr RecordTypeOf records[] = {record_type<Snmp>};
constexpr ParserSpec spec{.name = "snmp",
                          .doc = "SNMP versions 1, 2c and 3",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SnmpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

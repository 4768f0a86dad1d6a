// DNS over UDP and TCP (RFC 1035), multicast DNS (RFC 6762), LLMNR (RFC 4795) and the NetBIOS name service
// (RFC 1002). One record per question; an answer joins its question by transaction identifier and name.
#include <string>
#include <vector>

#include "parsers/dns_message.hpp"
#include "parsers/dns_netbios.hpp"
#include "parsers/dns_rdata.hpp"
#include "parsers/recent.hpp"
#include "plugin/parser.hpp"
#include "records/dns.hpp"

namespace weir {
namespace {

// Questions waiting for an answer, per flow. The oldest is recorded as unanswered when there are more.
constexpr std::size_t pending_max = 64;
// Questions recorded of one message; more is the oddity dns_many_questions.
constexpr std::size_t questions_max = 32;
// Answers listed of one message; answer_count tells how many there were.
constexpr std::size_t answers_max = 512;
// Datagrams that are not DNS, after which the flow is left alone.
constexpr unsigned bad_max = 4;
// With its length prefix a TCP message must fit what the engine buffers; a longer one is skipped, as the
// oddity dns_long_message.
constexpr std::size_t tcp_message_max = 64 * 1024 - 2;

constexpr std::uint16_t mdns_port = 5353, llmnr_port = 5355, netbios_port = 137;

enum class Variant : std::uint8_t { dns, mdns, llmnr, netbios };

std::string_view name_of(Variant v) {
  static constexpr std::array<std::string_view, 4> names = {"dns", "mdns", "llmnr", "netbios"};
  return names[static_cast<std::size_t>(v)];
}

Variant variant_of(const FlowRef& flow) {
  const auto uses = [&](std::uint16_t port) { return flow.src_port == port || flow.dst_port == port; };
  if (uses(mdns_port)) return Variant::mdns;
  if (uses(llmnr_port)) return Variant::llmnr;
  return uses(netbios_port) && flow.proto == IpProto::udp ? Variant::netbios : Variant::dns;
}

struct Question {
  std::uint16_t type = 0, klass = 0;
};

// A resource record's places in its message.
struct Resource {
  std::size_t start, data;  // of its name, of its data
  std::uint16_t type, klass, length;
  std::uint32_t ttl;
};

// The sections behind the questions.
struct Sections {
  std::vector<Text> names, types, data;
  std::vector<Duration> ttls;
  bool other_names = false;
  std::optional<std::uint16_t> edns_udp_size, extended_rcode;
  bool dnssec_ok = false;
  dns::Line<addr_text_max + 4> client_subnet;
  Bytes node_status;  // data of a NetBIOS one
  std::string_view oddity;
};

// RFC 7871 §6: family, source prefix, scope prefix, the address's bytes that matter.
void read_client_subnet(ByteReader option, Sections& s) {
  const std::uint16_t family = option.u16();
  const unsigned prefix = option.u8();
  option.skip(1);
  std::array<std::uint8_t, 16> address{};
  const std::size_t size = family == 1 ? 4 : 16;
  if (!option.ok() || (family != 1 && family != 2) || option.remaining() > size || prefix > size * 8) return;
  const Bytes given = option.rest();
  std::copy(given.begin(), given.end(), address.begin());
  s.client_subnet << (family == 1 ? Addr::v4(address.data()) : Addr::v6(address.data())) << '/'
                  << std::uint64_t{prefix};
}

// RFC 6891 §6.1: the class is the UDP size, the TTL holds the upper rcode bits and DO.
void read_opt(const Resource& record, Bytes data, Sections& s) {
  constexpr std::uint16_t client_subnet = 8;
  s.edns_udp_size = record.klass;
  s.extended_rcode = static_cast<std::uint16_t>(record.ttl >> 24);
  s.dnssec_ok = (record.ttl & 0x8000) != 0;
  ByteReader r{data};
  while (r.remaining() >= 4) {
    const std::uint16_t code = r.u16();
    const Bytes option = r.bytes(r.u16());
    if (r.ok() && code == client_subnet) read_client_subnet(ByteReader{option}, s);
  }
}

std::uint16_t plain_class(std::uint16_t klass, Variant variant) {
  // mDNS uses the top bit for "unicast answer wanted" and "cache flush" (RFC 6762 §18.12 and §18.13).
  return variant == Variant::mdns ? klass & 0x7fff : klass;
}

class DnsParser {
 public:
  Step data(Context& c, Bytes bytes) {
    if (c.flow.proto != IpProto::tcp) {
      message(c, bytes);
      return {bytes.size(), bad_ < bad_max ? Parse::more : Parse::done};
    }
    // After a gap nothing tells where a message starts.
    if (lost_[index(c)]) return {bytes.size()};
    std::size_t at = 0;
    while (bad_ < bad_max && bytes.size() - at >= 2) {
      const std::size_t length = load_be16(&bytes[at]);
      if (length > tcp_message_max) {
        c.oddity("dns_long_message");
        return {at + 2 + length};
      }
      if (bytes.size() - at < 2 + length) break;
      message(c, bytes.subspan(at + 2, length));
      at += 2 + length;
    }
    return {at, bad_ < bad_max ? Parse::more : Parse::done};
  }

  void gap(Context& c, std::size_t) { lost_[index(c)] = true; }

  void end(Context& c) {
    pending_.take_all([&](const Pending& p) { emit_pending(c, p); });
  }

 private:
  struct Pending {
    Time time;
    dns::Header header;
    bool has_question = false;
    Question question{};
    std::string name{};
    std::uint32_t bytes = 0;
    std::optional<std::uint16_t> edns_udp_size{};
    bool dnssec_ok = false;
    std::string client_subnet{};
  };

  static std::size_t index(const Context& c) { return static_cast<std::size_t>(c.side); }

  void bad(Context& c, std::string_view oddity) {
    ++bad_;
    c.oddity(oddity);
  }

  void message(Context& c, Bytes bytes) {
    ByteReader r{bytes};
    const dns::Header header = dns::read_header(r);
    if (!r.ok()) {
      if (c.cut == 0) bad(c, "dns_short_message");
      return;
    }
    if (header.is_response())
      response(c, header, bytes, r);
    else
      request(c, header, bytes, r);
  }

  // False, with an oddity unless the capture cut the datagram, when there is no whole question.
  bool read_question(Context& c, ByteReader& r, Bytes bytes, dns::Name& name, Question& q) {
    dns::read_name(r, bytes, name);
    q.type = r.u16();
    q.klass = plain_class(r.u16(), variant_of(c.flow));
    if (!r.ok() && c.cut == 0) bad(c, "dns_bad_question");
    return r.ok();
  }

  // Nobody answers a multicast question in its own flow, and mDNS answers carry no identifier (RFC 6762
  // §18.1).
  static bool is_answerable(const FlowRef& f) {
    return !f.dst_ip.is_multicast() && !(f.src_port == mdns_port && f.dst_port == mdns_port);
  }

  void request(Context& c, const dns::Header& header, Bytes bytes, ByteReader& r) {
    if (header.questions > questions_max) c.oddity("dns_many_questions");
    const Pending common{
        .time = c.time, .header = header, .bytes = static_cast<std::uint32_t>(bytes.size() + c.cut)};
    std::vector<Pending> asked;
    dns::Name name;
    for (std::size_t i = 0; i < std::min<std::size_t>(header.questions, questions_max); ++i) {
      Question q;
      if (!read_question(c, r, bytes, name, q)) break;
      asked.push_back(common);
      asked.back().has_question = true;
      asked.back().question = q;
      asked.back().name = name.view();
    }
    if (header.questions == 0) asked.push_back(common);
    if (r.ok() && header.questions <= questions_max) {
      Sections s;
      read_sections(c, header, bytes, r, {}, s);
      if (!s.oddity.empty() && c.cut == 0) bad(c, s.oddity);
      for (Pending& p : asked) {
        p.edns_udp_size = s.edns_udp_size;
        p.dnssec_ok = s.dnssec_ok;
        p.client_subnet = s.client_subnet.view();
      }
    }
    for (Pending& p : asked) remember(c, std::move(p));
  }

  void remember(Context& c, Pending&& p) {
    if (!is_answerable(c.flow)) return emit_pending(c, p);
    pending_.add(std::move(p), [&](const Pending& oldest) { emit_pending(c, oldest); });
  }

  void response(Context& c, const dns::Header& header, Bytes bytes, ByteReader& r) {
    if (header.questions > questions_max) return bad(c, "dns_many_questions");
    dns::Name name;
    Pending first = answered(c, header, bytes, r, name);
    if (header.questions != 0 && !first.has_question) return;
    // The answers belong to the first question; more than one is an mDNS habit.
    for (std::size_t i = 1; i < header.questions && r.ok(); ++i) {
      const Pending p = answered(c, header, bytes, r, name);
      if (p.has_question) emit_answer(c, p, header, bytes.size(), Sections{});
    }
    Sections s;
    if (r.ok()) read_sections(c, header, bytes, r, first.name, s);
    emit_answer(c, first, header, bytes.size(), s);
    if (!s.node_status.empty()) dns::emit_node_status(c, s.node_status);
    // After the record: an oddity gives up the texts of a record in the making.
    if (!s.oddity.empty() && c.cut == 0) bad(c, s.oddity);
  }

  // The next question of an answer: as it was asked, if that was seen (then `bytes` is not zero).
  Pending answered(Context& c, const dns::Header& header, Bytes bytes, ByteReader& r, dns::Name& name) {
    Pending p{.time = c.time, .header = header};
    if (header.questions != 0) {
      p.has_question = read_question(c, r, bytes, name, p.question);
      if (!p.has_question) return p;
      p.name = name.view();
    }
    Pending* found = pending_.find([&](const Pending& q) {
      if (q.header.id != header.id) return false;
      return !p.has_question || !q.has_question || (q.question.type == p.question.type && q.name == p.name);
    });
    if (found != nullptr) p = pending_.take(*found);
    return p;
  }

  // Lists the answers, whose texts go into the batch, and finds OPT. Sets `oddity` where the message breaks
  // off.
  void read_sections(Context& c, const dns::Header& h, Bytes bytes, ByteReader& r, std::string_view query,
                     Sections& s) {
    const Variant variant = variant_of(c.flow);
    constexpr std::uint16_t opt = 41, node_status = 33;
    // A multicast answer tells unasked whose address the name that was found has (RFC 6763 §12).
    const auto is_listed = [&](std::size_t i, std::uint16_t type) {
      if (!h.is_response() || s.data.size() == answers_max) return false;
      return i < h.answers ||
             (variant == Variant::mdns && i >= std::size_t{h.answers} + h.authorities && type != opt);
    };
    const std::size_t all = std::size_t{h.answers} + h.authorities + h.additionals;
    for (std::size_t i = 0; i < all; ++i) {
      Resource record{.start = r.position()};
      dns::skip_name(r);
      record.type = r.u16();
      record.klass = r.u16();
      record.ttl = r.u32();
      record.length = r.u16();
      record.data = r.position();
      const Bytes data = r.bytes(record.length);
      if (!r.ok()) {
        s.oddity = "dns_bad_record";
        return;
      }
      if (is_listed(i, record.type)) {
        add_answer(c, bytes, record, query, s);
        if (variant == Variant::netbios && record.type == node_status) s.node_status = data;
      }
      if (record.type == opt && i >= h.answers) read_opt(record, data, s);
    }
    if (!r.empty() && variant != Variant::netbios) s.oddity = "dns_trailing_bytes";
  }

  void add_answer(Context& c, Bytes bytes, const Resource& record, std::string_view query, Sections& s) {
    const Variant variant = variant_of(c.flow);
    ByteReader r{bytes};
    r.seek(record.start);
    dns::Name owner;
    dns::read_name(r, bytes, owner);
    dns::RdataText text;
    const bool good =
        dns::write_rdata(bytes, record.data, record.length, record.type, variant == Variant::netbios, text);
    if (!good || !r.ok()) s.oddity = "dns_bad_record";
    if (text.full()) s.oddity = "dns_long_answer";
    if (owner.view() != query) s.other_names = true;
    s.names.push_back(name_text(c, owner.view(), variant));
    s.types.push_back(type_text(c, record.type, variant));
    s.data.push_back(c.text(text.view()));
    s.ttls.push_back(seconds(record.ttl));
  }

  static Text name_text(Context& c, std::string_view name, Variant variant) {
    std::array<char, 64> buffer;
    if (variant == Variant::netbios)
      if (const auto decoded = dns::netbios_name(name, buffer); !decoded.empty()) return c.text(decoded);
    return c.text(name);
  }
  static Text numbered(Context& c, std::string_view word, std::uint16_t number) {
    dns::Line<16> text;
    text << word << std::uint64_t{number};
    return c.text(text.view());
  }
  static Text type_text(Context& c, std::uint16_t type, Variant variant) {
    if (variant == Variant::netbios && (type == 32 || type == 33)) return type == 32 ? "NB" : "NBSTAT";
    const auto known = dns::type_name(type);
    return known.empty() ? numbered(c, "TYPE", type) : known;
  }

  Dns start(Context& c, const Pending& p) {
    const Variant variant = variant_of(c.flow);
    Dns d{.time = p.time, .flow = c.flow, .variant = name_of(variant), .id = p.header.id};
    if (p.has_question) {
      d.query = name_text(c, p.name, variant);
      d.qtype = p.question.type;
      d.qtype_name = type_text(c, p.question.type, variant);
      d.qclass = p.question.klass;
      const auto known = dns::class_name(p.question.klass);
      d.qclass_name = known.empty() ? numbered(c, "CLASS", p.question.klass) : known;
    }
    d.opcode = p.header.opcode();
    const auto known =
        variant == Variant::netbios ? dns::netbios_opcode_name(d.opcode) : dns::opcode_name(d.opcode);
    if (!known.empty()) d.opcode_name = known;
    set_flags(d, p.header);
    d.recursion_desired = p.header.recursion_desired();
    if (variant != Variant::netbios) d.z = p.header.z();
    if (p.edns_udp_size) {
      d.edns_udp_size = p.edns_udp_size;
      d.dnssec_ok = p.dnssec_ok;
    }
    if (!p.client_subnet.empty()) d.client_subnet = c.text(p.client_subnet);
    return d;
  }
  static void set_flags(Dns& d, const dns::Header& h) {
    d.authoritative = h.authoritative();
    d.truncated = h.truncated();
    d.recursion_available = h.recursion_available();
    if (d.variant == name_of(Variant::netbios))
      return;  // the other bits have other meanings (RFC 1002 §4.2.1.1)
    d.checking_disabled = (h.flags & 0x10) != 0;
    d.authentic_data = (h.flags & 0x20) != 0;
  }

  void emit_pending(Context& c, const Pending& p) {
    Dns d = start(c, p);
    d.request_bytes = p.bytes;
    c.emit(d);
  }

  void emit_answer(Context& c, const Pending& p, const dns::Header& h, std::size_t size, const Sections& s) {
    Dns d = start(c, p);
    set_flags(d, h);
    if (p.bytes != 0) {
      d.rtt = c.time - p.time;
      d.request_bytes = p.bytes;
    }
    d.response_bytes = static_cast<std::uint32_t>(size + c.cut);
    d.rcode = h.rcode();
    if (s.extended_rcode) d.rcode = static_cast<std::uint16_t>(*s.extended_rcode << 4 | h.rcode());
    const auto known = dns::rcode_name(*d.rcode);
    d.rcode_name = known.empty() ? numbered(c, "RCODE", *d.rcode) : known;
    d.answer_count = h.answers;
    d.authority_count = h.authorities;
    d.additional_count = h.additionals;
    d.rejected = h.answers == 0 && h.authorities == 0 && h.additionals == 0;
    if (!s.data.empty()) {
      d.answers = c.out.list<Text>(s.data);
      d.answer_types = c.out.list<Text>(s.types);
      d.ttls = c.out.list<Duration>(s.ttls);
      if (s.other_names) d.answer_names = c.out.list<Text>(s.names);
    }
    c.emit(d);
  }

  Recent<Pending, pending_max> pending_;
  std::array<bool, 2> lost_{};
  unsigned bad_ = 0;
};

// How far content speaks for DNS. A message that is well-formed to its last byte, with one question of a
// known type in class IN, is certain: more than 50 bits had to be right for that.
Match match_message(Bytes bytes) {
  ByteReader r{bytes};
  const dns::Header h = dns::read_header(r);
  if (!r.ok()) return Match::no;
  const bool netbios_opcode = !dns::netbios_opcode_name(h.opcode()).empty();
  if (dns::opcode_name(h.opcode()).empty() && !netbios_opcode) return Match::no;
  // Each question takes 5 bytes at least. More cannot be said of the other counts: the datagram may be cut.
  if (std::size_t{h.questions} * 5 > bytes.size() || h.questions > questions_max) return Match::no;
  dns::Name name;
  Question q;
  for (unsigned i = 0; i < h.questions; ++i) {
    dns::read_name(r, bytes, name);
    q.type = r.u16();
    q.klass = r.u16() & 0x7fff;
    if (!r.ok()) return Match::no;
  }
  const std::size_t all = std::size_t{h.answers} + h.authorities + h.additionals;
  for (std::size_t i = 0; i < all && r.ok(); ++i) {
    dns::skip_name(r);
    r.skip(8);
    r.skip(r.u16());
  }
  const bool is_known =
      h.questions == 1 && q.klass == 1 && !dns::type_name(q.type).empty() && (h.flags & 0x40) == 0;
  return is_known && r.ok() && r.empty() && !dns::opcode_name(h.opcode()).empty() ? Match::yes : Match::maybe;
}

Match match(Bytes bytes, Side) {
  if (bytes.size() < dns::header_size) return Match::maybe;
  const Match datagram = match_message(bytes);
  if (datagram == Match::yes) return datagram;
  // As a TCP stream: the length, then the message, of which the header must make sense as soon as it is
  // there.
  const std::size_t length = load_be16(bytes.data());
  if (length < dns::header_size) return datagram;
  const Bytes rest = bytes.subspan(2);
  if (rest.size() >= length) {
    const Match stream = match_message(rest.first(length));
    return stream == Match::no ? datagram : stream;
  }
  if (rest.size() < dns::header_size) return Match::maybe;
  ByteReader r{rest};
  const dns::Header h = dns::read_header(r);
  return h.questions <= questions_max && !dns::opcode_name(h.opcode()).empty() ? Match::maybe : datagram;
}

constexpr std::array<std::uint16_t, 4> ports = {53, mdns_port, llmnr_port, netbios_port};
constexpr std::array<RecordTypeOf, 2> records = {record_type<Dns>, record_type<Netbios>};
constexpr ParserSpec spec{.name = "dns",
                          .doc = "DNS, mDNS, LLMNR and NetBIOS names: questions and their answers",
                          .transports = transport::tcp | transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<DnsParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

// The socket for application protocols: one .cpp in src/parsers/ whose last line is WEIR_REGISTER(ParserSpec,
// spec).
#pragma once

#include <new>

#include "core/bytes.hpp"
#include "core/registry.hpp"
#include "plugin/emitter.hpp"
#include "records/flow_ref.hpp"

namespace weir {

// Who sent the bytes: the originator of the flow or the responder.
enum class Side : std::uint8_t { orig, resp };

// no: not this protocol. maybe: cannot tell yet (too few bytes), or only plausible: taken on one of the
// parser's ports, or when more bytes say yes. yes: certain from content on any port.
enum class Match : std::uint8_t { no, maybe, yes };

// more: go on. done: no further bytes wanted. malformed: recorded as an oddity, and done.
// rematch: the rest is another protocol (STARTTLS, CONNECT): recognition starts again after `consumed`.
enum class Parse : std::uint8_t { more, done, malformed, rematch };

struct Step {
  // Bytes used up. Less than given: the rest comes again, with more behind it. More than given: that many are
  // skipped unseen (bodies). For datagrams only this counts: rematch with 0 offers the same one again.
  std::size_t consumed = 0;
  Parse parse = Parse::more;
};

namespace transport {
inline constexpr unsigned tcp = 1, udp = 2, icmp = 4, icmpv6 = 8, arp = 16, sctp = 32;
// Straight on the link, without IP: ParserSpec::link_protocol says which. The bytes are one frame's, without
// its headers; short Ethernet frames have padding behind them.
inline constexpr unsigned link = 64;
}  // namespace transport

// What a frame carries, by SNAP's organisation code and type (RFC 1042). Types of organisation 0 are those of
// Ethernet.
constexpr std::uint64_t link_protocol(std::uint32_t organization, std::uint16_t type) noexcept {
  return std::uint64_t{organization} << 16 | type;
}

// What surrounds the bytes of one call. Borrowed for the call.
struct Context {
  Emitter& out;
  const FlowRef& flow;  // src is the originator. For arp: addresses are the ARP body's own
  Time time;            // of the packet that completed the bytes
  Side side = Side::orig;
  const LinkRef& link;        // of that packet: MAC addresses, VLAN, TTL
  Bytes network{};            // the packet's IP header onward, for icmp, icmpv6 and arp parsers; else empty
  std::string_view source{};  // the parser's name, for oddities
  // Bytes missing from the datagram because the capture was cut short (snap length).
  std::size_t cut = 0;
  std::uint16_t interface = 0;  // of the capture, that the packet came by

  template <Record R>
  void emit(const R& record) {
    out.emit(record);
  }
  Text text(std::string_view s) const { return out.text(s); }
  // Something malformed or surprising, as data. `name` is lower_snake_case and a literal.
  void oddity(std::string_view name, std::string_view detail = {}) const;
};

// The functions of a parser type P. P needs `Step data(Context&, Bytes)`: TCP bytes in order per side, or one
// datagram. It may have `void gap(Context&, std::size_t missing)`; without it a gap ends the parser. It may
// have `void end(Context&)`, called once when the flow ends, to emit what is pending.
struct ParserMethods {
  std::size_t size, align;
  void (*make)(void*);
  void (*drop)(void*) noexcept;
  Step (*data)(void*, Context&, Bytes);
  void (*gap)(void*, Context&, std::size_t);
  void (*end)(void*, Context&);
};
template <class P>
inline constexpr ParserMethods parser_methods = {
    sizeof(P),
    alignof(P),
    [](void* p) { new (p) P(); },
    [](void* p) noexcept { static_cast<P*>(p)->~P(); },
    [](void* p, Context& c, Bytes b) { return static_cast<P*>(p)->data(c, b); },
    [] {
      if constexpr (requires(P& p, Context& c) { p.gap(c, std::size_t{}); })
        return +[](void* p, Context& c, std::size_t n) { static_cast<P*>(p)->gap(c, n); };
      else
        return static_cast<void (*)(void*, Context&, std::size_t)>(nullptr);
    }(),
    [] {
      if constexpr (requires(P& p, Context& c) { p.end(c); })
        return +[](void* p, Context& c) { static_cast<P*>(p)->end(c); };
      else
        return static_cast<void (*)(void*, Context&)>(nullptr);
    }()};

struct ParserSpec {
  std::string_view name, doc;
  unsigned transports;                   // transport:: bits
  std::span<const std::uint16_t> ports;  // of the responder; content is asked first
  Match (*match)(Bytes data, Side side);
  const ParserMethods& methods;
  std::span<const RecordTypeOf> records;  // all that it may emit, oddity aside
  // The parser that Parse::rematch mostly leads to: this one runs, too, when only that one's records are
  // wanted.
  std::string_view leads_to{};
  // It also begins behind bytes of a protocol that nobody reads (TLS after IMAP's or PostgreSQL's wish for
  // it): while a stream is not recognised each segment alone is offered, too, and match() must say yes.
  bool starts_late = false;
  std::uint64_t link_protocol = 0;  // of transport::link
};

}  // namespace weir

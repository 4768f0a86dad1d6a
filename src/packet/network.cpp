// IPv6 extension headers and the ports of ICMP.
#include "packet/decoding.hpp"

namespace weir {
namespace {

// Extension headers in one packet; beyond, it is left as it is: oddity "too_many_extension_headers".
constexpr unsigned max_extensions = 16;

enum : std::uint8_t {
  hop_by_hop = 0,
  routing = 43,
  fragment_header = 44,
  authentication = 51,
  no_next_header = 59,
  destination_options = 60,
  mobility = 135,
  hip = 139,
  shim6 = 140
};

}  // namespace

bool is_extension(std::uint8_t proto) noexcept {
  switch (proto) {
    case hop_by_hop:
    case routing:
    case fragment_header:
    case authentication:
    case destination_options:
    case mobility:
    case hip:
    case shim6: return true;
    default: return false;
  }
}

Upper skip_extensions(std::uint8_t proto, Piece rest, bool v4) noexcept {
  for (unsigned i = 0; v4 ? proto == authentication : is_extension(proto); ++i) {
    if (i == max_extensions) return {.rest = rest, .proto = proto, .oddity = "too_many_extension_headers"};
    if (!rest.has(8))
      return {.rest = rest, .proto = proto, .oddity = missing(rest, 8, "truncated_extension_header")};
    const std::uint8_t next = rest.data[0];
    // These three may be all there is (RFC 6275 §6.1.1, RFC 7401 §5.1, RFC 5533 §5.1): then they are the
    // protocol.
    if (next == no_next_header && (proto == mobility || proto == hip || proto == shim6)) break;
    std::uint32_t length = (rest.data[1] + 1U) * 8;
    if (proto == authentication) length = (rest.data[1] + 2U) * 4;  // RFC 4302 §2.2
    if (proto == fragment_header) {
      length = 8;
      // RFC 6946: a fragment that is the whole packet is not held back for others.
      if ((rest.be16(2) & 0xfff9U) != 0) return {.rest = rest.from(8), .proto = next, .fragment = true};
    }
    if (length > rest.wire) return {.rest = rest, .proto = proto, .oddity = "truncated_extension_header"};
    proto = next;
    rest = rest.from(length);
  }
  return {.rest = rest, .proto = proto};
}

// community-id-spec, "Community ID v1": a request and its reply count as ports of one flow; others are
// one-way.
IcmpPorts icmp_ports(bool v6, std::uint8_t type, std::uint8_t code) noexcept {
  struct Pair {
    std::uint8_t request, reply;
  };
  static constexpr Pair v4_pairs[] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
  static constexpr Pair v6_pairs[] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};
  const Pair* pairs = v6 ? v6_pairs : v4_pairs;
  const std::size_t count = v6 ? std::size(v6_pairs) : std::size(v4_pairs);
  for (const Pair* p = pairs; p != pairs + count; ++p) {
    if (type == p->request) return {type, p->reply, false};
    if (type == p->reply) return {type, p->request, false};
  }
  return {type, code, true};
}

}  // namespace weir

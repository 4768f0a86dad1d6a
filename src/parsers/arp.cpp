// ARP (RFC 826), RARP (RFC 903) and inverse ARP (RFC 2390) for IPv4 over six-byte hardware addresses.
#include "records/arp.hpp"

#include <charconv>

#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ptype_ipv4 = 0x0800;
constexpr Mac broadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

std::string_view operation_name(std::uint16_t operation) noexcept {
  switch (operation) {  // IANA "ARP Operation Codes"
    case 1: return "request";
    case 2: return "reply";
    case 3: return "rarp_request";
    case 4: return "rarp_reply";
    case 8: return "inarp_request";
    case 9: return "inarp_reply";
    default: return {};
  }
}

// RFC 5227 §1.1 names probe and announcement.
std::string_view kind_of(std::uint16_t operation, const Arp& a) noexcept {
  if (operation == 1) {
    if (a.src_ip.is_unspecified()) return "probe";
    return a.src_ip == a.dst_ip ? "announcement" : "request";
  }
  if (operation == 2) return a.src_ip == a.dst_ip || a.dst_mac == broadcast ? "gratuitous" : "reply";
  return operation % 2 == 1 ? "request" : "reply";
}

class ArpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    ByteReader r(c.network.empty() ? bytes : c.network);
    r.skip(2);  // hardware type: Ethernet and all that share its addresses (802, 802.11, HIPERLAN)
    const std::uint16_t protocol = r.u16();
    const std::uint8_t hardware_size = r.u8(), protocol_size = r.u8();
    const std::uint16_t operation = r.u16();
    if (!r.ok()) return malformed(c, bytes, "arp_truncated");
    if (protocol != ptype_ipv4 || hardware_size != 6 || protocol_size != 4)
      return malformed(c, bytes, "arp_unknown_addresses");
    const Bytes sender = r.bytes(10), target = r.bytes(10);
    if (!r.ok()) return malformed(c, bytes, "arp_truncated");

    Arp a{.time = c.time};
    a.sender_mac = Mac::from(sender.data());
    a.src_ip = Addr::v4(&sender[6]);
    const Mac target_mac = Mac::from(target.data());
    if (target_mac != Mac{}) a.target_mac = target_mac;
    a.dst_ip = Addr::v4(&target[6]);
    a.src_mac = c.link.src_mac;
    a.dst_mac = c.link.dst_mac;
    a.vlan = c.link.vlan;
    a.operation = operation_name(operation);
    if (a.operation.empty()) {
      char digits[8];
      const auto end = std::to_chars(digits, digits + sizeof digits, operation).ptr;
      a.operation = c.text({digits, static_cast<std::size_t>(end - digits)});
    }
    a.kind = kind_of(operation, a);
    c.emit(a);
    return {bytes.size(), Parse::more};
  }

 private:
  // Every message stands alone, so one bad one does not end the parser.
  static Step malformed(Context& c, Bytes bytes, std::string_view name) {
    c.oddity(name);
    return {bytes.size(), Parse::more};
  }
};

constexpr RecordTypeOf records[] = {record_type<Arp>};
constexpr ParserSpec spec{.name = "arp",
                          .doc = "ARP, RARP and inverse ARP",
                          .transports = transport::arp,
                          .ports = {},
                          .match = [](Bytes, Side) { return Match::yes; },
                          .methods = parser_methods<ArpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

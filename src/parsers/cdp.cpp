// CDP, versions 1 and 2, as Cisco describes its frames ("Cisco Discovery Protocol, frame format") and other
// devices send them. Every frame stands alone; its checksum is not checked, as it is sent in two ways.
#include "records/cdp.hpp"

#include "parsers/neighbour_text.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Addresses kept per list; the rest is left out and "cdp_long_list" recorded.
constexpr std::size_t list_max = 16;

enum Tlv : std::uint16_t {
  device_id_tlv = 1,
  addresses_tlv = 2,
  port_id_tlv = 3,
  capabilities_tlv = 4,
  software_tlv = 5,
  platform_tlv = 6,
  vtp_domain_tlv = 9,
  native_vlan_tlv = 10,
  duplex_tlv = 11,
  voice_vlan_tlv = 14,
  power_tlv = 16,
  mtu_tlv = 17,
  system_name_tlv = 20,
  management_addresses_tlv = 22
};
// By bit.
constexpr std::array<std::string_view, 11> capability_names = {
    "router", "bridge", "source_route_bridge", "switch", "host", "igmp_filter", "repeater", "phone",
    "remote", "camera", "two_port_mac_relay"};

using Addresses = Items<Addr, list_max>;

struct Frame {
  Addresses addresses, management;
  std::optional<std::uint32_t> capabilities;
  std::string_view oddity;
};

// A count; then kind and length of the protocol's number, the number, length and address.
bool read_addresses(ByteReader r, Addresses& out) {
  const std::uint32_t count = r.u32();
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) {
    r.skip(1);
    const Bytes protocol = r.bytes(r.u8());
    const Bytes address = r.bytes(r.u16());
    if (!r.ok()) break;
    const bool ipv4 = protocol.size() == 1 && protocol[0] == 0xcc;
    const bool ipv6 = protocol.size() == 8 && load_be16(&protocol[6]) == 0x86dd;
    if (ipv4 && address.size() == 4) out.add(Addr::v4(address.data()));
    if (ipv6 && address.size() == 16) out.add(Addr::v6(address.data()));
  }
  return r.ok();
}

bool read_tlv(std::uint16_t type, Bytes value, Cdp& d, Frame& f) {
  ByteReader r(value);
  const auto take = [&](auto& member, auto number) {
    if (r.ok()) member = number;
    return r.ok();
  };
  switch (type) {
    // Texts point into the frame until finish().
    case device_id_tlv: d.device_id = as_text(value); return true;
    case port_id_tlv: d.port_id = as_text(value); return true;
    case software_tlv: d.software = as_text(value); return true;
    case platform_tlv: d.platform = as_text(value); return true;
    case vtp_domain_tlv: d.vtp_domain = as_text(value); return true;
    case system_name_tlv: d.system_name = as_text(value); return true;
    case addresses_tlv: return read_addresses(r, f.addresses);
    case management_addresses_tlv: return read_addresses(r, f.management);
    case capabilities_tlv: return take(f.capabilities, r.u32());
    case native_vlan_tlv: return take(d.native_vlan, r.u16());
    case duplex_tlv: return take(d.duplex, r.u8() != 0 ? Text("full") : Text("half"));
    case voice_vlan_tlv: r.skip(1); return take(d.voice_vlan, r.u16());
    case power_tlv: return take(d.power, r.u16());
    case mtu_tlv: return take(d.mtu, r.u32());
    default: return true;
  }
}

void finish(Context& c, Cdp& d, const Frame& f) {
  for (Text Cdp::* text :
       {&Cdp::device_id, &Cdp::port_id, &Cdp::software, &Cdp::platform, &Cdp::vtp_domain, &Cdp::system_name})
    if ((d.*text).data() != nullptr) d.*text = printable(c, as_bytes(d.*text));
  if (d.vtp_domain.empty()) d.vtp_domain = {};
  if (f.capabilities) d.capabilities = bit_names(c, *f.capabilities, capability_names);
  if (f.addresses.size != 0) d.addresses = c.out.list(f.addresses.all());
  if (f.management.size != 0) d.management_addresses = c.out.list(f.management.all());
}

class CdpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    Cdp d{.time = c.time};
    d.src_mac = c.link.src_mac;
    d.vlan = c.link.vlan;
    d.interface = c.interface;
    ByteReader r(bytes);
    d.version = r.u8();
    d.ttl = seconds(r.u8());
    r.skip(2);
    Frame f;
    while (r.ok() && !r.empty()) {
      const std::uint16_t type = r.u16();
      const std::size_t length = r.u16();
      const Bytes value = length < 4 ? Bytes{} : r.bytes(length - 4);
      if (length < 4) r.fail();
      if (r.ok() && !read_tlv(type, value, d, f)) f.oddity = "cdp_bad_tlv";
    }
    if (!r.ok()) f.oddity = "cdp_truncated";
    if (d.device_id.data() != nullptr) {
      finish(c, d, f);
      c.emit(d);
    } else if (f.oddity.empty()) {
      f.oddity = "cdp_incomplete";
    }
    if (!f.oddity.empty() && c.cut == 0) c.oddity(f.oddity);
    if (f.addresses.overflow || f.management.overflow) c.oddity("cdp_long_list");
    return next;
  }
};

constexpr RecordTypeOf records[] = {record_type<Cdp>};
constexpr ParserSpec spec{.name = "cdp",
                          .doc = "CDP, versions 1 and 2",
                          .transports = transport::link,
                          .ports = {},
                          .match = [](Bytes, Side) { return Match::yes; },
                          .methods = parser_methods<CdpParser>,
                          .records = records,
                          .link_protocol = link_protocol(0x00000c, 0x2000)};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

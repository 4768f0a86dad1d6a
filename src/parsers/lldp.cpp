// LLDP (IEEE 802.1AB), with the TLVs of IEEE 802.1 (annex D), IEEE 802.3 (802.3 §79.3) and LLDP-MED
// (ANSI/TIA-1057). Every frame stands alone.
#include "records/lldp.hpp"

#include <array>

#include "parsers/dns_name.hpp"
#include "parsers/neighbour_text.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Items kept per list; the rest is left out and "lldp_long_list" recorded.
constexpr std::size_t list_max = 32;

enum Tlv : std::uint8_t {
  end_of_frame,
  chassis_tlv,
  port_tlv,
  ttl_tlv,
  port_description_tlv,
  system_name_tlv,
  system_description_tlv,
  capabilities_tlv,
  management_address_tlv,
  organization_tlv = 127
};
constexpr std::uint32_t ieee_802_1 = 0x0080c2, ieee_802_3 = 0x00120f, tia = 0x0012bb;

// 802.1AB-2016 tables 8-2 and 8-3, by number.
constexpr std::array<std::string_view, 8> chassis_kinds = {
    "",    "chassis_component", "interface_alias", "port_component",
    "mac", "address",           "interface_name",  "local"};
constexpr std::array<std::string_view, 8> port_kinds = {
    "", "interface_alias", "port_component", "mac", "address", "interface_name", "circuit_id", "local"};
// Table 8-4, by bit.
constexpr std::array<std::string_view, 11> capability_names = {
    "other",   "repeater", "bridge", "wlan_access_point", "router", "telephone", "docsis",
    "station", "c_vlan",   "s_vlan", "two_port_mac_relay"};

// What some numbers of dot3MauType stand for (IANA-MAU-MIB, RFC 4836).
struct Mau {
  std::uint16_t type, mbits;
  std::string_view duplex;
};
constexpr Mau maus[] = {{10, 10, "half"},    {11, 10, "full"},    {12, 10, "half"},    {13, 10, "full"},
                        {15, 100, "half"},   {16, 100, "full"},   {17, 100, "half"},   {18, 100, "full"},
                        {19, 100, "half"},   {20, 100, "full"},   {21, 1000, "half"},  {22, 1000, "full"},
                        {23, 1000, "half"},  {24, 1000, "full"},  {25, 1000, "half"},  {26, 1000, "full"},
                        {27, 1000, "half"},  {28, 1000, "full"},  {29, 1000, "half"},  {30, 1000, "full"},
                        {31, 10000, "full"}, {32, 10000, "full"}, {33, 10000, "full"}, {34, 10000, "full"},
                        {35, 10000, "full"}, {36, 10000, "full"}, {37, 10000, "full"}, {38, 10000, "full"},
                        {39, 10000, "full"}, {40, 10000, "full"}, {41, 10000, "full"}, {54, 10000, "full"}};

struct Frame {
  Bytes chassis, port;  // kind and value
  Items<Addr, list_max> addresses;
  Items<std::uint16_t, list_max> vlans;
  Items<std::string_view, list_max> vlan_names;
  std::optional<std::uint16_t> capable, enabled;
  std::string_view oddity;
};

// Table 8-2: an address family (IANA) before the address.
std::optional<Addr> address_in(Bytes b) noexcept {
  if (b.size() == 5 && b[0] == 1) return Addr::v4(&b[1]);
  if (b.size() == 17 && b[0] == 2) return Addr::v6(&b[1]);
  return std::nullopt;
}

Text id_text(Context& c, Bytes id, std::string_view kind) {
  const Bytes value = id.subspan(1);
  if (kind == "mac" && value.size() == 6) return mac_text(c, value);
  if (kind == "address")
    if (const auto address = address_in(value)) {
      char text[addr_text_max];
      return c.text({text, static_cast<std::size_t>(write_addr(text, *address) - text)});
    }
  return printable(c, value);
}

Text kind_text(Context& c, std::uint8_t number, const std::array<std::string_view, 8>& kinds) {
  if (number < kinds.size() && !kinds[number].empty()) return kinds[number];
  dns::Line<4> text;
  text << std::uint64_t{number};
  return c.text(text.view());
}

// 802.1AB §8.5.9: length, kind and address, interface numbering, number, object identifier.
void read_management_address(ByteReader r, Frame& f) {
  const Bytes id = r.bytes(r.u8());
  r.skip(5);
  r.skip(r.u8());
  if (!r.ok()) f.oddity = "lldp_bad_tlv";
  if (const auto address = address_in(id)) f.addresses.add(*address);
}

void read_802_1(ByteReader r, std::uint8_t kind, Lldp& l, Frame& f) {
  if (kind == 1) {
    const std::uint16_t vlan = r.u16();
    if (r.ok() && vlan != 0) l.port_vlan = vlan;
  } else if (kind == 3) {
    const std::uint16_t vlan = r.u16();
    const std::string_view name = r.text(r.u8());
    if (r.ok()) f.vlans.add(vlan), f.vlan_names.add(name);
  }
  if (!r.ok()) f.oddity = "lldp_bad_tlv";
}

void read_802_3(ByteReader r, std::uint8_t kind, Lldp& l, Frame& f) {
  if (kind == 1) {
    const std::uint8_t negotiation = r.u8();
    r.skip(2);
    const std::uint16_t mau = r.u16();
    if (r.ok()) {
      l.is_autonegotiated = (negotiation & 2) != 0;
      l.mau_type = mau;
      for (const Mau& known : maus)
        if (known.type == mau) l.speed = known.mbits * std::uint64_t{1'000'000}, l.duplex = known.duplex;
    }
  } else if (kind == 3) {
    const std::uint8_t status = r.u8();
    if (r.ok()) l.is_aggregated = (status & 2) != 0;
  } else if (kind == 4) {
    const std::uint16_t size = r.u16();
    if (r.ok()) l.max_frame = size;
  }
  if (!r.ok()) f.oddity = "lldp_bad_tlv";
}

// The MED texts, in the order of their TLVs from 5 on.
constexpr Text Lldp::* med_texts[] = {&Lldp::hardware,     &Lldp::firmware, &Lldp::software, &Lldp::serial,
                                      &Lldp::manufacturer, &Lldp::model,    &Lldp::asset};

void read_med(ByteReader r, std::uint8_t kind, Lldp& l, Frame& f) {
  constexpr std::array<std::string_view, 5> classes = {"", "endpoint_1", "endpoint_2", "endpoint_3",
                                                       "network"};
  constexpr std::uint8_t voice = 1;
  if (kind == 1) {
    r.skip(2);
    const std::uint8_t number = r.u8();
    if (r.ok() && number != 0 && number < classes.size()) l.device_class = classes[number];
  } else if (kind == 2) {
    const std::uint8_t application = r.u8();
    const std::uint32_t policy = r.u24();
    // Unknown, tagged, reserved, 12 bits of VLAN.
    if (r.ok() && application == voice && (policy & 0x800000) == 0 && (policy >> 9 & 0xfff) != 0)
      l.voice_vlan = static_cast<std::uint16_t>(policy >> 9 & 0xfff);
  } else if (kind >= 5 && kind < 5 + std::size(med_texts)) {
    l.*med_texts[kind - 5] = as_text(r.rest());  // becomes a text of the record in finish()
  }
  if (!r.ok()) f.oddity = "lldp_bad_tlv";
}

void read_organization(ByteReader r, Lldp& l, Frame& f) {
  const std::uint32_t organization = r.u24();
  const std::uint8_t kind = r.u8();
  if (!r.ok()) {
    f.oddity = "lldp_bad_tlv";
    return;
  }
  if (organization == ieee_802_1) read_802_1(r, kind, l, f);
  if (organization == ieee_802_3) read_802_3(r, kind, l, f);
  if (organization == tia) read_med(r, kind, l, f);
}

void read_tlv(std::uint8_t type, Bytes value, Lldp& l, Frame& f) {
  ByteReader r(value);
  switch (type) {
    case chassis_tlv: f.chassis = value; return;
    case port_tlv: f.port = value; return;
    case ttl_tlv: l.ttl = seconds(r.u16()); break;
    case port_description_tlv: l.port_description = as_text(value); return;
    case system_name_tlv: l.system_name = as_text(value); return;
    case system_description_tlv: l.system_description = as_text(value); return;
    case capabilities_tlv: {
      const std::uint16_t capable = r.u16(), enabled = r.u16();
      if (r.ok()) f.capable = capable, f.enabled = enabled;
      break;
    }
    case management_address_tlv: return read_management_address(r, f);
    case organization_tlv: return read_organization(r, l, f);
    default: return;
  }
  if (!r.ok()) f.oddity = "lldp_bad_tlv";
}

// The texts, which still point into the frame, and the lists, into the batch.
void finish(Context& c, Lldp& l, Frame& f) {
  const auto name = [](std::span<const std::string_view> names, std::uint8_t number) {
    return number < names.size() ? names[number] : std::string_view{};
  };
  l.chassis_id = id_text(c, f.chassis, name(chassis_kinds, f.chassis[0]));
  l.chassis_id_kind = kind_text(c, f.chassis[0], chassis_kinds);
  l.port_id = id_text(c, f.port, name(port_kinds, f.port[0]));
  l.port_id_kind = kind_text(c, f.port[0], port_kinds);
  for (Text Lldp::* text : {&Lldp::port_description, &Lldp::system_name, &Lldp::system_description})
    if ((l.*text).data() != nullptr) l.*text = printable(c, as_bytes(l.*text));
  for (Text Lldp::* text : med_texts)
    if ((l.*text).data() != nullptr) l.*text = printable(c, as_bytes(l.*text));
  if (f.capable) l.capabilities = bit_names(c, *f.capable, capability_names);
  if (f.enabled) l.enabled_capabilities = bit_names(c, *f.enabled, capability_names);
  if (f.addresses.size != 0) l.management_addresses = c.out.list(f.addresses.all());
  if (f.vlans.size == 0) return;
  l.vlans = c.out.list(f.vlans.all());
  std::array<Text, list_max> names;
  for (std::size_t i = 0; i < f.vlan_names.size; ++i)
    names[i] = printable(c, as_bytes(f.vlan_names.items[i]));
  l.vlan_names = c.out.list(std::span<const Text>(names.data(), f.vlan_names.size));
}

class LldpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    Lldp l{.time = c.time};
    l.src_mac = c.link.src_mac;
    l.dst_mac = c.link.dst_mac;
    l.vlan = c.link.vlan;
    l.interface = c.interface;
    Frame f;
    ByteReader r(bytes);
    bool has_ttl = false;
    while (!r.empty()) {
      const std::uint16_t head = r.u16();
      const auto type = static_cast<std::uint8_t>(head >> 9);
      const Bytes value = r.bytes(head & 0x1ff);
      if (!r.ok()) f.oddity = "lldp_truncated";
      if (!r.ok() || type == end_of_frame) break;
      // §9.2.7.7.1: each of the first three is there once. A second one does not count.
      const bool again = (type == ttl_tlv && has_ttl) || (type == chassis_tlv && !f.chassis.empty()) ||
                         (type == port_tlv && !f.port.empty());
      if (again) f.oddity = "lldp_repeated_tlv";
      has_ttl |= type == ttl_tlv;
      if (!again) read_tlv(type, value, l, f);
    }
    // Without them it says nothing.
    if (f.chassis.size() < 2 || f.port.size() < 2 || !has_ttl) {
      if (c.cut == 0) c.oddity("lldp_incomplete");
      return next;
    }
    finish(c, l, f);
    c.emit(l);
    if (!f.oddity.empty() && c.cut == 0) c.oddity(f.oddity);
    if (f.addresses.overflow || f.vlans.overflow) c.oddity("lldp_long_list");
    return next;
  }
};

constexpr RecordTypeOf records[] = {record_type<Lldp>};
constexpr ParserSpec spec{.name = "lldp",
                          .doc = "LLDP, with the TLVs of IEEE 802.1, 802.3 and LLDP-MED",
                          .transports = transport::link,
                          .ports = {},
                          .match = [](Bytes, Side) { return Match::yes; },
                          .methods = parser_methods<LldpParser>,
                          .records = records,
                          .link_protocol = link_protocol(0, 0x88cc)};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

#include "core/schema.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <utility>

#include "core/ascii.hpp"

namespace weir {
namespace {
constexpr std::array<std::pair<IpProto, std::string_view>, 17> proto_names = {{
    {IpProto{0}, "hopopt"},
    {IpProto::icmp, "icmp"},
    {IpProto::igmp, "igmp"},
    {IpProto::ipip, "ipip"},
    {IpProto::tcp, "tcp"},
    {IpProto{8}, "egp"},
    {IpProto::udp, "udp"},
    {IpProto{33}, "dccp"},
    {IpProto::ipv6, "ipv6"},
    {IpProto{46}, "rsvp"},
    {IpProto::gre, "gre"},
    {IpProto{50}, "esp"},
    {IpProto{51}, "ah"},
    {IpProto::icmpv6, "icmpv6"},
    {IpProto{89}, "ospf"},
    {IpProto{103}, "pim"},
    {IpProto::sctp, "sctp"},
}};
}  // namespace

std::string_view name_of(IpProto proto) noexcept {
  for (const auto& [number, name] : proto_names)
    if (number == proto) return name;
  if (proto == IpProto{112}) return "vrrp";
  return {};
}

std::optional<IpProto> parse_ip_proto(std::string_view text) noexcept {
  for (const auto& [number, name] : proto_names)
    if (equal_nocase(name, text)) return number;
  if (equal_nocase(text, "vrrp")) return IpProto{112};
  if (equal_nocase(text, "icmp6") || equal_nocase(text, "ipv6-icmp")) return IpProto::icmpv6;
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return IpProto{number};
}

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean: return "bool";
    case Kind::u8: return "u8";
    case Kind::u16: return "u16";
    case Kind::u32: return "u32";
    case Kind::u64: return "u64";
    case Kind::i64: return "i64";
    case Kind::f64: return "f64";
    case Kind::text: return "text";
    case Kind::time: return "time";
    case Kind::duration: return "duration";
    case Kind::addr: return "addr";
    case Kind::mac: return "mac";
    case Kind::proto: return "proto";
  }
  return {};
}

std::string_view name_of(Unit unit) noexcept {
  switch (unit) {
    case Unit::none: return {};
    case Unit::seconds: return "s";
    case Unit::bytes: return "B";
    case Unit::packets: return "packets";
    case Unit::flows: return "flows";
    case Unit::percent: return "%";
    case Unit::bits_per_second: return "bit/s";
  }
  return {};
}

const FieldInfo* RecordType::find(std::string_view field_name) const noexcept {
  for (const FieldInfo& f : fields)
    if (f.name == field_name) return &f;
  return nullptr;
}

std::uint32_t take_record_type_id() noexcept {
  static std::atomic<std::uint32_t> next{0};
  const std::uint32_t id = next.fetch_add(1);
  WEIR_ASSERT(id < record_type_max);
  return id;
}

}  // namespace weir

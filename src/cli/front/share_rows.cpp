#include "cli/front/share_rows.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/suggest.hpp"

namespace weir {
namespace {

using Whose = ShareKey::Kind;

constexpr std::array<std::pair<ShareBy, std::string_view>, 5> names = {{{ShareBy::host, "host"},
                                                                        {ShareBy::flow, "flow"},
                                                                        {ShareBy::port, "port"},
                                                                        {ShareBy::app, "app"},
                                                                        {ShareBy::process, "process"}}};

bool has_ports(IpProto proto) noexcept {
  return proto == IpProto::tcp || proto == IpProto::udp || proto == IpProto::sctp;
}

ShareKey ether_key(const MeteredFlow& flow) {
  return {.kind = Whose::ether, .a_port = flow.key.low_port};
}

ShareKey service_key(const MeteredFlow& flow) {
  if (!has_ports(flow.key.proto)) return {.kind = Whose::protocol, .proto = flow.key.proto};
  return {.kind = Whose::port, .proto = flow.key.proto, .a_port = flow.dst_port()};
}

// The key of what `low` sent, or the other end, on this way; nothing: nobody's.
std::optional<ShareKey> key_of(ShareBy by, const MeteredFlow& flow, bool from_low, Way way,
                               const SocketOwners* owners) {
  const FlowKey& k = flow.key;
  switch (by) {
    case ShareBy::host: {
      if (!flow.ip) return ether_key(flow);
      // Who sends what comes in, and gets what goes out.
      const bool low = from_low == (way == Way::in);
      return ShareKey{.kind = Whose::host, .a = low ? k.low : k.high};
    }
    case ShareBy::flow:
      if (!flow.ip) return ether_key(flow);
      return ShareKey{.kind = Whose::flow,
                      .proto = k.proto,
                      .a_port = has_ports(k.proto) ? flow.src_port() : std::uint16_t{0},
                      .b_port = has_ports(k.proto) ? flow.dst_port() : std::uint16_t{0},
                      .a = flow.src(),
                      .b = flow.dst()};
    case ShareBy::port: return flow.ip ? service_key(flow) : ether_key(flow);
    case ShareBy::app:
      if (!flow.ip) return ether_key(flow);
      if (flow.application == nullptr) return service_key(flow);
      return ShareKey{.kind = Whose::application, .name = flow.application};
    case ShareBy::process: break;
  }
  if (!flow.ip || owners == nullptr) return std::nullopt;
  const bool low = from_low == (way == Way::out);  // the local end
  return owners->owner({.proto = k.proto,
                        .local = low ? k.low : k.high,
                        .remote = low ? k.high : k.low,
                        .local_port = low ? k.low_port : k.high_port,
                        .remote_port = low ? k.high_port : k.low_port});
}

std::string endpoint(const Addr& a, std::uint16_t port) {
  if (port == 0) return to_string(a);
  return a.is_v4() ? fmt::format("{}:{}", to_string(a), port) : fmt::format("[{}]:{}", to_string(a), port);
}

std::string proto_text(IpProto proto) {
  const std::string_view name = name_of(proto);
  return name.empty() ? fmt::format("ip {}", static_cast<unsigned>(proto)) : std::string(name);
}

std::string ether_text(std::uint16_t type) {
  switch (type) {
    case 0: return "802.2";
    case 0x0806: return "arp";
    case 0x8863:
    case 0x8864: return "pppoe";
    case 0x88cc: return "lldp";
    case 0x888e: return "802.1x";
    case 0x88e5: return "macsec";
    default: return fmt::format("ethertype 0x{:04x}", type);
  }
}

}  // namespace

std::string_view name_of(ShareBy by) noexcept {
  return names[static_cast<std::size_t>(by)].second;
}

Result<ShareBy> parse_share_by(std::string_view word) {
  std::vector<std::string_view> known;
  for (const auto& [by, name] : names) {
    if (name == word) return by;
    known.push_back(name);
  }
  return fail(Code::usage, fmt::format("{} is nothing to tell traffic apart by", word), "--by",
              suggestion(word, known, "there are host, flow, port, app, process"));
}

void add_shares(Shares& shares, ShareBy by, const MeteredFlow& flow, const SocketOwners* owners) {
  for (const Way way : {Way::in, Way::out})
    for (const bool from_low : {true, false}) {
      const std::size_t w = static_cast<std::size_t>(way), sender = from_low ? 0 : 1;
      const std::uint64_t bytes = flow.now.bytes[w][sender], packets = flow.now.packets[w][sender];
      if (packets == 0) continue;
      const auto key = key_of(by, flow, from_low, way, owners);
      if (!key) continue;
      Volume& v = shares[*key];
      (way == Way::in ? v.in_bytes : v.out_bytes) += bytes;
      (way == Way::in ? v.in_packets : v.out_packets) += packets;
    }
}

std::string who_of(const ShareKey& key, const SocketOwners* owners) {
  switch (key.kind) {
    case Whose::host: return to_string(key.a);
    case Whose::flow:
      return fmt::format("{} → {} {}", endpoint(key.a, key.a_port), endpoint(key.b, key.b_port),
                         proto_text(key.proto));
    case Whose::port: return fmt::format("{} {}", proto_text(key.proto), key.a_port);
    case Whose::protocol: return proto_text(key.proto);
    case Whose::ether: return ether_text(key.a_port);
    case Whose::application: return key.name;
    case Whose::process:
      return fmt::format("{}[{}]", owners == nullptr ? std::string_view{} : owners->name(key), key.id);
    case Whose::user:
      return fmt::format("user {}", owners == nullptr ? std::string_view{} : owners->name(key));
  }
  return {};
}

void describe(Usage& usage, const ShareKey& key, const SocketOwners* owners) {
  const auto name = [&] { return owners == nullptr ? std::string_view{} : owners->name(key); };
  switch (key.kind) {
    case Whose::host: usage.ip = key.a; break;
    case Whose::flow:
      usage.src_ip = key.a;
      usage.dst_ip = key.b;
      if (has_ports(key.proto)) usage.src_port = key.a_port, usage.dst_port = key.b_port;
      usage.proto = name_of(key.proto);
      break;
    case Whose::port: usage.dst_port = key.a_port; [[fallthrough]];
    case Whose::protocol: usage.proto = name_of(key.proto); break;
    case Whose::ether: break;
    case Whose::application: usage.application = key.name; break;
    case Whose::process:
      usage.process = name();
      usage.pid = key.id;
      break;
    case Whose::user: usage.user = name(); break;
  }
}

std::vector<std::string> share_fields(ShareBy by, std::string_view form) {
  if (form == "table")
    return {"time", "name", "who", "in_bits_per_second", "out_bits_per_second", "in_bytes", "out_bytes"};
  if (form != "csv" && form != "tsv") return {};
  std::vector<std::string> fields{"time", "interval", "name", "kind", "who"};
  const auto add = [&](std::initializer_list<const char*> more) {
    fields.insert(fields.end(), more.begin(), more.end());
  };
  switch (by) {
    case ShareBy::host: add({"ip"}); break;
    case ShareBy::flow: add({"src_ip", "src_port", "dst_ip", "dst_port", "proto"}); break;
    case ShareBy::port: add({"proto", "dst_port"}); break;
    case ShareBy::app: add({"application", "proto", "dst_port"}); break;
    case ShareBy::process: add({"process", "pid", "user"}); break;
  }
  add({"in_bytes", "out_bytes", "in_packets", "out_packets", "in_bits_per_second", "out_bits_per_second"});
  return fields;
}

void set_volume(Usage& usage, const Volume& v, Duration interval) noexcept {
  usage.interval = interval;
  usage.in_bytes = v.in_bytes;
  usage.out_bytes = v.out_bytes;
  usage.bytes = v.bytes();
  usage.in_packets = v.in_packets;
  usage.out_packets = v.out_packets;
  const double s = interval.seconds();
  if (s <= 0) return;
  usage.in_bits_per_second = static_cast<double>(v.in_bytes) * 8 / s;
  usage.out_bits_per_second = static_cast<double>(v.out_bytes) * 8 / s;
  usage.bits_per_second = static_cast<double>(v.bytes()) * 8 / s;
}

}  // namespace weir

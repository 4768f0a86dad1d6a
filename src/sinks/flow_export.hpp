// Flows as IPFIX (RFC 7011) and NetFlow v9 (RFC 3954) records: what both have in common. A flow is described
// by the information elements it has a value for; each combination of them that occurs is a template of its
// own.
#pragma once

#include <fmt/core.h>

#include <array>
#include <map>

#include "core/ascii.hpp"
#include "core/suggest.hpp"
#include "flow/exported.hpp"
#include "os/sender.hpp"
#include "plugin/sink.hpp"

namespace weir::flow_export {

// Numbers in network byte order.
class Message {
 public:
  void put(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  void put(const Addr& a) {
    bytes_.insert(bytes_.end(), a.bytes.begin() + (a.is_v4() ? 12 : 0), a.bytes.end());
  }
  void put(const Mac& m) { bytes_.insert(bytes_.end(), m.bytes.begin(), m.bytes.end()); }
  void patch(std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes_[at + i] = static_cast<std::uint8_t>(value >> 8 * (size - 1 - i));
  }
  void append(Bytes more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void begin(std::size_t header) { bytes_.assign(header, 0); }
  std::size_t size() const noexcept { return bytes_.size(); }
  Bytes bytes() const noexcept { return bytes_; }
  // What relative times are counted from.
  std::uint64_t epoch_ms = 0;

 private:
  std::vector<std::uint8_t> bytes_;
};

inline std::uint64_t ms_of(Time t) noexcept {
  return t.ns < 0 ? 0 : static_cast<std::uint64_t>(t.ns) / 1'000'000;
}
inline Time end_of(const Flow& flow) noexcept {
  return flow.time + flow.duration;
}
inline bool is_v4(const Flow& f) noexcept {
  return f.ref.src_ip.is_v4() && f.ref.dst_ip.is_v4();
}
inline bool is_icmp(const Flow& f) noexcept {
  return f.ref.proto == IpProto::icmp || f.ref.proto == IpProto::icmpv6;
}
inline std::uint16_t icmp_type_code(const Flow& f) noexcept {
  const IcmpType icmp = icmp_type_of(f.ref);
  return static_cast<std::uint16_t>(icmp.type << 8 | icmp.code);
}
// Of a flow whose ends are not both IPv4 the other one is sent as it is in an Addr, IPv4-mapped.
inline void put_v6(Message& m, const Addr& a) {
  m.append(a.bytes);
}

// IANA's IPFIX element (the same numbers are NetFlow v9's field types), or one of the enterprise's.
struct Element {
  std::uint16_t id, size;
  void (*put)(Message& m, const Flow& f);
  std::uint32_t enterprise = 0;
};
// Elements that a flow has all of or none.
struct Group {
  bool (*has)(const Flow& f);
  std::span<const Element> elements;
};

inline constexpr Element basic[] = {
    {1, 8, [](Message& m, const Flow& f) { m.put(f.src_bytes, 8); }},
    {2, 8, [](Message& m, const Flow& f) { m.put(f.src_packets, 8); }},
    {4, 1, [](Message& m, const Flow& f) { m.put(static_cast<std::uint8_t>(f.ref.proto), 1); }},
    // Of ICMP the destination port is type and code, which is all that some collectors look at.
    {7, 2, [](Message& m, const Flow& f) { m.put(is_icmp(f) ? 0U : f.ref.src_port, 2); }},
    {11, 2, [](Message& m, const Flow& f) { m.put(is_icmp(f) ? icmp_type_code(f) : f.ref.dst_port, 2); }},
    {6, 1, [](Message& m, const Flow& f) { m.put(tcp_flags_of(f.src_tcp_flags), 1); }},
    {5, 1, [](Message& m, const Flow& f) { m.put(f.src_tos.value_or(0), 1); }},
};
inline constexpr Element addresses4[] = {
    {8, 4, [](Message& m, const Flow& f) { m.put(f.ref.src_ip); }},
    {12, 4, [](Message& m, const Flow& f) { m.put(f.ref.dst_ip); }},
};
inline constexpr Element addresses6[] = {
    {27, 16, [](Message& m, const Flow& f) { put_v6(m, f.ref.src_ip); }},
    {28, 16, [](Message& m, const Flow& f) { put_v6(m, f.ref.dst_ip); }},
};
inline constexpr Element icmp_message[] = {
    {32, 2, [](Message& m, const Flow& f) { m.put(icmp_type_code(f), 2); }}};
inline constexpr Element interfaces[] = {
    {10, 4, [](Message& m, const Flow& f) { m.put(f.in_interface.value_or(0), 4); }},
    {14, 4, [](Message& m, const Flow& f) { m.put(f.out_interface.value_or(0), 4); }},
};
inline constexpr Element systems[] = {
    {16, 4, [](Message& m, const Flow& f) { m.put(f.src_as.value_or(0), 4); }},
    {17, 4, [](Message& m, const Flow& f) { m.put(f.dst_as.value_or(0), 4); }},
};
inline constexpr Element masks4[] = {
    {9, 1, [](Message& m, const Flow& f) { m.put(f.src_mask.value_or(0), 1); }},
    {13, 1, [](Message& m, const Flow& f) { m.put(f.dst_mask.value_or(0), 1); }},
};
inline constexpr Element masks6[] = {
    {29, 1, [](Message& m, const Flow& f) { m.put(f.src_mask.value_or(0), 1); }},
    {30, 1, [](Message& m, const Flow& f) { m.put(f.dst_mask.value_or(0), 1); }},
};
inline constexpr Element next_hop4[] = {{15, 4, [](Message& m, const Flow& f) { m.put(*f.next_hop); }}};
inline constexpr Element next_hop6[] = {{62, 16, [](Message& m, const Flow& f) { m.put(*f.next_hop); }}};
inline constexpr Element bgp_next_hop4[] = {
    {18, 4, [](Message& m, const Flow& f) { m.put(*f.bgp_next_hop); }}};
inline constexpr Element bgp_next_hop6[] = {
    {63, 16, [](Message& m, const Flow& f) { m.put(*f.bgp_next_hop); }}};
inline constexpr Element macs[] = {
    {56, 6, [](Message& m, const Flow& f) { m.put(f.src_mac.value_or(Mac{})); }},
    {80, 6, [](Message& m, const Flow& f) { m.put(f.dst_mac.value_or(Mac{})); }},
};
inline constexpr Element vlan[] = {{58, 2, [](Message& m, const Flow& f) { m.put(*f.vlan, 2); }}};
inline constexpr Element dst_vlan[] = {{59, 2, [](Message& m, const Flow& f) { m.put(*f.dst_vlan, 2); }}};
inline constexpr Element direction[] = {
    {61, 1, [](Message& m, const Flow& f) { m.put(f.direction == "egress" ? 1U : 0U, 1); }}};
inline constexpr Element forwarding[] = {{89, 1, [](Message& m, const Flow& f) { m.put(*f.forwarding, 1); }}};
inline constexpr Element ttl[] = {{192, 1, [](Message& m, const Flow& f) { m.put(*f.src_ttl, 1); }}};
inline constexpr Element end_reason[] = {
    {136, 1, [](Message& m, const Flow& f) { m.put(number_of(end_reason_text, f.end_reason), 1); }}};
inline constexpr Element nat_addresses4[] = {
    {225, 4, [](Message& m, const Flow& f) { m.put(*f.nat_src_ip); }},
    {226, 4, [](Message& m, const Flow& f) { m.put(*f.nat_dst_ip); }},
};
inline constexpr Element nat_addresses6[] = {
    {281, 16, [](Message& m, const Flow& f) { put_v6(m, *f.nat_src_ip); }},
    {282, 16, [](Message& m, const Flow& f) { put_v6(m, *f.nat_dst_ip); }},
};
inline constexpr Element nat_ports[] = {
    {227, 2, [](Message& m, const Flow& f) { m.put(f.nat_src_port.value_or(0), 2); }},
    {228, 2, [](Message& m, const Flow& f) { m.put(f.nat_dst_port.value_or(0), 2); }},
};
inline constexpr Element firewall_event[] = {
    {233, 1, [](Message& m, const Flow& f) { m.put(number_of(firewall_event_text, f.event), 1); }}};
inline constexpr Element nat_event[] = {
    {230, 1, [](Message& m, const Flow& f) { m.put(number_of(nat_event_text, f.event), 1); }}};

inline bool has_nat(const Flow& f) noexcept {
  return f.nat_src_ip && f.nat_dst_ip;
}
inline bool has_nat4(const Flow& f) noexcept {
  return has_nat(f) && f.nat_src_ip->is_v4() && f.nat_dst_ip->is_v4();
}

// What either protocol can say of a flow, times and the other direction aside.
inline constexpr Group common_groups[] = {
    {[](const Flow&) { return true; }, basic},
    {is_v4, addresses4},
    {[](const Flow& f) { return !is_v4(f); }, addresses6},
    {[](const Flow& f) { return f.ref.proto == IpProto::icmp; }, icmp_message},
    {[](const Flow& f) { return f.in_interface || f.out_interface; }, interfaces},
    {[](const Flow& f) { return f.src_as || f.dst_as; }, systems},
    {[](const Flow& f) { return is_v4(f) && (f.src_mask || f.dst_mask); }, masks4},
    {[](const Flow& f) { return !is_v4(f) && (f.src_mask || f.dst_mask); }, masks6},
    {[](const Flow& f) { return f.next_hop && f.next_hop->is_v4(); }, next_hop4},
    {[](const Flow& f) { return f.next_hop && !f.next_hop->is_v4(); }, next_hop6},
    {[](const Flow& f) { return f.bgp_next_hop && f.bgp_next_hop->is_v4(); }, bgp_next_hop4},
    {[](const Flow& f) { return f.bgp_next_hop && !f.bgp_next_hop->is_v4(); }, bgp_next_hop6},
    {[](const Flow& f) { return f.src_mac || f.dst_mac; }, macs},
    {[](const Flow& f) { return f.vlan.has_value(); }, vlan},
    {[](const Flow& f) { return f.dst_vlan.has_value(); }, dst_vlan},
    {[](const Flow& f) { return f.direction.data() != nullptr; }, direction},
    {[](const Flow& f) { return f.forwarding.has_value(); }, forwarding},
    {[](const Flow& f) { return f.src_ttl.has_value(); }, ttl},
    {[](const Flow& f) { return number_of(end_reason_text, f.end_reason) != 0; }, end_reason},
    {has_nat4, nat_addresses4},
    {[](const Flow& f) { return has_nat(f) && !has_nat4(f); }, nat_addresses6},
    {[](const Flow& f) { return f.nat_src_port || f.nat_dst_port; }, nat_ports},
    {[](const Flow& f) { return number_of(firewall_event_text, f.event) != 0; }, firewall_event},
    {[](const Flow& f) { return number_of(nat_event_text, f.event) != 0; }, nat_event},
};

// host:port?rate=N&mtu=N&domain=N
struct Destination {
  std::string host;
  std::uint16_t port = 0;
  std::uint64_t rate = 0;  // messages a second; 0: no limit
  std::uint64_t mtu = 0;   // bytes of a message, at most
  std::uint64_t domain = 0;
};

inline Result<std::uint64_t> number(std::string_view what, std::string_view text, std::uint64_t least,
                                    std::uint64_t most) {
  const auto value = parse_digits<std::uint64_t>(text);
  if (value && *value >= least && *value <= most) return *value;
  return fail(Code::usage, fmt::format("{} {} is outside {}-{}", what, text, least, most), "--output");
}

inline Result<void> parse_option(Destination& to, std::string_view option) {
  // RFC 7011 §10.3.3 and §10.4.3 bound a message: 512 bytes for any path, 64 KiB for any transport.
  constexpr std::uint64_t least_mtu = 512, most_mtu = 65'000, most_rate = 10'000'000;
  const std::size_t equals = std::min(option.find('='), option.size());
  const std::string_view name = option.substr(0, equals),
                         value = option.substr(std::min(equals + 1, option.size()));
  constexpr std::string_view names[] = {"rate", "mtu", "domain"};
  if (name == "rate") {
    WEIR_TRY(to.rate, number(name, value, 0, most_rate));
  } else if (name == "mtu") {
    WEIR_TRY(to.mtu, number(name, value, least_mtu, most_mtu));
  } else if (name == "domain") {
    WEIR_TRY(to.domain, number(name, value, 0, 0xffffffff));
  } else {
    return fail(Code::usage, "unknown setting " + std::string(name), "--output",
                suggestion(name, names, "rate, mtu and domain are there"));
  }
  return {};
}

inline Result<Destination> parse_destination(std::string_view text, Destination defaults) {
  Destination to = std::move(defaults);
  const std::size_t question = std::min(text.find('?'), text.size());
  for (std::string_view rest = text.substr(question); !rest.empty();) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('&'), rest.size());
    WEIR_CHECK(parse_option(to, rest.substr(0, end)));
    rest.remove_prefix(end);
  }
  std::string_view place = text.substr(0, question);
  if (place.starts_with('[')) {
    const std::size_t end = std::min(place.find(']'), place.size());
    to.host = place.substr(1, end - 1);
    place.remove_prefix(std::min(end + 1, place.size()));
  } else {
    if (std::count(place.begin(), place.end(), ':') > 1)
      return fail(Code::usage, fmt::format("{} is not HOST:PORT", place), "--output",
                  "IPv6 addresses stand in brackets: [2001:db8::1]:4739");
    const std::size_t end = std::min(place.find(':'), place.size());
    to.host = place.substr(0, end);
    place.remove_prefix(end);
  }
  if (to.host.empty() || (!place.empty() && place.front() != ':'))
    return fail(Code::usage, fmt::format("{} is not HOST:PORT", text), "--output");
  if (!place.empty()) {
    WEIR_TRY(const std::uint64_t port, number("port", place.substr(1), 1, 65535));
    to.port = static_cast<std::uint16_t>(port);
  }
  return to;
}

// How the two protocols differ.
struct Protocol {
  std::span<const Group> groups;  // at most 64
  std::uint16_t template_set;     // the set's number
  std::size_t header, alignment;  // bytes of the message's header; multiples that sets are padded to
};

struct Template {
  std::uint16_t id;
  std::vector<const Element*> elements;
  std::size_t record_size = 0;
  std::uint64_t announced = 0;  // the round of announcements it was last part of
};

// Puts records into messages of at most `mtu` bytes, each template before its first record and again in every
// round of announcements. The owner writes the header and sends.
class Messages {
 public:
  Messages(const Protocol& protocol, std::size_t mtu) : protocol_(protocol), mtu_(mtu) { begin(); }

  // False when the flow has no room left in this message: send it, begin() and add again.
  bool add(const Flow& flow) {
    Template& t = template_of(flow);
    const bool announce = t.announced != round_;
    const std::size_t template_bytes = announce ? set_header + template_size(t) : 0;
    const std::size_t set_bytes = open_set_ == t.id ? 0 : set_header;
    const std::size_t padding = 2 * (protocol_.alignment - 1);
    if (message_.size() + template_bytes + set_bytes + t.record_size + padding > mtu_ && entries_ != 0)
      return false;
    if (announce) put_template(t);
    if (open_set_ != t.id) open_set(t.id);
    for (const Element* e : t.elements) e->put(message_, flow);
    ++records_;
    ++entries_;
    return true;
  }
  // Templates are repeated from here on.
  void announce() noexcept { ++round_; }
  // Before the first record of a message.
  void set_epoch(std::uint64_t ms) noexcept { message_.epoch_ms = ms; }
  // The message so far, its last set closed and padded.
  Message& finish() {
    close_set();
    return message_;
  }
  void begin() {
    message_.begin(protocol_.header);
    records_ = entries_ = 0;
  }
  std::uint32_t records() const noexcept { return records_; }  // data records in the message
  std::uint32_t entries() const noexcept { return entries_; }  // data and template records in it

 private:
  static constexpr std::size_t set_header = 4;

  Template& template_of(const Flow& flow) {
    std::uint64_t shape = 0;
    for (std::size_t i = 0; i < protocol_.groups.size(); ++i)
      if (protocol_.groups[i].has(flow)) shape |= std::uint64_t{1} << i;
    // More than collectors keep does not come from one kind of traffic: they are numbered anew.
    constexpr std::size_t most = 1024;
    if (templates_.size() == most && !templates_.contains(shape)) templates_.clear();
    const auto [it, fresh] = templates_.try_emplace(shape);
    Template& t = it->second;
    if (!fresh) return t;
    constexpr std::size_t first_id = 256;
    t.id = static_cast<std::uint16_t>(first_id + templates_.size() - 1);
    for (std::size_t i = 0; i < protocol_.groups.size(); ++i) {
      if ((shape >> i & 1U) == 0) continue;
      for (const Element& e : protocol_.groups[i].elements) {
        t.elements.push_back(&e);
        t.record_size += e.size;
      }
    }
    return t;
  }
  static std::size_t template_size(const Template& t) {
    std::size_t size = 4;
    for (const Element* e : t.elements) size += e->enterprise != 0 ? 8 : 4;
    return size;
  }
  void put_template(Template& t) {
    if (open_set_ != protocol_.template_set) open_set(protocol_.template_set);
    message_.put(t.id, 2);
    message_.put(t.elements.size(), 2);
    for (const Element* e : t.elements) {
      constexpr std::uint16_t enterprise_bit = 0x8000;
      message_.put(e->enterprise != 0 ? e->id | enterprise_bit : e->id, 2);
      message_.put(e->size, 2);
      if (e->enterprise != 0) message_.put(e->enterprise, 4);
    }
    t.announced = round_;
    ++entries_;
  }
  void open_set(std::uint16_t id) {
    close_set();
    open_set_ = id;
    set_start_ = message_.size();
    message_.put(id, 2);
    message_.put(0, 2);
  }
  void close_set() {
    if (open_set_ == none) return;
    while ((message_.size() - set_start_) % protocol_.alignment != 0) message_.put(0, 1);
    message_.patch(set_start_ + 2, message_.size() - set_start_, 2);
    open_set_ = none;
  }

  static constexpr std::uint16_t none = 0xffff;
  const Protocol& protocol_;
  std::size_t mtu_;
  std::map<std::uint64_t, Template> templates_;  // by which groups it has
  std::uint64_t round_ = 1;
  Message message_;
  std::uint32_t records_ = 0, entries_ = 0;
  std::uint16_t open_set_ = none;
  std::size_t set_start_ = 0;
};

// Messages on the wire: paced, with templates again after so many of them (RFC 7011 §8.1, RFC 3954 §8).
class Outlet {
 public:
  Outlet(Sender sender, std::uint64_t rate, bool repeats)
      : sender_(std::move(sender)), pace_(rate), repeats_(repeats) {}
  Result<void> send(Messages& messages, Bytes message) {
    pace_.wait();
    WEIR_CHECK(sender_.send(message));
    constexpr unsigned round = 20;
    if (repeats_ && ++sent_ % round == 0) messages.announce();
    return {};
  }
  Result<void> check() const { return sender_.check(); }

 private:
  Sender sender_;
  Pace pace_;
  bool repeats_;
  std::uint64_t sent_ = 0;
};

// Flows alone are exported, and all of what is known of them.
inline bool takes(const RecordType& type) {
  return &type == &record_type<Flow>();
}
inline Result<void> only_flows(const SinkOptions& options, std::string_view name) {
  if (!options.fields.empty())
    return fail(Code::usage, std::string(name) + " sends whole flows", "-f", "leave -f out");
  if (options.types.size() == 1 && takes(*options.types.front())) return {};
  return fail(Code::usage, std::string(name) + " sends flows only", "--output", "add --records flow");
}

// The most that pass safely by default: collectors on the same machine have small queues, and paths have an
// MTU of 1,500 bytes or a little less.
inline constexpr std::uint64_t default_rate = 2000, default_mtu = 1400;

}  // namespace weir::flow_export

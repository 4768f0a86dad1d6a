#include "probe/ports.hpp"

#include <algorithm>
#include <bitset>
#include <charconv>

#include "core/human.hpp"
#include "core/suggest.hpp"
#include "probe/port_ranks.hpp"

namespace weir {
namespace {

constexpr unsigned most_ports = 65'536;
constexpr std::uint16_t last_system_port = 1023;  // RFC 6335 §6
using Ports = std::bitset<most_ports>;

std::span<const RankedPort> ranked(IpProto proto) noexcept {
  if (proto == IpProto::udp) return ranked_udp_ports;
  return ranked_tcp_ports;
}

std::vector<std::uint16_t> sorted(std::vector<std::uint16_t> ports) {
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

std::vector<std::uint16_t> listed(const Ports& in) {
  std::vector<std::uint16_t> out;
  for (unsigned port = 0; port < most_ports; ++port)
    if (in[port]) out.push_back(static_cast<std::uint16_t>(port));
  return out;
}

// The list, and behind it the system ports that it lacks.
std::vector<std::uint16_t> in_order(IpProto proto) {
  std::vector<std::uint16_t> order;
  Ports seen;
  const auto add = [&](std::uint16_t port) {
    if (!seen[port]) order.push_back(port);
    seen.set(port);
  };
  for (const RankedPort& p : ranked(proto)) add(p.port);
  for (std::uint16_t port = 1; port <= last_system_port; ++port) add(port);
  return order;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_printable(out, text);
  return out + "\"";
}

Result<unsigned> number(std::string_view text, std::string_view where) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument)
    return fail(Code::usage, quoted(text) + " is not a port", std::string(where),
                "write 22, 80-90, -1024, 8000- or - for all");
  if (error != std::errc{} || value >= most_ports)
    return fail(Code::usage, "port " + std::string(text) + " is outside 0-65535", std::string(where));
  return value;
}

bool is_numeric(std::string_view item) noexcept {
  return item.find_first_not_of("0123456789-") == item.npos;
}

Result<void> add_named(std::string_view item, IpProto proto, Ports& out, std::string_view where) {
  bool found = false;
  std::vector<std::string_view> names;
  for (const RankedPort& p : ranked(proto)) {
    if (!p.name.empty()) names.push_back(p.name);
    if (p.name != item) continue;
    out.set(p.port);
    found = true;
  }
  if (found) return {};
  return fail(Code::usage, quoted(item) + " is neither a port nor a service known here", std::string(where),
              suggestion(item, names, "write its number"));
}

Result<void> add_item(std::string_view item, IpProto proto, Ports& out, std::string_view where) {
  if (item.empty())
    return fail(Code::usage, "a port is missing", std::string(where), "write 22,80-90, or - for all");
  if (!is_numeric(item)) return add_named(item, proto, out, where);
  unsigned first = 1, last = most_ports - 1;
  const std::size_t dash = item.find('-');
  if (dash != 0) {
    WEIR_TRY(first, number(item.substr(0, dash), where));
  }
  if (dash == item.npos) {
    last = first;
  } else if (dash + 1 < item.size()) {
    WEIR_TRY(last, number(item.substr(dash + 1), where));
  }
  if (last < first)
    return fail(Code::usage, "range " + std::string(item) + " begins behind its end", std::string(where),
                "write " + std::to_string(last) + "-" + std::to_string(first));
  for (unsigned port = first; port <= last; ++port) out.set(port);
  return {};
}

void append_list(std::string& out, char mark, std::span<const std::uint16_t> ports) {
  if (ports.empty()) return;
  if (!out.empty()) out += ',';
  out += mark;
  out += ':';
  for (std::size_t i = 0; i < ports.size();) {
    std::size_t end = i;
    while (end + 1 < ports.size() && ports[end + 1] == ports[end] + 1) ++end;
    if (i > 0) out += ',';
    out += std::to_string(ports[i]);
    if (end > i) out += (end == i + 1 ? "," : "-") + std::to_string(ports[end]);
    i = end + 1;
  }
}

}  // namespace

PortSet::PortSet(std::vector<std::uint16_t> tcp, std::vector<std::uint16_t> udp)
    : tcp_(sorted(std::move(tcp))), udp_(sorted(std::move(udp))) {}

ProtoPort PortSet::nth(std::size_t index) const noexcept {
  WEIR_ASSERT(index < size());
  if (index < tcp_.size()) return {IpProto::tcp, tcp_[index]};
  return {IpProto::udp, udp_[index - tcp_.size()]};
}

std::optional<std::size_t> PortSet::index_of(ProtoPort port) const noexcept {
  if (port.proto != IpProto::tcp && port.proto != IpProto::udp) return std::nullopt;
  const bool udp = port.proto == IpProto::udp;
  const std::vector<std::uint16_t>& ports = udp ? udp_ : tcp_;
  const auto it = std::ranges::lower_bound(ports, port.port);
  if (it == ports.end() || *it != port.port) return std::nullopt;
  return static_cast<std::size_t>(it - ports.begin()) + (udp ? tcp_.size() : 0);
}

Result<PortSet> parse_ports(std::string_view text, std::span<const IpProto> protos, std::string_view where) {
  Ports tcp, udp;
  std::vector<IpProto> current(protos.begin(), protos.end());
  const std::string_view whole = text;
  // In a list the place is that of the item: "-p:4".
  const auto place = [&] {
    const auto column = static_cast<std::size_t>(text.data() - whole.data()) + 1;
    return std::string(where) + (whole.find(',') == whole.npos ? "" : ":" + std::to_string(column));
  };
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    if (item.size() > 1 && item[1] == ':') {
      const char mark = static_cast<char>(item[0] | 0x20);
      if (mark != 't' && mark != 'u')
        return fail(Code::usage, quoted(item.substr(0, 2)) + " is no protocol", place(),
                    "T: is TCP, U: is UDP");
      current.assign(1, mark == 'u' ? IpProto::udp : IpProto::tcp);
      item.remove_prefix(2);
    }
    for (const IpProto proto : current)
      WEIR_CHECK(add_item(item, proto, proto == IpProto::udp ? udp : tcp, place()));
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  return PortSet(listed(tcp), listed(udp));
}

Result<PortSet> top_ports(std::size_t count, std::span<const IpProto> protos, std::string_view where) {
  std::vector<std::uint16_t> tcp, udp;
  for (const IpProto proto : protos) {
    const auto order = in_order(proto);
    if (count == 0 || count > order.size())
      return fail(Code::usage, std::to_string(count) + " is outside 1-" + std::to_string(order.size()),
                  std::string(where), "-p- is all ports");
    (proto == IpProto::udp ? udp : tcp)
        .assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return PortSet(std::move(tcp), std::move(udp));
}

std::size_t most_top_ports(IpProto proto) noexcept {
  std::size_t count = last_system_port;
  for (const RankedPort& p : ranked(proto))
    if (p.port > last_system_port) ++count;
  return count;
}

std::string_view port_name(ProtoPort port) noexcept {
  for (const RankedPort& p : ranked(port.proto))
    if (p.port == port.port) return p.name;
  return {};
}

std::string to_string(const PortSet& ports) {
  std::string out;
  append_list(out, 'T', ports.tcp());
  append_list(out, 'U', ports.udp());
  return out;
}

}  // namespace weir

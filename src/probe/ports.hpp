// Which ports to probe, by protocol.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/schema.hpp"

namespace weir {

struct ProtoPort {
  IpProto proto = IpProto::tcp;
  std::uint16_t port = 0;
  auto operator<=>(const ProtoPort&) const = default;
};

// Each port once, TCP before UDP, both in order. Immutable: any thread.
class PortSet {
 public:
  PortSet() = default;
  // In any order, with duplicates or not.
  PortSet(std::vector<std::uint16_t> tcp, std::vector<std::uint16_t> udp);

  std::size_t size() const noexcept { return tcp_.size() + udp_.size(); }
  bool empty() const noexcept { return size() == 0; }
  std::span<const std::uint16_t> tcp() const noexcept { return tcp_; }
  std::span<const std::uint16_t> udp() const noexcept { return udp_; }
  // index < size().
  ProtoPort nth(std::size_t index) const noexcept;
  std::optional<std::size_t> index_of(ProtoPort port) const noexcept;

 private:
  std::vector<std::uint16_t> tcp_, udp_;
};

// "22,80-90,U:53,T:8000-,-": T: and U: say the protocol of what follows, up to the next; without them it is
// `protos`, each of them. "-" is 1-65535, and a range may lack an end. Names are those of port_name()
// ("ssh"). Fails with Code::usage; `where` names the text in errors ("-p").
Result<PortSet> parse_ports(std::string_view text, std::span<const IpProto> protos, std::string_view where);

// The `count` ports most worth probing, of each of `protos`. Fails with Code::usage beyond most_top_ports.
Result<PortSet> top_ports(std::size_t count, std::span<const IpProto> protos, std::string_view where);
std::size_t most_top_ports(IpProto proto) noexcept;

// The service that customarily listens there, by its IANA name where it has one: "ssh". Empty: none known.
std::string_view port_name(ProtoPort port) noexcept;

// In the form of parse_ports(): "T:22,80-90,U:53".
std::string to_string(const PortSet& ports);

}  // namespace weir

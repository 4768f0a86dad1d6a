// Who is on a link with IPv6, where a network is too large to be walked through: all nodes are asked at once
// (RFC 4291 §2.7.1), in three ways, as not every host answers to each.
#pragma once

#include <functional>
#include <vector>

#include "os/packet_socket.hpp"
#include "os/routes.hpp"

namespace weir {

struct LinkDiscoveryOptions {
  Duration spacing = milliseconds(500);  // between the two times that everybody is asked
  Duration wait = milliseconds(1500);    // for answers to the second
};

// What is sent: echo requests from each of this machine's own addresses; echo requests with an option that
// nobody knows, of which also hosts tell that ignore the former (RFC 4443 §3.4); a query for multicast
// listeners (RFC 3810), which may let a router leave further queries to this machine for some minutes. The
// addresses of whoever answered, in order, each once, this machine's aside; hosts that were heard on their
// own account (neighbour discovery) among them. `go_on` is called a few times a second; false ends it. Fails
// with Code::environment, the remedy told: no privilege, no IPv6 on the link.
Result<std::vector<Addr>> find_on_link(Routes& routes, const Interface& interface,
                                       const std::function<bool()>& go_on,
                                       const LinkDiscoveryOptions& options = {});

// What tells that a request was this run's.
struct LinkProbe {
  std::array<std::uint8_t, 8> proof{};
};
// Each writes a whole frame; returns one past its last byte.
std::uint8_t* write_all_nodes_echo(std::uint8_t* out, const LinkProbe& probe, const Mac& mac,
                                   const Addr& from) noexcept;
std::uint8_t* write_all_nodes_odd_echo(std::uint8_t* out, const LinkProbe& probe, const Mac& mac,
                                       const Addr& from) noexcept;
std::uint8_t* write_listener_query(std::uint8_t* out, const Mac& mac, const Addr& from) noexcept;
// Whose address the packet shows to be on the link; nothing when it shows none. Hostile bytes are nothing.
std::optional<Addr> read_link_answer(Bytes packet, const LinkProbe& probe) noexcept;

}  // namespace weir

// Which way the kernel would send a packet, and who is known on the link: rtnetlink(7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "os/netlink.hpp"

namespace weir {

struct Interface {
  unsigned index = 0;
  std::string name;
  bool up = false, loopback = false;
  bool ethernet = false;  // has MAC addresses and ARP: frames can be built for it
  Mac mac;
  unsigned mtu = 0;
};

struct Route {
  unsigned interface = 0;       // index
  Addr source;                  // what the kernel would send from
  std::optional<Addr> gateway;  // none: the destination itself is on the link
  bool local = false;           // to this machine
};

// One thread at a time.
class Routes {
 public:
  Routes() = default;  // to be assigned to
  // Fails with Code::environment.
  static Result<Routes> open();

  const std::vector<Interface>& interfaces() const noexcept { return interfaces_; }
  // nullptr when there is none.
  const Interface* find_interface(unsigned index) const noexcept;
  const Interface* find_interface(std::string_view name) const noexcept;

  // The kernel's own decision, policy routing included; with `interface` not 0, as if bound to it. Fails with
  // Code::environment: "network is unreachable", "a blackhole route".
  Result<Route> find(const Addr& destination, unsigned interface = 0);
  // Of a packet that the kernel did not send with this errno: the route or rule that forbids it, if that is
  // why. A literal; empty otherwise. Any thread.
  static std::string_view forbidding(const Addr& destination, int error);
  // Where decisions may change: the first addresses of all routed networks, and the first behind each; in
  // order, each once. Addresses between two of them have the same route.
  Result<std::vector<Addr>> boundaries();
  // Its own, those that are not ready for use (tentative) aside.
  Result<std::vector<Addr>> addresses(unsigned interface);
  // What the kernel knows of the neighbour; nothing when it does not.
  std::optional<Mac> neighbour(unsigned interface, const Addr& address);

 private:
  explicit Routes(Netlink netlink) noexcept : netlink_(std::move(netlink)) {}
  Result<void> load_interfaces();

  Netlink netlink_;
  std::vector<Interface> interfaces_;
};

}  // namespace weir

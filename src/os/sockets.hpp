// The TCP and UDP sockets of this network namespace: sock_diag(7). Nothing here needs privilege.
#pragma once

#include <vector>

#include "core/schema.hpp"
#include "os/netlink.hpp"

namespace weir {

struct SocketEntry {
  IpProto proto = IpProto::tcp;
  Addr local, remote;  // unspecified: of every address; not connected
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t interface = 0;  // that it is bound to; 0: none
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;  // 0: no process has it any more
  // The payload that a TCP connection took in and sent since its start, retransmissions included; null for
  // other sockets.
  std::optional<std::uint64_t> in_payload{}, out_payload{};
  bool timestamps = false;                          // TCP segments carry them (RFC 7323): 12 bytes each
  std::uint32_t in_segments = 0, out_segments = 0;  // of a TCP connection
};

// One thread at a time.
class Sockets {
 public:
  // Fails with Code::environment, also when this kernel cannot tell of sockets.
  static Result<Sockets> open();
  Result<std::vector<SocketEntry>> read();

 private:
  explicit Sockets(Netlink netlink) noexcept : netlink_(std::move(netlink)) {}
  Netlink netlink_;
};

}  // namespace weir

#include "os/sockets.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace weir {
namespace {

Addr address_of(const __be32* words, bool v4) noexcept {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words);
  return v4 ? Addr::v4(bytes) : Addr::v6(bytes);
}

SocketEntry entry_of(const nlmsghdr& message, IpProto proto) {
  const auto about = fixed_of<inet_diag_msg>(message);
  const bool v4 = about.idiag_family == AF_INET;
  SocketEntry e{.proto = proto,
                .local = address_of(about.id.idiag_src, v4),
                .remote = address_of(about.id.idiag_dst, v4),
                .local_port = ntohs(about.id.idiag_sport),
                .remote_port = ntohs(about.id.idiag_dport),
                .interface = about.id.idiag_if,
                .uid = about.idiag_uid,
                .inode = about.idiag_inode};
  if (proto != IpProto::tcp) return e;
  each_attribute_behind<inet_diag_msg>(message, [&](int type, Bytes bytes) {
    if (type != INET_DIAG_INFO || bytes.size() < offsetof(tcp_info, tcpi_segs_in) + 4) return;
    tcp_info info{};
    std::memcpy(&info, bytes.data(), std::min(bytes.size(), sizeof info));  // older kernels tell less
    e.in_payload = info.tcpi_bytes_received;
    const bool told = bytes.size() >= offsetof(tcp_info, tcpi_bytes_sent) + 8;  // since Linux 4.19
    e.out_payload = told ? info.tcpi_bytes_sent : info.tcpi_bytes_acked;
    e.in_segments = info.tcpi_segs_in;
    e.out_segments = info.tcpi_segs_out;
    e.timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
  });
  return e;
}

}  // namespace

Result<Sockets> Sockets::open() {
  WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_SOCK_DIAG, "sockets"));
  return Sockets(std::move(netlink));
}

Result<std::vector<SocketEntry>> Sockets::read() {
  constexpr std::uint32_t every_state = ~std::uint32_t{0};
  std::vector<SocketEntry> out;
  for (const IpProto proto : {IpProto::tcp, IpProto::udp})
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
      NetlinkRequest request;
      auto& wanted = request.begin<inet_diag_req_v2>(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
      wanted.sdiag_family = family;
      wanted.sdiag_protocol = static_cast<std::uint8_t>(proto);
      wanted.idiag_states = every_state;
      if (proto == IpProto::tcp) wanted.idiag_ext = 1U << (INET_DIAG_INFO - 1);
      const auto asked = netlink_.ask(request, [&](const nlmsghdr& message) {
        if (message.nlmsg_type == SOCK_DIAG_BY_FAMILY) out.push_back(entry_of(message, proto));
      });
      // A kernel may be without IPv6, or without the part that tells of UDP.
      if (!asked && proto == IpProto::tcp && family == AF_INET)
        return fail(Code::environment, "cannot ask for sockets: " + asked.error().what);
    }
  return out;
}

}  // namespace weir

// Whose a flow's packets are: the processes behind the sockets of this network namespace. And, without
// packets, what the sockets themselves say went through them.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>

#include "engine/traffic_shares.hpp"
#include "os/processes.hpp"
#include "os/sockets.hpp"

namespace weir {

// One end of a flow that is this machine's, and the other one.
struct SocketEnd {
  IpProto proto{};
  Addr local, remote;
  std::uint16_t local_port = 0, remote_port = 0;

  bool operator==(const SocketEnd&) const = default;
};

// One thread at a time.
class SocketOwners {
 public:
  // Fails with Code::environment.
  static Result<SocketOwners> open();
  // Looks at sockets, and at processes where sockets are new. Sockets that are closed are remembered for two
  // more looks: their last packets come later.
  Result<void> look();
  // For when a flow begins, whose socket may be closed before the next look(): looks at once, but spends no
  // more than a tenth of the time on it.
  Result<void> look_soon();

  // A process, else the user of a socket whose process may not be known; nothing when there is no socket.
  // Listening and unconnected sockets take what goes to their port.
  std::optional<ShareKey> owner(const SocketEnd& end) const;
  // Of a key that owner() gave: "iperf3", "www-data".
  std::string_view name(const ShareKey& key) const noexcept;

  // What TCP sockets carried between the last two looks, by interface: payload, and the headers that the
  // segments had. Empty after the first.
  const std::map<std::uint32_t, Shares>& carried() const noexcept { return carried_; }
  // Which interface has which address: traffic to an own address is the loopback's. Before look().
  void set_addresses(std::vector<std::pair<Addr, std::uint32_t>> addresses, std::uint32_t loopback) {
    addresses_ = std::move(addresses);
    loopback_ = loopback;
  }

 private:
  explicit SocketOwners(Sockets sockets) noexcept : sockets_(std::move(sockets)) {}
  struct EndHash {
    std::size_t operator()(const SocketEnd& end) const noexcept;
  };
  struct Known {
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;
    std::uint32_t looked = 0;  // the last look that saw it
  };
  struct Carried {
    std::uint64_t in = 0, out = 0;
    std::uint32_t in_segments = 0, out_segments = 0, looked = 0;
  };
  static SocketEnd end_of(const SocketEntry& entry) noexcept;
  ShareKey key_of(const Known& socket) const;
  std::optional<std::uint32_t> interface_of(const SocketEntry& entry) const noexcept;
  void remember(const std::vector<SocketEntry>& entries);
  void measure(const std::vector<SocketEntry>& entries);

  Sockets sockets_;
  boost::unordered_flat_map<SocketEnd, Known, EndHash> known_;
  std::unordered_map<std::uint64_t, Process> processes_;  // by inode
  std::map<std::uint32_t, std::string> names_, users_;    // of processes and users that owner() may tell
  boost::unordered_flat_map<SocketEnd, Carried, EndHash> latest_;
  std::map<std::uint32_t, Shares> carried_;
  std::vector<std::pair<Addr, std::uint32_t>> addresses_;
  std::uint32_t loopback_ = 0, looks_ = 0;
  Time last_look_;      // its end, on the steady clock
  Duration look_cost_;  // how long it took
};

}  // namespace weir

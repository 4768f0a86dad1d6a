// Who takes how much of what an interface counts: shares of one interval that add up to its counters. Nothing
// here knows where the numbers come from.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <vector>

#include "core/schema.hpp"

namespace weir {

// Whose share it is.
struct ShareKey {
  enum class Kind : std::uint8_t {
    host,         // a
    flow,         // proto, a and a_port to b and b_port
    port,         // proto, a_port
    protocol,     // proto: without ports
    ether,        // a_port: EtherType of what is not IP
    application,  // name
    process,      // id: its number
    user,         // id: of a socket whose process may not be known
  };
  Kind kind = Kind::host;
  IpProto proto{};
  std::uint16_t a_port = 0, b_port = 0;
  std::uint32_t id = 0;
  Addr a{}, b{};
  const char* name = nullptr;  // a literal, compared as a pointer

  bool operator==(const ShareKey&) const = default;
};
struct ShareKeyHash {
  std::size_t operator()(const ShareKey& key) const noexcept;
};

// What an interface counts, and what a share has of it.
struct Volume {
  std::uint64_t in_bytes = 0, out_bytes = 0, in_packets = 0, out_packets = 0;
  static constexpr std::array members = {&Volume::in_bytes, &Volume::out_bytes, &Volume::in_packets,
                                         &Volume::out_packets};

  std::uint64_t bytes() const noexcept { return in_bytes + out_bytes; }
  Volume& operator+=(const Volume& other) noexcept {
    for (const auto member : members) this->*member += other.*member;
    return *this;
  }
  bool operator==(const Volume&) const = default;
};

using Shares = boost::unordered_flat_map<ShareKey, Volume, ShareKeyHash>;

struct Share {
  ShareKey key;
  Volume volume;
};
// Together exactly what was counted.
struct Settled {
  std::vector<Share> top;  // the largest first
  Volume others;           // shares beyond those, and what had no key
  std::size_t other_keys = 0;
  Volume unattributed;  // what was counted and nobody accounts for
};

class ShareLedger {
 public:
  // Shares are what somebody saw until the counters were read; `others` has no key. What was seen and not
  // counted yet is taken off and comes again in the next interval; what is not counted then either never is
  // (a VLAN tag that the interface leaves out). `most` shares are kept apart.
  Settled settle(Shares shares, const Volume& others, const Volume& counted, std::size_t most);
  void forget() { carried_.clear(); }

 private:
  Shares carried_;
};

}  // namespace weir

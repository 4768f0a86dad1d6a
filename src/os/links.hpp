// The interfaces of this machine's network namespace and their 64-bit counters: rtnetlink(7), IFLA_STATS64.
#pragma once

#include <string>
#include <vector>

#include "os/netlink.hpp"
#include "records/counter.hpp"

namespace weir {

struct Link {
  std::string name, alias;
  bool loopback = false;
  Counter counter;  // without texts and what needs two readings; `time` is the time of day
  Time steady;      // of the same moment (CLOCK_MONOTONIC)
};

// One thread at a time. Nothing here needs privilege.
class Links {
 public:
  // Fails with Code::environment.
  static Result<Links> open();
  // All of them, in one moment. Speeds are what drivers say of a wire; those of virtual links are made up
  // and left out.
  Result<std::vector<Link>> read();

 private:
  Links(Netlink netlink, Descriptor ethtool) noexcept
      : netlink_(std::move(netlink)), ethtool_(std::move(ethtool)) {}

  Netlink netlink_;
  Descriptor ethtool_;
};

}  // namespace weir

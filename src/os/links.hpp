// The interfaces of this machine's network namespace and their 64-bit counters: rtnetlink(7), IFLA_STATS64.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/descriptor.hpp"
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
  Links(Descriptor netlink, Descriptor ethtool) noexcept;
  Result<bool> take(std::vector<Link>& out, Time wall, Time steady);

  Descriptor netlink_, ethtool_;
  std::vector<std::uint8_t> answer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace weir

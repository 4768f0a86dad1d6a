// What is wired to what, as LLDP, CDP and the tables of bridges tell it. Pure, as the inventory; one thread
// at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/addr.hpp"
#include "core/time.hpp"

namespace weir {

class Inventory;

// One end's word. Devices are named as Inventory::find() finds them: by hardware address, address or name.
struct LinkTold {
  std::string device, port, neighbour, neighbour_port;
  std::string source;          // lldp, cdp, bridge
  std::string neighbour_name;  // what the neighbour calls itself; may be empty
  Time first, last;
  bool changed = true;  // since it was loaded
};

// Both ends' words, put together.
struct Joint {
  struct End {
    std::uint64_t device = 0;  // 0: not in the inventory
    std::string called, port;  // called: by its neighbours; empty where the inventory knows better
  };
  End a, b;
  std::set<std::string> sources;
  Time first, last;
};

class Topology {
 public:
  // The other end of a frame that was heard by whoever captured it, with nobody else on the link.
  static constexpr std::string_view here = "here";

  void tell(LinkTold link);
  // A frame of LLDP or CDP, which no bridge passes on: all that are heard at one interface share a cable.
  void hear(std::uint16_t interface, const LinkTold& speaker, Duration holds);

  // Everything that was told, for whoever keeps it.
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  const std::map<Key, LinkTold>& told() const noexcept { return told_; }
  void restore(LinkTold link);  // for whoever loads it
  std::uint64_t refused() const noexcept { return refused_; }

  // Each cable once, by its ends. What newer words of the same device contradict does not count: another
  // neighbour at a port, a host at another port of a bridge, nothing of it for a day. Of bridges' words only
  // those remain that no better word or nearer bridge explains.
  std::vector<Joint> joints(Inventory& inventory) const;

 private:
  static constexpr std::size_t most_links = 200'000;  // beyond, new ones are only counted
  struct Heard {
    LinkTold speaker;
    Time until;
  };
  std::map<Key, LinkTold> told_;
  std::map<std::uint16_t, std::map<std::string, Heard>> heard_;  // by interface, then by speaker
  std::uint64_t refused_ = 0;
};

}  // namespace weir

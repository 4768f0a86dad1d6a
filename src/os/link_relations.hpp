// Which of this network namespace's interfaces are made of others: bridges, bonds, VLANs. rtnetlink(7).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace weir {

struct LinkRelation {
  unsigned index = 0;
  std::string kind;     // "bridge", "bond", "vlan", …; empty for hardware
  unsigned master = 0;  // that it is a part of; 0: none
  unsigned lower = 0;   // that it sends through, or to (veth); 0: none, or in another namespace
  std::uint16_t vlan = 0;
};

// All of them. Needs no privilege. Fails with Code::environment.
Result<std::vector<LinkRelation>> link_relations();

}  // namespace weir

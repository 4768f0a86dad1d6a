#include "packet/layer.hpp"

namespace weir {

std::string_view name_of(Tunnel t) noexcept {
  switch (t) {
    case Tunnel::none: return {};
    case Tunnel::gre: return "gre";
    case Tunnel::ipip: return "ipip";
    case Tunnel::sixinfour: return "6in4";
    case Tunnel::vxlan: return "vxlan";
    case Tunnel::geneve: return "geneve";
    case Tunnel::gtp: return "gtp";
    case Tunnel::teredo: return "teredo";
    case Tunnel::erspan: return "erspan";
  }
  return {};
}

}  // namespace weir

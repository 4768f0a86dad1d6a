// What a host calls itself in NetBIOS, by its answer to a node status request.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Netbios {
  Time time;
  FlowRef flow;
  Addr ip;
  std::optional<Mac> mac;
  Text name, workgroup;
  List<Text> names, groups;
};
template <>
inline constexpr auto schema<Netbios> = record(
    "netbios", "The NetBIOS names of a host, as it lists them when asked for its node status",
    field("time", &Netbios::time, "When the answer was seen"),
    field("flow", &Netbios::flow, "The flow that carried it"), field("ip", &Netbios::ip, "Who answered"),
    field("mac", &Netbios::mac, "Hardware address it tells; null where it does not, as Samba"),
    field("name", &Netbios::name, "The host's own name"),
    field("workgroup", &Netbios::workgroup, "Its workgroup or domain"),
    field("names", &Netbios::names,
          "Names that are its alone, with their kind: STORE-1<00> host, <03> messenger or user, <20> file "
          "server, <1b> domain master browser"),
    field("groups", &Netbios::groups,
          "Names it shares: WORKGROUP<00> workgroup, <1c> domain controllers, <1e> browser elections"));

}  // namespace weir

#include "os/link_relations.hpp"

#include <linux/if_link.h>

#include "os/netlink.hpp"

namespace weir {
namespace {

void fill_info(LinkRelation& link, Bytes info) {
  each_attribute(info, [&](int type, Bytes value) {
    if (type == IFLA_INFO_KIND) link.kind = text_in(value);
    if (type == IFLA_INFO_DATA && link.kind == "vlan")
      each_attribute(value, [&](int inner, Bytes number) {
        if (inner == IFLA_VLAN_ID && number.size() >= 2) link.vlan = load_le<std::uint16_t>(number.data());
      });
  });
}

LinkRelation relation_of(const nlmsghdr& message) {
  LinkRelation link{.index = static_cast<unsigned>(fixed_of<ifinfomsg>(message).ifi_index)};
  bool elsewhere = false;
  each_attribute_behind<ifinfomsg>(message, [&](int type, Bytes value) {
    if (type == IFLA_MASTER) link.master = number_in(value);
    if (type == IFLA_LINK) link.lower = number_in(value);
    if (type == IFLA_LINK_NETNSID) elsewhere = true;
    if (type == IFLA_LINKINFO) fill_info(link, value);
  });
  if (elsewhere) link.lower = 0;
  return link;
}

}  // namespace

Result<std::vector<LinkRelation>> link_relations() {
  WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE, "interfaces"));
  NetlinkRequest request;
  request.begin<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  std::vector<LinkRelation> all;
  const auto asked = netlink.ask(request, [&](const nlmsghdr& message) {
    if (message.nlmsg_type == RTM_NEWLINK) all.push_back(relation_of(message));
  });
  if (!asked) return fail(Code::environment, "cannot ask for interfaces: " + asked.error().what);
  return all;
}

}  // namespace weir

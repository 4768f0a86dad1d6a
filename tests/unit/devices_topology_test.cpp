// What is wired to what, out of words of one end each.
#include "devices/topology.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devices/inventory.hpp"

namespace weir {
namespace {

std::string mac(int n) {
  char text[mac_text_max];
  return {text, write_mac(text, Mac{{0, 0x16, 0x3e, 0, 0, static_cast<std::uint8_t>(n)}})};
}

// Devices with the numbers of their hardware addresses.
struct Net {
  explicit Net(int devices) {
    for (int n = 1; n <= devices; ++n) {
      Sighting sighting{.time = Time{} + seconds(1), .mac = *parse_mac(mac(n))};
      inventory.see(sighting);
    }
  }
  void tell(int device, std::string port, int neighbour, std::string neighbour_port, std::string source,
            int at = 2) {
    const Time time = Time{} + seconds(at);
    inventory.topology().tell({mac(device),
                               std::move(port),
                               mac(neighbour),
                               std::move(neighbour_port),
                               std::move(source),
                               {},
                               time,
                               time});
  }
  void hear(int device, std::string port, int second) {
    const Time at = Time{} + seconds(second);
    inventory.topology().hear(0, {mac(device), std::move(port), {}, {}, "lldp", {}, at, at}, seconds(120));
  }
  // "1:port-2:port lldp".
  std::vector<std::string> joints() {
    std::vector<std::string> out;
    for (const Joint& j : inventory.topology().joints(inventory)) {
      const auto end = [](const Joint::End& e) {
        return (e.device != 0 ? std::to_string(e.device) : e.called) + ":" + e.port;
      };
      out.push_back(end(j.a) + "-" + end(j.b));
      for (const std::string& source : j.sources) out.back() += " " + source;
    }
    return out;
  }
  Inventory inventory;
};
using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(Topology, BothEndsWordsAreOneCable) {
  Net net(2);
  net.tell(1, "GigabitEthernet0/1", 2, "Gi0/7", "lldp");
  net.tell(2, "GigabitEthernet0/7", 1, "Gi0/1", "cdp");
  EXPECT_THAT(net.joints(), ElementsAre("1:GigabitEthernet0/1-2:GigabitEthernet0/7 cdp lldp"));
}

TEST(Topology, ParallelCablesStayTwo) {
  Net net(2);
  net.tell(1, "eth1", 2, "eth5", "lldp");
  net.tell(1, "eth2", 2, "eth6", "lldp");
  net.tell(2, "eth5", 1, "eth1", "lldp");
  net.tell(2, "eth6", 1, "eth2", "lldp");
  EXPECT_THAT(net.joints(), UnorderedElementsAre("1:eth1-2:eth5 lldp", "1:eth2-2:eth6 lldp"));
}

TEST(Topology, HostsAreAtTheNearestBridge) {
  // Bridges 1 - 2 - 3 in a row, unheard; host 4 at 1, host 5 at 3.
  Net net(5);
  for (const int n : {2, 3, 5}) net.tell(1, "p2", n, "", "bridge");
  net.tell(1, "p9", 4, "", "bridge");
  for (const int n : {1, 4}) net.tell(2, "p1", n, "", "bridge");
  for (const int n : {3, 5}) net.tell(2, "p3", n, "", "bridge");
  for (const int n : {1, 2, 4}) net.tell(3, "p2", n, "", "bridge");
  net.tell(3, "p9", 5, "", "bridge");
  EXPECT_THAT(net.joints(), UnorderedElementsAre("1:p2-2:p1 bridge", "2:p3-3:p2 bridge", "1:p9-4: bridge",
                                                 "3:p9-5: bridge"));
}

TEST(Topology, WhoIsHeardAtOneInterfaceSharesACable) {
  Net net(2);
  net.hear(1, "Gi0/1", 1);
  EXPECT_THAT(net.joints(), ElementsAre("1:Gi0/1-here: lldp"));
  net.hear(2, "eth0", 2);
  EXPECT_THAT(net.joints(), ElementsAre("1:Gi0/1-2:eth0 lldp"));
}

TEST(Topology, WhoseWordHasRunOutIsNotHeardAnyMore) {
  Net net(2);
  net.hear(1, "Gi0/1", 1);
  net.hear(2, "eth0", 200);
  EXPECT_EQ(net.joints().size(), 2u);
  EXPECT_THAT(net.joints(), testing::Each(testing::HasSubstr("here")));
}

TEST(Topology, NewerWordsCount) {
  Net net(5);
  net.tell(1, "eth1", 2, "eth0", "lldp", 10);
  net.tell(1, "eth1", 3, "eth0", "lldp", 2000);  // wired anew
  net.tell(1, "eth2", 4, "", "bridge", 10);
  net.tell(1, "eth3", 4, "", "bridge", 2000);  // moved
  net.tell(1, "eth2", 5, "", "bridge", 10);    // quiet
  EXPECT_THAT(net.joints(),
              UnorderedElementsAre("1:eth1-3:eth0 lldp", "1:eth3-4: bridge", "1:eth2-5: bridge"));
  net.tell(1, "eth3", 4, "", "bridge", 100'000);
  EXPECT_THAT(net.joints(), UnorderedElementsAre("1:eth1-3:eth0 lldp", "1:eth3-4: bridge"));
}

TEST(Topology, LargeBridgesTakeNoTime) {
  Net net(1);
  for (int n = 0; n < 20'000; ++n)
    net.inventory.topology().tell({mac(1),
                                   "eth" + std::to_string(n % 48),
                                   "host-" + std::to_string(n),
                                   {},
                                   "bridge",
                                   {},
                                   Time{} + seconds(1),
                                   Time{} + seconds(1)});
  EXPECT_EQ(net.joints().size(), 20'000u);
}

TEST(Topology, StrangersAreCalledByTheirNames) {
  Net net(1);
  net.inventory.topology().tell({mac(1), "eth0", "02:00:00:00:00:99", "1", "lldp", "far-away", {}, {}});
  EXPECT_THAT(net.joints(), ElementsAre("far-away:1-1:eth0 lldp"));
}

}  // namespace
}  // namespace weir

#include "engine/snmp_facts.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(SnmpFacts, AreWhatIsBuiltAndSetUp) {
  SnmpDevice device;
  device.name = "switch-1";
  device.description = "Lab OS 7.1";
  device.contact = "noc";
  device.components = {{.index = 1, .kind = 3, .model = "LS-48", .serial = "FOC123"},
                       {.index = 2, .kind = 10, .name = "Port 1"},
                       {.index = 3, .kind = 99, .name = "odd"}};
  device.interfaces = {{.name = "Gi0/1",
                        .description = "GigabitEthernet0/1",
                        .alias = "uplink",
                        .type = 6,
                        .mtu = 1500,
                        .admin_status = 1},
                       {.name = "veth0a1b", .description = "veth0a1b", .type = 6},
                       {.name = "lo", .description = "lo", .type = 24, .admin_status = 2}};
  EXPECT_EQ(snmp_facts(device),
            "name switch-1\n"
            "description Lab OS 7.1\n"
            "contact noc\n"
            "component 1 chassis\n"
            "  model LS-48\n"
            "  serial FOC123\n"
            "component 3 99\n"
            "  name odd\n"
            "interface Gi0/1\n"
            "  description GigabitEthernet0/1\n"
            "  alias uplink\n"
            "  type ethernet\n"
            "  mtu 1500\n"
            "  admin up\n"
            "interface lo\n"
            "  type loopback\n"
            "  admin down\n");
  EXPECT_EQ(snmp_facts({}), "");
}

}  // namespace
}  // namespace weir

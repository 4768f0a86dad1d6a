// What an SNMP agent tells of its device: what it is (SNMPv2-MIB, ENTITY-MIB), its ports (IF-MIB), whom it
// has seen where (ARP and bridge tables: IP-MIB, BRIDGE-MIB, Q-BRIDGE-MIB), and what it is wired to
// (LLDP-MIB, CISCO-CDP-MIB).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "engine/snmp_agent.hpp"
#include "engine/snmp_walk.hpp"

namespace weir {

struct SnmpDevice {
  struct Arp {
    Addr ip;
    Mac mac;
  };
  struct Learned {
    Mac mac;
    std::string port;
  };
  struct Neighbour {
    std::string port;           // of this device
    std::string_view protocol;  // lldp, cdp
    std::string chassis, neighbour_port, name;
  };

  struct Interface {
    std::string name, description, alias;
    std::uint64_t type = 0, mtu = 0, admin_status = 0;  // as IF-MIB numbers them; 0: not told
    std::string mac;
  };
  struct Component {  // of ENTITY-MIB
    unsigned long index = 0;
    std::uint64_t kind = 0;
    std::string name, description, model, serial, hardware, firmware, software;
  };

  Time time;
  Addr ip;  // that it was asked at
  std::string name, description, location, contact, model, serial;
  std::vector<Interface> interfaces;
  std::vector<Component> components;
  std::string chassis;    // LLDP's, where it is a hardware address; else the bridge's
  std::vector<Mac> macs;  // of its ports, made-up ones aside
  std::vector<Arp> arp;
  std::vector<Learned> learned;
  std::vector<Neighbour> neighbours;
};

// What one agent's walk brings, as the device it is of. Values are an outsider's: any at any index. One
// thread.
class SnmpDeviceTables {
 public:
  // What to walk; take() has their places.
  static std::vector<ObjectId> columns();
  void take(std::size_t column, const SnmpValue& value);
  bool empty() const noexcept { return columns_.empty(); }
  // Without time and address.
  SnmpDevice device() const;

  struct Cell {
    std::optional<std::uint64_t> number;
    std::string text;
  };
  using Rows = std::map<ObjectId, Cell>;  // by index

 private:
  std::vector<Rows> columns_;
};

struct SnmpDeviceListener {
  virtual ~SnmpDeviceListener() = default;
  virtual void told(const SnmpDevice& device) = 0;
  virtual void silent(const SnmpAgent& agent, const std::string& why) = 0;
  virtual bool go_on() = 0;  // called a few times a second; false ends it
};

// Asks all at the same time, in this thread, until each has answered or was waited for. Fails for agents that
// cannot be resolved or used.
Result<void> ask_snmp_devices(const std::vector<SnmpAgent>& agents, SnmpDeviceListener& listener);

}  // namespace weir

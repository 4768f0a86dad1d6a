// Columns of the tables of many SNMP agents, walked all at the same time: one that is slow or dead delays
// nobody else. By net-snmp's library, which only snmp_walk.cpp knows.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/addr.hpp"
#include "core/time.hpp"
#include "engine/column_walk.hpp"
#include "engine/snmp_agent.hpp"

namespace weir {

struct SnmpWalkOptions {
  std::vector<ObjectId> columns;
  Duration timeout = seconds(1);  // of one request
  int retries = 2;
  std::size_t most_values = 2'000'000;  // of one agent's round; beyond, the round ends with what there is
};

struct SnmpValue {
  std::span<const unsigned long> index;  // what stands behind the column's identifier
  std::optional<std::uint64_t> number;   // integers, counters, time ticks
  std::optional<std::string_view> text;  // octets, which addresses are, too
  Time wall, steady;                     // when it came
};

class SnmpWalk {
 public:
  // What a round of one agent brings. Values live until the call returns.
  struct Listener {
    virtual ~Listener() = default;
    virtual void value(std::size_t agent, std::size_t column, const SnmpValue& value) = 0;
    // All columns are at their end. `uptime` in hundredths of a second, where the agent tells it.
    virtual void ended(std::size_t agent, std::optional<std::uint64_t> uptime) = 0;
    virtual void failed(std::size_t agent, const std::string& why) = 0;
  };

  // Asks the resolver for names and waits for it. The listener is borrowed. Fails for what cannot be resolved
  // or used (Code::usage) and without sockets.
  static Result<std::unique_ptr<SnmpWalk>> open(std::vector<SnmpAgent> agents, SnmpWalkOptions options,
                                                Listener& listener);
  virtual ~SnmpWalk() = default;

  // Asks every agent that is not still busy with the last round.
  virtual void start_round() = 0;
  // Takes what has come; to be called when fd() is readable, and every 100 ms while anybody is busy.
  virtual void process() = 0;
  virtual std::size_t busy() const noexcept = 0;
  virtual int fd() const noexcept = 0;
  virtual const Addr& address(std::size_t agent) const noexcept = 0;
};

}  // namespace weir

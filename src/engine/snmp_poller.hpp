// The interface counters of many SNMP agents (IF-MIB, RFC 2863), all at the same time: one that is slow or
// dead delays nobody else (snmp_walk.hpp).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/counter_rates.hpp"
#include "engine/snmp_agent.hpp"

namespace weir {

struct SnmpPollerOptions {
  Duration timeout = seconds(1);  // of one request
  int retries = 2;
  std::vector<std::string> names;  // of interfaces; empty: all that are in use
  std::optional<std::uint64_t> speed;
};

class SnmpPoller {
 public:
  // What a round of one agent came to. Texts live until the call returns.
  struct Listener {
    virtual ~Listener() = default;
    // Completed with rates, other than `first` ones.
    virtual void answered(std::size_t agent, const Addr& device, bool first,
                          std::vector<Counter>& counters) = 0;
    virtual void failed(std::size_t agent, const std::string& why) = 0;
  };

  // Asks the resolver for names and waits for it. The listener is borrowed. Fails for what cannot be resolved
  // or used (Code::usage) and without sockets.
  static Result<std::unique_ptr<SnmpPoller>> open(std::vector<SnmpAgent> agents, SnmpPollerOptions options,
                                                  Listener& listener);
  virtual ~SnmpPoller() = default;

  // Asks every agent that is not still busy with the last round.
  virtual void start_round() = 0;
  // Takes what has come; to be called when fd() is readable, and every 100 ms while anybody is busy.
  virtual void process() = 0;
  virtual std::size_t busy() const noexcept = 0;
  virtual int fd() const noexcept = 0;
};

}  // namespace weir

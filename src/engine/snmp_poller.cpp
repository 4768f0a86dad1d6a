#include "engine/snmp_poller.hpp"

#include <utility>

#include "engine/interface_table.hpp"

namespace weir {
namespace {

constexpr std::size_t most_rows = 100'000;  // of an agent

class Poll final : public SnmpPoller, private SnmpWalk::Listener {
 public:
  Poll(SnmpPollerOptions options, SnmpPoller::Listener& listener, std::size_t agents)
      : options_(std::move(options)), listener_(listener), agents_(agents) {}

  Result<void> open(std::vector<SnmpAgent> agents) {
    SnmpWalkOptions walk{
        .columns = InterfaceTable::columns(), .timeout = options_.timeout, .retries = options_.retries};
    walk.most_values = most_rows * InterfaceTable::column_count;
    WEIR_TRY(walk_, SnmpWalk::open(std::move(agents), std::move(walk), *this));
    return {};
  }
  void start_round() override { walk_->start_round(); }
  void process() override { walk_->process(); }
  std::size_t busy() const noexcept override { return walk_->busy(); }
  int fd() const noexcept override { return walk_->fd(); }

 private:
  struct Agent {
    InterfaceTable table;
    bool answered = false;
  };
  void value(std::size_t agent, std::size_t column, const SnmpValue& value) override {
    agents_[agent].table.take(column, value);
  }
  void ended(std::size_t agent, std::optional<std::uint64_t> uptime) override;
  void failed(std::size_t agent, const std::string& why) override {
    agents_[agent].table.clear();
    listener_.failed(agent, why);
  }

  const SnmpPollerOptions options_;
  SnmpPoller::Listener& listener_;
  std::vector<Agent> agents_;
  std::unique_ptr<SnmpWalk> walk_;
  CounterRates rates_;
};

void Poll::ended(std::size_t number, std::optional<std::uint64_t> uptime) {
  Agent& agent = agents_[number];
  std::vector<Counter> counters =
      agent.table.counters(uptime, options_.names, options_.speed, rates_, std::to_string(number));
  for (Counter& c : counters) c.device = walk_->address(number);
  const bool first = !std::exchange(agent.answered, true);
  listener_.answered(number, walk_->address(number), first, counters);
  agent.table.clear();
}

}  // namespace

Result<std::unique_ptr<SnmpPoller>> SnmpPoller::open(std::vector<SnmpAgent> agents, SnmpPollerOptions options,
                                                     Listener& listener) {
  auto poll = std::make_unique<Poll>(std::move(options), listener, agents.size());
  WEIR_CHECK(poll->open(std::move(agents)));
  return poll;
}

}  // namespace weir

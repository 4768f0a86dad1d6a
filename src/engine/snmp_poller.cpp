#include "engine/snmp_poller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "engine/snmp_walk.hpp"

namespace weir {
namespace {

// Columns of ifTable and ifXTable (RFC 2863).
enum Column : std::uint8_t {
  name,
  alias,
  descr,
  type,
  state,
  speed,
  high_speed,
  hc_in,
  hc_out,
  hc_in_unicast,
  hc_in_multicast,
  hc_in_broadcast,
  hc_out_unicast,
  hc_out_multicast,
  hc_out_broadcast,
  in_octets,
  out_octets,
  in_errors,
  out_errors,
  in_discards,
  out_discards,
  column_count
};
struct ColumnPlace {
  bool extended;  // in ifXTable
  unsigned long number;
};
constexpr std::array<ColumnPlace, column_count> places{
    {{true, 1},  {true, 18},  {false, 2},  {false, 3},  {false, 8},  {false, 5},  {true, 15},
     {true, 6},  {true, 10},  {true, 7},   {true, 8},   {true, 9},   {true, 11},  {true, 12},
     {true, 13}, {false, 10}, {false, 16}, {false, 14}, {false, 20}, {false, 13}, {false, 19}}};
constexpr unsigned long table_base[] = {1, 3, 6, 1, 2, 1, 2, 2, 1},
                        extended_base[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1};
constexpr std::size_t most_rows = 100'000;
constexpr std::uint64_t loopback_type = 24;  // IANAifType softwareLoopback

std::vector<ObjectId> all_columns() {
  std::vector<ObjectId> columns;
  for (const ColumnPlace& p : places) {
    ObjectId& column = p.extended ? columns.emplace_back(std::begin(extended_base), std::end(extended_base))
                                  : columns.emplace_back(std::begin(table_base), std::end(table_base));
    column.push_back(p.number);
  }
  return columns;
}

struct Row {
  std::array<std::optional<std::uint64_t>, column_count> value{};
  std::array<std::string, 3> text;  // of the first three columns
  Time wall, steady;                // when its octets came
};

Counter counter_of(std::uint32_t index, const Row& row) {
  const auto& v = row.value;
  Counter c{.time = row.wall, .interface = index};
  const bool wide = v[hc_in] && v[hc_out];
  c.in_bytes = wide ? v[hc_in] : v[in_octets];
  c.out_bytes = wide ? v[hc_out] : v[out_octets];
  const auto sum = [](auto a, auto b, auto d) -> std::optional<std::uint64_t> {
    if (!a) return std::nullopt;
    return *a + b.value_or(0) + d.value_or(0);
  };
  if (wide) {
    c.in_packets = sum(v[hc_in_unicast], v[hc_in_multicast], v[hc_in_broadcast]);
    c.out_packets = sum(v[hc_out_unicast], v[hc_out_multicast], v[hc_out_broadcast]);
  }
  c.in_multicast = v[hc_in_multicast];
  c.in_broadcast = v[hc_in_broadcast];
  c.out_multicast = v[hc_out_multicast];
  c.out_broadcast = v[hc_out_broadcast];
  c.in_errors = v[in_errors];
  c.out_errors = v[out_errors];
  c.in_discards = v[in_discards];
  c.out_discards = v[out_discards];
  if (v[state]) c.up = *v[state] == 1;
  // ifSpeed's greatest value says that ifHighSpeed is to be looked at, in Mbit/s.
  if (v[high_speed] && *v[high_speed] != 0)
    c.speed = *v[high_speed] * 1'000'000;
  else if (v[speed] && *v[speed] != 0 && *v[speed] != 0xffff'ffffU)
    c.speed = v[speed];
  return c;
}

class Poll final : public SnmpPoller, private SnmpWalk::Listener {
 public:
  Poll(SnmpPollerOptions options, SnmpPoller::Listener& listener, std::size_t agents)
      : options_(std::move(options)), listener_(listener), agents_(agents) {}

  Result<void> open(std::vector<SnmpAgent> agents) {
    SnmpWalkOptions walk{.columns = all_columns(), .timeout = options_.timeout, .retries = options_.retries};
    walk.most_values = most_rows * column_count;
    WEIR_TRY(walk_, SnmpWalk::open(std::move(agents), std::move(walk), *this));
    return {};
  }
  void start_round() override { walk_->start_round(); }
  void process() override { walk_->process(); }
  std::size_t busy() const noexcept override { return walk_->busy(); }
  int fd() const noexcept override { return walk_->fd(); }

 private:
  struct Agent {
    std::map<std::uint32_t, Row> rows;
    std::optional<std::uint64_t> uptime_before;
    bool answered = false;
  };
  void value(std::size_t agent, std::size_t column, const SnmpValue& value) override;
  void ended(std::size_t agent, std::optional<std::uint64_t> uptime) override;
  void failed(std::size_t agent, const std::string& why) override {
    agents_[agent].rows.clear();
    listener_.failed(agent, why);
  }
  bool meant(const Row& row, const Counter& c) const;

  const SnmpPollerOptions options_;
  SnmpPoller::Listener& listener_;
  std::vector<Agent> agents_;
  std::unique_ptr<SnmpWalk> walk_;
  CounterRates rates_;
};

void Poll::value(std::size_t agent, std::size_t column, const SnmpValue& value) {
  if (value.index.size() != 1) return;
  Row& row = agents_[agent].rows[static_cast<std::uint32_t>(value.index.front())];
  if (column < row.text.size() && value.text)
    row.text[column] = *value.text;
  else
    row.value[column] = value.number;
  if (column == hc_in || (column == in_octets && !row.value[hc_in]))
    row.wall = value.wall, row.steady = value.steady;
}

bool Poll::meant(const Row& row, const Counter& c) const {
  if (!options_.names.empty())
    return std::ranges::any_of(options_.names, [&](const std::string& wanted) {
      return wanted == row.text[name] || wanted == row.text[descr] ||
             (!wanted.empty() && wanted == row.text[alias]);
    });
  const bool unused = !c.up.value_or(false) && c.in_bytes.value_or(0) == 0 && c.out_bytes.value_or(0) == 0;
  return !unused && row.value[type].value_or(0) != loopback_type;
}

void Poll::ended(std::size_t number, std::optional<std::uint64_t> uptime) {
  Agent& agent = agents_[number];
  const bool restarted = uptime && agent.uptime_before && *uptime < *agent.uptime_before;
  agent.uptime_before = uptime;
  std::vector<Counter> counters;
  for (auto& [index, row] : agent.rows) {
    Counter c = counter_of(index, row);
    if (!c.in_bytes && !c.out_bytes) continue;
    if (!meant(row, c)) continue;
    if (options_.speed) c.speed = options_.speed;
    // Numbers may be dealt anew when a device restarts or a card is changed; names stay.
    std::string& called = row.text[name].empty() ? row.text[descr] : row.text[name];
    if (called.empty()) called = std::to_string(index);
    const bool narrow = !(row.value[hc_in] && row.value[hc_out]);
    rates_.complete(fmt::format("{} {}", number, called), c,
                    {.steady = row.steady, .restarted = restarted, .narrow = narrow});
    c.device = walk_->address(number);
    c.name = called;
    if (!row.text[alias].empty()) c.alias = row.text[alias];
    counters.push_back(c);
  }
  const bool first = !std::exchange(agent.answered, true);
  listener_.answered(number, walk_->address(number), first, counters);
  agent.rows.clear();
}

}  // namespace

Result<std::unique_ptr<SnmpPoller>> SnmpPoller::open(std::vector<SnmpAgent> agents, SnmpPollerOptions options,
                                                     Listener& listener) {
  auto poll = std::make_unique<Poll>(std::move(options), listener, agents.size());
  WEIR_CHECK(poll->open(std::move(agents)));
  return poll;
}

}  // namespace weir

// Any values of an SNMP agent's walks: counters are no more than rows were told of, and no rate is without an
// interval.
#include "engine/interface_table.hpp"

#include <set>

#include "core/assert.hpp"

// Four bytes a value: its column (255 ends a round), interface, kind, and number or length of its text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  InterfaceTable table;
  CounterRates rates;
  std::set<unsigned long> told;
  std::int64_t second = 0;
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    const std::uint8_t* const four = data + at;
    const Time now{++second * 1'000'000'000};
    if (four[0] == 255) {
      const std::optional<std::uint64_t> uptime =
          four[1] == 0 ? std::nullopt : std::optional<std::uint64_t>(four[1]);
      const std::vector<std::string> names =
          four[2] % 2 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"a", "b", ""};
      const auto counters = table.counters(uptime, names, std::nullopt, rates, "0");
      WEIR_ASSERT(counters.size() <= told.size());
      for (const Counter& c : counters) {
        WEIR_ASSERT(!c.name.empty());
        WEIR_ASSERT(c.interval || !(c.in_bytes_delta || c.in_bits_per_second || c.in_utilization));
      }
      table.clear();
      told.clear();
      continue;
    }
    const unsigned long index[] = {four[1], 0};
    SnmpValue value{
        .index = {index, four[2] % 16 == 0 ? 2U : 1U}, .number = {}, .text = {}, .wall = now, .steady = now};
    if (four[2] % 3 == 0) value.number = std::uint64_t{four[3]} << (four[2] % 64);
    if (four[2] % 3 == 1)
      value.text =
          std::string_view(reinterpret_cast<const char*>(data), std::min<std::size_t>(four[3], size));
    table.take(four[0], value);
    told.insert(index[0]);
  }
  return 0;
}

// weir's own counters.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Stat {
  Time time;
  Text name;
  std::uint64_t value = 0;
  std::optional<Addr> exporter;
  Text protocol;
  Text interface_name;
};
template <>
inline constexpr auto schema<Stat> = record(
    "stat", "One of weir's own counters", field("time", &Stat::time, "When it was read"),
    field("name", &Stat::name, "What is counted"), field("value", &Stat::value, "The count"),
    field("exporter", &Stat::exporter, "The flow exporter it is about; null for weir as a whole"),
    field("protocol", &Stat::protocol, "The export protocol it is about"),
    field("interface_name", &Stat::interface_name, "The captured interface it is about; null for all"));

}  // namespace weir

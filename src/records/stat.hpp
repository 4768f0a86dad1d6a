// weir's own counters.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Stat {
  Time time;
  Text name;
  std::uint64_t value = 0;
};
template <>
inline constexpr auto schema<Stat> =
    record("stat", "One of weir's own counters", field("time", &Stat::time, "When it was read"),
           field("name", &Stat::name, "What is counted"), field("value", &Stat::value, "The count"));

}  // namespace weir

// Option tables put together of parts that several commands have.
#pragma once

#include <array>

#include "plugin/command.hpp"

namespace weir {

// In the order of the parts.
template <std::size_t... N>
constexpr auto joined(const Option (&... parts)[N]) {
  std::array<Option, (N + ...)> all{};
  std::size_t at = 0;
  const auto append = [&](const auto& part) {
    for (const Option& option : part) all[at++] = option;
  };
  (append(parts), ...);
  return all;
}

}  // namespace weir

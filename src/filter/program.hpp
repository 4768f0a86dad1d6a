// What runs: a flat list of steps, each a test and two places to go on, laid out so that every jump is
// forward.
#pragma once

#include "filter/operand.hpp"

namespace weir::filter {

struct Step;
using Test = bool (*)(const Step& step, const std::byte* record) noexcept;

struct Step {
  Test test = nullptr;
  const Operand* operand = nullptr;
  const void* (*unwrap)(const std::byte* member) = nullptr;  // FieldInfo's
  ListView (*elements)(const std::byte* member) = nullptr;
  Key low = 0, span = 0;  // one range: key - low <= span
  std::uint32_t offset = 0;
  std::uint32_t yes = 0, no = 0;
};

inline constexpr std::uint32_t accepted = 0xffff'ffff, refused = 0xffff'fffe;

struct Program {
  std::vector<Step> steps;
  std::uint32_t start = accepted;

  bool run(const void* record) const noexcept {
    const auto* bytes = static_cast<const std::byte*>(record);
    std::uint32_t at = start;
    while (at < refused) {
      const Step& step = steps[at];
      at = step.test(step, bytes) ? step.yes : step.no;
    }
    return at == accepted;
  }
};

// The test of one column, its jumps still to be set. The operand is borrowed.
Step make_step(const FieldInfo& column, const Operand& operand);

}  // namespace weir::filter

// Checks for bugs in weir itself. An assertion stays on in release builds and must not be reachable from
// input: bad input is an Error (core/result.hpp) or an oddity record.
#pragma once

namespace weir {
// Prints the expression and its place on stderr and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace weir

#define WEIR_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::assertion_failed(#condition, __FILE__, __LINE__))

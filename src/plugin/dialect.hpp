// The socket for other programs' command lines, options and output and all: one .cpp in src/cli/ whose last
// line is WEIR_REGISTER(DialectSpec, spec). It runs as `weir COMMAND --profile NAME …`, and when weir is
// started through a link with the other program's name.
#pragma once

#include <span>
#include <string_view>

#include "core/registry.hpp"

namespace weir {

struct DialectSpec {
  std::string_view name, doc;
  std::string_view command;                      // weir's own command for the same
  std::span<const std::string_view> programs{};  // names of links
  // The words behind the program's name; the exit code. `program` is what messages begin with.
  int (*run)(std::string_view program, std::span<const char* const> words);
};

}  // namespace weir

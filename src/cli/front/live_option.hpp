// The word against a table that changes in place, and whether there is to be one.
#pragma once

#include <algorithm>
#include <array>

#include "cli/front/storing.hpp"
#include "os/terminal.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option no_live_option{
    .name = "no-live",
    .doc = "No table that changes in place on a terminal; records when they are there",
    .group = "Output"};

// Without a word on what is to be written, people see the table. What is stored needs no such word.
inline bool is_live(const Arguments& arguments) {
  if (arguments.has("no-live") || !stdout_terminal().cursor) return false;
  return stores(arguments) ||
         std::ranges::none_of(std::array{"output", "write", "fields", "records", "where"},
                              [&](std::string_view option) { return arguments.has(option); });
}

}  // namespace weir

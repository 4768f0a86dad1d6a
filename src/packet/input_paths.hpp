// What a user names as inputs, as paths.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace weir {

// Patterns (*, ?, […], ~) that the shell has not expanded become the files that match, sorted, unless a file
// is called so. A folder becomes the files in it and below, sorted, hidden ones aside. Fails when none
// matches, nothing is named, or "-" (standard input) is named twice.
Result<std::vector<std::string>> expand_inputs(std::span<const std::string> inputs);

}  // namespace weir

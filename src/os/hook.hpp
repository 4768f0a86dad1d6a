// A command of the user's that is told something on its standard input.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace weir {

// Starts `sh -c command` with the text (64 KiB at most) on its stdin and does not wait for it: children of
// hooks that have ended are collected at the next call. Fails with Code::environment when nothing could be
// started. One thread.
Result<void> start_hook(const std::string& command, std::string_view input);

}  // namespace weir

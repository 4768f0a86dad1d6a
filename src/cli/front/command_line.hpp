// What the user typed, checked against a command's option table.
#pragma once

#include <span>

#include "plugin/command.hpp"

namespace weir {

// `words` follow the command's name. Fallbacks are put in place; "help" is present when -h or --help was
// given, and then nothing else was checked. Errors are usage errors with a suggestion.
Result<Arguments> parse_command_line(const CommandSpec& command, std::span<const char* const> words);

// What an option's `choices` stand for with this command: split at '|', or the names behind @sinks,
// @row_sinks and @commands. Empty: anything.
std::vector<std::string_view> choices_of(const CommandSpec& command, const Option& option);

}  // namespace weir

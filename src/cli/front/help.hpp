// The texts of --help and --version, made from the option tables.
#pragma once

#include <string>

#include "plugin/command.hpp"

namespace weir {

std::string_view version() noexcept;
// weir --help: the commands by group.
std::string help_overview();
// weir COMMAND --help.
std::string help_command(const CommandSpec& command);
// All of it as Markdown: docs/commands.md.
std::string help_markdown();

}  // namespace weir

// weir help: the same pages as --help, and all of them as docs/commands.md.
#include "cli/front/help.hpp"

#include <fmt/core.h>

namespace weir {
namespace {

Result<int> run(const Arguments& arguments) {
  if (arguments.value("output") == "markdown")
    fmt::print("{}", help_markdown());
  else if (const CommandSpec* command = find_plugin<CommandSpec>(arguments.value("")))
    fmt::print("{}", help_command(*command));
  else
    fmt::print("{}", help_overview());
  return 0;
}

constexpr Option options[] = {
    {.name = "", .value = "COMMAND", .doc = "The command to tell about", .choices = "@commands"},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .doc = "How to print it",
     .fallback = "text",
     .choices = "text|markdown"},
};
constexpr CommandSpec spec{
    .name = "help",
    .doc = "Tell how a command is used",
    .help = "With -o markdown, all commands on one page.\n",
    .options = options,
    .run = run,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir

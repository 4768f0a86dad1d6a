// The command line of this process, as it was given.
#pragma once

#include <string>

namespace weir {

// Words with spaces between them; one that a shell would not take as it is stands in double quotes, as nmap
// writes them. Empty when the kernel does not tell (no /proc).
std::string own_command_line();

}  // namespace weir

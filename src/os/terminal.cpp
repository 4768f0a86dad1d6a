#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace weir {
namespace {

Terminal terminal_of(int fd) noexcept {
  if (::isatty(fd) == 0) return {};
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
  };
  winsize size{};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return {.present = true,
          .colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb",
          .width = known ? size.ws_col : 80U};
}

}  // namespace

Terminal stdout_terminal() noexcept {
  return terminal_of(STDOUT_FILENO);
}
Terminal stderr_terminal() noexcept {
  return terminal_of(STDERR_FILENO);
}

}  // namespace weir

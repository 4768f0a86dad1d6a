#include "os/standard_error.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace weir {
namespace {

// fmt::print throws when less than all is taken.
ssize_t write_or_lose(void*, const char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::write(STDERR_FILENO, bytes + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

void tolerate_lost_stderr() {
  std::FILE* const tolerant = ::fopencookie(
      nullptr, "w", {.read = nullptr, .write = write_or_lose, .seek = nullptr, .close = nullptr});
  if (tolerant == nullptr) return;
  std::setvbuf(tolerant, nullptr, _IONBF, 0);
  stderr = tolerant;  // the GNU C library has variables here
}

}  // namespace weir

#include "os/growing_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir {

Result<GrowingFile> GrowingFile::make(const std::string& path) {
  const bool standard = path == "-";
  constexpr mode_t owner_alone = 0600;
  Descriptor fd(standard ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                         : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_alone));
  if (!fd) return fail(Code::environment, std::strerror(errno), standard ? "stdout" : path);
  return GrowingFile(std::move(fd), standard ? "stdout" : path);
}

Result<void> GrowingFile::write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Code::environment, std::strerror(errno), name_);
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace weir

#include "os/file_system.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace weir {
namespace {

tl::unexpected<Error> system_error(const std::string& path) {
  return fail(Code::environment, std::strerror(errno), path);
}

}  // namespace

Result<void> sync_path(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(path);
  const bool failed = fsync(fd) != 0;
  Result<void> result;
  if (failed) result = system_error(path);
  close(fd);
  return result;
}

Result<void> make_folders(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return {};
  if (folder.has_parent_path() && folder.parent_path() != folder)
    WEIR_CHECK(make_folders(folder.parent_path().string()));
  if (!std::filesystem::create_directory(folder, error) && error)
    return fail(Code::environment, error.message(), path);
  return folder.has_parent_path() ? sync_path(folder.parent_path().string()) : Result<void>{};
}

Result<void> exchange_paths(const std::string& a, const std::string& b, bool& unsupported) {
  unsupported = false;
  if (syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return {};
  unsupported = errno == EINVAL || errno == ENOSYS;
  return system_error(a);
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

Result<FileLock> FileLock::take(const std::string& path, int operation) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return system_error(path);
  while (flock(fd, operation) != 0) {
    if (errno == EINTR) continue;
    const bool taken = errno == EWOULDBLOCK;
    auto error = system_error(path);
    close(fd);
    if (taken) return FileLock(-1);
    return error;
  }
  return FileLock(fd);
}

Result<FileLock> FileLock::wait(const std::string& path, Mode mode) {
  return take(path, mode == Mode::shared ? LOCK_SH : LOCK_EX);
}
Result<FileLock> FileLock::attempt(const std::string& path, Mode mode) {
  return take(path, (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

}  // namespace weir

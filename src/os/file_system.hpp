// What the standard library's file system lacks: durability, atomic exchange and locks.
#pragma once

#include <string>

#include "core/result.hpp"

namespace weir {

// The contents of a file, or the entries of a folder, reach the disk.
Result<void> sync_path(const std::string& path);
// Makes the folder and those above it; new entries reach the disk.
Result<void> make_folders(const std::string& path);
// Both names change places at one instant (renameat2 with RENAME_EXCHANGE). Fails with `unsupported` set
// where the file system cannot.
Result<void> exchange_paths(const std::string& a, const std::string& b, bool& unsupported);

// A lock between processes (flock) that ends with the process at the latest.
class FileLock {
 public:
  enum class Mode : std::uint8_t { shared, exclusive };
  // Makes the file. Waits for the lock.
  static Result<FileLock> wait(const std::string& path, Mode mode);
  // acquired() tells whether it was free.
  static Result<FileLock> attempt(const std::string& path, Mode mode);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();
  bool acquired() const noexcept { return fd_ >= 0; }

 private:
  explicit FileLock(int fd) noexcept : fd_(fd) {}
  static Result<FileLock> take(const std::string& path, int operation);
  int fd_ = -1;
};

}  // namespace weir

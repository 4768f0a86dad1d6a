// Where a sink's bytes go: stdout, or a file that appears under its name only when it is whole.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace weir {

// Buffered. One thread at a time. A file is written beside its final name as .NAME.PID.part and renamed by
// close(); destroying it before that, or ending the process by a signal that
// remove_unfinished_files_on_signals() watches, removes it. A device or pipe is written in place.
class OutputFile {
 public:
  // An empty path or "-" is stdout, which is never closed.
  static Result<std::unique_ptr<OutputFile>> open(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  Result<void> write(std::string_view bytes);
  Result<void> flush();
  Result<void> close();

 private:
  OutputFile(int fd, std::string name, std::string final_name, std::string part) noexcept;
  Result<void> write_through(std::string_view bytes);
  tl::unexpected<Error> system_error() const;

  static constexpr std::size_t buffer_size = 256 * 1024;
  int fd_;
  std::string name_;        // as the user gave it, for errors
  std::string final_name_;  // the same with symbolic links resolved
  std::string part_;        // the temporary name; empty when written in place
  std::string buffer_;
  int slot_ = -1;  // in the list that signals clean up
};

// One stream for everything or, when the destination ends in '/', one file per name in that folder, which is
// made when missing.
class OutputSet {
 public:
  static Result<OutputSet> open(const std::string& destination, std::string_view extension);
  bool is_folder() const noexcept { return !folder_.empty(); }
  // The file for records of one kind; `slot` is a small number that stands for `name`. Opened when first
  // asked for.
  Result<OutputFile*> file(std::size_t slot, std::string_view name);
  Result<void> flush();
  Result<void> close();

 private:
  std::string folder_, extension_;
  std::vector<std::unique_ptr<OutputFile>> files_;
};

// SIGINT, SIGTERM and SIGHUP remove unfinished files and end the process as they would have. A closed pipe
// (weir … | head) ends it quietly with exit code 0. For main().
void remove_unfinished_files_on_signals() noexcept;

}  // namespace weir

// A file that is there under its name while it grows, for others to follow, and stays whatever happens.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "os/descriptor.hpp"

namespace weir {

// One thread at a time. Not buffered.
class GrowingFile {
 public:
  GrowingFile() = default;  // to be assigned to
  // Made anew, for its owner alone (packets tell secrets); "-" is stdout. Fails with Code::environment.
  static Result<GrowingFile> make(const std::string& path);
  Result<void> write(Bytes bytes);
  std::uint64_t size() const noexcept { return size_; }
  const std::string& name() const noexcept { return name_; }

 private:
  GrowingFile(Descriptor fd, std::string name) noexcept : fd_(std::move(fd)), name_(std::move(name)) {}
  Descriptor fd_;
  std::string name_;
  std::uint64_t size_ = 0;
};

}  // namespace weir

#include "os/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "os/terminal.hpp"

namespace weir {
namespace {

// Names of unfinished files, for the signal handler: it may only read memory and call unlink(2). A file
// beyond this number is not removed when a signal ends the process.
constexpr std::size_t most_unfinished = 256;
std::array<std::atomic<const char*>, most_unfinished> unfinished{};

int remember(const char* path) noexcept {
  for (std::size_t i = 0; i < most_unfinished; ++i) {
    const char* none = nullptr;
    if (unfinished[i].compare_exchange_strong(none, path)) return static_cast<int>(i);
  }
  return -1;
}

void remove_unfinished() noexcept {
  for (auto& entry : unfinished)
    if (const char* path = entry.load()) ::unlink(path);
}

extern "C" void end_by_signal(int signal) {
  remove_unfinished();
  show_keys_again();
  if (signal == SIGPIPE) ::_exit(0);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::string reason(int error) {
  std::string text = std::strerror(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

// Where the name leads when it is a symbolic link, so that the link stays and its target is replaced.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

std::string part_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t base = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(0, base) + "." + path.substr(base) + "." + std::to_string(::getpid()) + ".part";
}

}  // namespace

OutputFile::OutputFile(int fd, std::string name, std::string final_name, std::string part) noexcept
    : fd_(fd), name_(std::move(name)), final_name_(std::move(final_name)), part_(std::move(part)) {
  if (!part_.empty()) slot_ = remember(part_.c_str());
}

Result<std::unique_ptr<OutputFile>> OutputFile::open(const std::string& path) {
  const auto made = [](int fd, std::string name, std::string final_name, std::string part) {
    return std::unique_ptr<OutputFile>(
        new OutputFile(fd, std::move(name), std::move(final_name), std::move(part)));
  };
  if (path.empty() || path == "-") return made(STDOUT_FILENO, "stdout", {}, {});

  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    return fail(Code::environment, "is a folder", path, "end it with / for one file per record type");
  if (exists && !S_ISREG(status.st_mode)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail(Code::environment, reason(errno), path);
    return made(fd, path, {}, {});
  }
  const std::string final_name = exists ? resolve(path) : path;
  std::string part = part_of(final_name);
  const mode_t mode = exists ? status.st_mode & 07777U : 0666;
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return fail(Code::environment, reason(errno), path);
  return made(fd, path, final_name, std::move(part));
}

OutputFile::~OutputFile() {
  if (fd_ >= 0 && fd_ != STDOUT_FILENO) ::close(fd_);
  if (!part_.empty()) ::unlink(part_.c_str());
  if (slot_ >= 0) unfinished[static_cast<std::size_t>(slot_)] = nullptr;
}

tl::unexpected<Error> OutputFile::system_error() const {
  return fail(Code::environment, reason(errno), name_);
}

Result<void> OutputFile::write_through(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> OutputFile::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() <= buffer_size) {
    buffer_.append(bytes);
    return {};
  }
  WEIR_CHECK(flush());
  if (bytes.size() >= buffer_size) return write_through(bytes);
  buffer_.append(bytes);
  return {};
}

Result<void> OutputFile::flush() {
  if (buffer_.empty()) return {};
  auto done = write_through(buffer_);
  buffer_.clear();
  return done;
}

Result<void> OutputFile::close() {
  WEIR_CHECK(flush());
  if (fd_ < 0 || fd_ == STDOUT_FILENO) return {};
  // Some file systems report a full disk only here.
  if (::close(std::exchange(fd_, -1)) != 0) return system_error();
  if (part_.empty()) return {};
  if (::rename(part_.c_str(), final_name_.c_str()) != 0) return system_error();
  if (slot_ >= 0) unfinished[static_cast<std::size_t>(std::exchange(slot_, -1))] = nullptr;
  part_.clear();
  return {};
}

Result<OutputSet> OutputSet::open(const std::string& destination, std::string_view extension) {
  OutputSet set;
  if (destination.ends_with('/')) {
    std::error_code error;
    std::filesystem::create_directories(destination, error);
    if (error) return fail(Code::environment, reason(error.value()), destination);
    set.folder_ = destination;
    set.extension_ = extension;
    return set;
  }
  WEIR_TRY(auto only, OutputFile::open(destination));
  set.files_.push_back(std::move(only));
  return set;
}

Result<OutputFile*> OutputSet::file(std::size_t slot, std::string_view name) {
  if (!is_folder()) return files_.front().get();
  if (slot >= files_.size()) files_.resize(slot + 1);
  if (!files_[slot]) {
    WEIR_TRY(files_[slot], OutputFile::open(folder_ + std::string(name) + "." + extension_));
  }
  return files_[slot].get();
}

Result<void> OutputSet::flush() {
  for (auto& f : files_)
    if (f) WEIR_CHECK(f->flush());
  return {};
}

Result<void> OutputSet::close() {
  // All bytes first, then the names: a disk that fills up leaves none of the files behind.
  WEIR_CHECK(flush());
  for (auto& f : files_)
    if (f) WEIR_CHECK(f->close());
  return {};
}

void remove_unfinished_files_on_signals() noexcept {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN && signal != SIGPIPE)
      continue;  // nohup, and jobs started in the background
    action.sa_handler = end_by_signal;
    action.sa_flags = 0;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace weir

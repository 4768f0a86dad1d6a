#include "packet/input.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "packet/decompress.hpp"

namespace weir {
namespace {

// A block of a stream. A record that does not fit gets a block of its own size.
constexpr std::size_t block_size = std::size_t{1} << 20U;
// Less room than this at a block's end is not worth a read.
constexpr std::size_t worthwhile = std::size_t{16} << 10U;

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  ~File() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

class MemoryInput final : public Input {
 public:
  explicit MemoryInput(Bytes bytes) {
    window_ = bytes;
    total_ = bytes.size();
  }

 private:
  void extend(std::size_t) override {}
};

// Maps a part of the file at a time, its pages in place before they are touched.
class MappedInput final : public Input {
 public:
  MappedInput(File file, std::uint64_t size, std::size_t window) : file_(std::move(file)), map_size_(window) {
    total_ = size;
  }

 private:
  struct Mapping {
    void* at;
    std::size_t size;
    Mapping(void* a, std::size_t n) noexcept : at(a), size(n) {}
    ~Mapping() { ::munmap(at, size); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
  };

  void extend(std::size_t need) override {
    // Touching pages of a file that has shrunk is SIGBUS, so ask before each window.
    struct stat now{};
    if (::fstat(file_.fd(), &now) == 0 && static_cast<std::uint64_t>(now.st_size) < total_) {
      total_ = static_cast<std::uint64_t>(now.st_size);
      broken_ = "the file shrank while it was read";
      if (offset_ + window_.size() > total_) window_ = {};
    }
    if (offset_ + window_.size() >= total_) return;
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t start = offset_ & ~(page - 1);
    const std::size_t skip = offset_ - start;
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(total_ - start, std::max(map_size_, skip + need)));
    void* at =
        ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file_.fd(), static_cast<off_t>(start));
    if (at == MAP_FAILED) {
      broken_ = std::string("cannot map the file: ") + std::strerror(errno);
      return;
    }
    memory_ = std::make_shared<Mapping>(at, size);
    window_ = {static_cast<const std::uint8_t*>(at) + skip, size - skip};
    // The disk fetches the next window while this one is worked on.
    ::posix_fadvise(file_.fd(), static_cast<off_t>(start + size), static_cast<off_t>(map_size_),
                    POSIX_FADV_WILLNEED);
  }

  File file_;
  std::size_t map_size_;
};

// What only comes in order: read into blocks that packets share.
class BlockInput : public Input {
 protected:
  // Adds bytes at `to`; none at the end, and then broken_ may say why.
  virtual std::size_t fill(std::span<std::uint8_t> to) = 0;

 private:
  void extend(std::size_t need) final {
    while (window_.size() < need && !ended_) {
      // A claimed length is believed only as far as bytes arrive: the block doubles.
      if (room() < worthwhile) replace_block();
      const std::size_t got = fill({const_cast<std::uint8_t*>(window_.data()) + window_.size(), room()});
      ended_ = got == 0;
      window_ = {window_.data(), window_.size() + got};
    }
  }
  std::size_t room() const noexcept {
    return block_ == nullptr
               ? 0
               : static_cast<std::size_t>(block_.get() + capacity_ - window_.data()) - window_.size();
  }
  void replace_block() {
    capacity_ = std::max(block_size, 2 * window_.size());
    auto block = std::make_shared_for_overwrite<std::uint8_t[]>(capacity_);
    if (!window_.empty()) std::memcpy(block.get(), window_.data(), window_.size());
    window_ = {block.get(), window_.size()};
    block_ = block;
    memory_ = std::move(block);
  }

  std::shared_ptr<std::uint8_t[]> block_;  // the same as memory_
  std::size_t capacity_ = 0;
  bool ended_ = false;
};

class StreamInput final : public BlockInput {
 public:
  StreamInput(File file, std::uint64_t total) : file_(std::move(file)) { total_ = total; }

 private:
  std::size_t fill(std::span<std::uint8_t> to) override {
    for (;;) {
      const ssize_t got = ::read(file_.fd(), to.data(), to.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      broken_ = std::string("cannot read on: ") + std::strerror(errno);
      return 0;
    }
  }

  File file_;
};

class DecompressedInput final : public BlockInput {
 public:
  DecompressedInput(std::unique_ptr<Input> from, Compression c)
      : from_(std::move(from)), decompressor_(decompressor(c)) {
    compression_ = c;
    total_ = from_->bytes_total();
  }

 private:
  std::size_t fill(std::span<std::uint8_t> to) override {
    for (;;) {
      const std::size_t had = from_->window().size();
      const auto [consumed, produced] = decompressor_->step(from_->window(), to, last_);
      from_->advance(consumed, 0);
      read_.store(from_->offset(), std::memory_order_relaxed);
      if (produced != 0) return produced;
      if (!decompressor_->error().empty()) break;
      if (last_ && consumed == 0) break;
      if (consumed == 0 || consumed == had) {
        const std::size_t left = from_->window().size();
        from_->advance(0, left + 1);
        last_ = from_->window().size() == left;
      }
    }
    broken_ = from_->broken().empty() ? decompressor_->error() : from_->broken();
    return 0;
  }

  std::unique_ptr<Input> from_;
  std::unique_ptr<Decompressor> decompressor_;
  bool last_ = false;  // from_ has no more than its window
};

tl::unexpected<Error> cannot_open(const std::string& path, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR: return fail(Code::usage, "no such file", path);
    case EISDIR: return fail(Code::usage, "is a folder", path, "name the files in it: " + path + "/*.pcap");
    case EACCES: return fail(Code::environment, "permission denied", path, "run as a user who may read it");
    default: return fail(Code::environment, std::strerror(code), path);
  }
}

std::unique_ptr<Input> decompressed(std::unique_ptr<Input> raw) {
  constexpr std::size_t longest_magic = 6;
  raw->advance(0, longest_magic);
  const Compression c = detect_compression(raw->window());
  if (c == Compression::none) return raw;
  return std::make_unique<DecompressedInput>(std::move(raw), c);
}

}  // namespace

Result<std::unique_ptr<Input>> open_stored_input(const std::string& path, std::size_t window) {
  if (path == "-") {
    struct stat about{};
    if (::fstat(STDIN_FILENO, &about) != 0) return fail(Code::environment, "standard input is closed", "-");
    if (::isatty(STDIN_FILENO) != 0)
      return fail(Code::usage, "standard input is a terminal", "-", "pipe a capture in, or name a file");
    return std::make_unique<StreamInput>(File(STDIN_FILENO), 0);
  }
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return cannot_open(path, errno);
  struct stat about{};
  if (::fstat(file.fd(), &about) != 0) return cannot_open(path, errno);
  if (S_ISDIR(about.st_mode)) return cannot_open(path, EISDIR);
  // Files of /proc are regular and claim no size.
  if (!S_ISREG(about.st_mode) || about.st_size == 0) return std::make_unique<StreamInput>(std::move(file), 0);
  ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<MappedInput>(std::move(file), static_cast<std::uint64_t>(about.st_size), window);
}

Result<std::unique_ptr<Input>> open_input(const std::string& path, std::size_t window) {
  WEIR_TRY(auto raw, open_stored_input(path, window));
  return decompressed(std::move(raw));
}

std::unique_ptr<Input> memory_input(Bytes bytes) {
  return decompressed(std::make_unique<MemoryInput>(bytes));
}

}  // namespace weir

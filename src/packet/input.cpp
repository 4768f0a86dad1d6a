#include "packet/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "packet/decompress.hpp"

namespace weir {
namespace {

// Less room than this at a block's end is not worth a read.
constexpr std::size_t worthwhile = std::size_t{16} << 10U;

// Memory of blocks nobody holds any more, to be used again while the cache still has it. Blocks are let go by
// any thread, also after the input is gone.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  explicit BlockPool(std::size_t block) noexcept : block_(block) {}

  // At least `size` bytes, uninitialised.
  std::shared_ptr<std::uint8_t[]> take(std::size_t size) {
    if (size > block_) return std::make_shared_for_overwrite<std::uint8_t[]>(size);
    return {memory().release(), [pool = shared_from_this()](std::uint8_t* p) { pool->give(p); }};
  }
  std::size_t block() const noexcept { return block_; }

 private:
  using Memory = std::unique_ptr<std::uint8_t[]>;

  Memory memory() {
    const std::lock_guard guard(mutex_);
    if (free_.empty()) {
      // Room for every block there is, so that give() allocates nothing.
      free_.reserve(++made_);
      return std::make_unique_for_overwrite<std::uint8_t[]>(block_);
    }
    Memory last = std::move(free_.back());
    free_.pop_back();
    return last;
  }
  void give(std::uint8_t* p) noexcept {
    const std::lock_guard guard(mutex_);
    free_.emplace_back(p);
  }

  const std::size_t block_;
  std::mutex mutex_;  // guards what follows
  std::vector<Memory> free_;
  std::size_t made_ = 0;
};

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

// Reads into blocks that packets share.
class BlockInput : public Input {
 public:
  explicit BlockInput(std::size_t block) : pool_(std::make_shared<BlockPool>(block)) {}

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
    capacity_ = std::max(pool_->block(), 2 * window_.size());
    std::shared_ptr<std::uint8_t[]> block = pool_->take(capacity_);
    if (!window_.empty()) std::memcpy(block.get(), window_.data(), window_.size());
    window_ = {block.get(), window_.size()};
    memory_ = block;
    block_ = std::move(block);
  }

  std::shared_ptr<BlockPool> pool_;
  std::shared_ptr<std::uint8_t[]> block_;  // the same as memory_
  std::size_t capacity_ = 0;
  bool ended_ = false;
};

class FileInput final : public BlockInput {
 public:
  FileInput(File file, std::uint64_t total, std::size_t block) : BlockInput(block), file_(std::move(file)) {
    total_ = total;
  }

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
  DecompressedInput(std::unique_ptr<Input> from, Compression c, std::size_t block)
      : BlockInput(block), from_(std::move(from)), decompressor_(decompressor(c)) {
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

std::unique_ptr<Input> decompressed(std::unique_ptr<Input> raw, std::size_t block) {
  constexpr std::size_t longest_magic = 6;
  raw->advance(0, longest_magic);
  const Compression c = detect_compression(raw->window());
  if (c == Compression::none) return raw;
  return std::make_unique<DecompressedInput>(std::move(raw), c, block);
}

}  // namespace

Result<std::unique_ptr<Input>> open_stored_input(const std::string& path, std::size_t block) {
  struct stat about{};
  if (path == "-") {
    if (::fstat(STDIN_FILENO, &about) != 0) return fail(Code::environment, "standard input is closed", "-");
    if (::isatty(STDIN_FILENO) != 0)
      return fail(Code::usage, "standard input is a terminal", "-", "pipe a capture in, or name a file");
    return std::make_unique<FileInput>(File(STDIN_FILENO), 0, block);
  }
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return cannot_open(path, errno);
  if (::fstat(file.fd(), &about) != 0) return cannot_open(path, errno);
  if (S_ISDIR(about.st_mode)) return cannot_open(path, EISDIR);
  // The disk fetches further ahead. Files of /proc are regular and claim no size.
  ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const std::uint64_t total = S_ISREG(about.st_mode) ? static_cast<std::uint64_t>(about.st_size) : 0;
  return std::make_unique<FileInput>(std::move(file), total, block);
}

Result<std::unique_ptr<Input>> open_input(const std::string& path, std::size_t block) {
  WEIR_TRY(auto raw, open_stored_input(path, block));
  return decompressed(std::move(raw), block);
}

std::unique_ptr<Input> memory_input(Bytes bytes) {
  return decompressed(std::make_unique<MemoryInput>(bytes), input_block);
}

}  // namespace weir

// Bump allocation for the records and texts of one batch. Nothing is freed alone; reset() keeps the memory.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace weir {

class Arena {
 public:
  // Uninitialised, aligned to `align` (a power of two, at most alignof(std::max_align_t)).
  std::byte* allocate(std::size_t size, std::size_t align) {
    const std::size_t start = (used_ + align - 1) & ~(align - 1);
    if (current_ < chunks_.size() && start + size <= chunks_[current_].size) {
      used_ = start + size;
      return chunks_[current_].bytes.get() + start;
    }
    return allocate_slow(size);
  }
  std::string_view copy(std::string_view text) {
    std::byte* p = allocate(text.size() + 1, 1);  // + 1: an empty text still has data, so it is not null
    if (!text.empty()) std::memcpy(p, text.data(), text.size());
    return {reinterpret_cast<const char*>(p), text.size()};
  }

  struct Mark {
    std::size_t chunk, used;
  };
  Mark mark() const noexcept { return {current_, used_}; }
  // Gives back all that was allocated since the mark.
  void rewind(Mark m) noexcept {
    current_ = m.chunk;
    used_ = m.used;
  }
  void reset() noexcept { rewind({0, 0}); }

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  static constexpr std::size_t chunk_size = 64 * 1024;

  std::byte* allocate_slow(std::size_t size) {
    for (std::size_t next = chunks_.empty() ? 0 : current_ + 1; next < chunks_.size(); ++next)
      if (chunks_[next].size >= size) return use(next, size);
    const std::size_t capacity = size > chunk_size ? size : chunk_size;
    chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(capacity), capacity});
    return use(chunks_.size() - 1, size);
  }
  std::byte* use(std::size_t chunk, std::size_t size) noexcept {
    current_ = chunk;
    used_ = size;
    return chunks_[chunk].bytes.get();
  }

  std::vector<Chunk> chunks_;
  std::size_t current_ = 0, used_ = 0;
};

}  // namespace weir

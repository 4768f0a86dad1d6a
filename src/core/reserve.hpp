// Address space for an array that grows in place: memory is taken page by page as it is first written, so
// that room for millions of objects costs nothing until they are there. One thread at a time.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace weir {

class Reserve {
 public:
  // Throws std::bad_alloc when the address space does not have so much.
  explicit Reserve(std::size_t size) : size_(size) {
    void* at =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(at);
    // Small pages for the first little, so that few objects take little; then large ones, which spare the
    // processor a look-up per object.
    if (size > small) ::madvise(data_ + small, size - small, MADV_HUGEPAGE);
  }
  ~Reserve() { ::munmap(data_, size_); }
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  // Aligned to a page.
  std::byte* data() const noexcept { return data_; }

 private:
  static constexpr std::size_t small = std::size_t{1} << 20U;

  std::byte* data_;
  std::size_t size_;
};

}  // namespace weir

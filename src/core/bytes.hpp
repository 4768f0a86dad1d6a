// Reading hostile bytes. A ByteReader never reads outside its span: a short read returns zero and makes the
// reader fail for good, so a parser checks ok() once, after a run of reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace weir {

using Bytes = std::span<const std::uint8_t>;  // borrowed

inline std::string_view as_text(Bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}
inline Bytes as_bytes(std::string_view s) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

// Unchecked loads from network (big endian) and little-endian bytes; the caller knows the bytes are there.
inline std::uint16_t load_be16(const std::uint8_t* p) noexcept {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}
inline std::uint32_t load_be32(const std::uint8_t* p) noexcept {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}
inline std::uint64_t load_be64(const std::uint8_t* p) noexcept {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap64(v);
}
template <class T>
T load_le(const std::uint8_t* p) noexcept {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

class ByteReader {
 public:
  explicit ByteReader(Bytes data) noexcept : data_(data) {}

  bool ok() const noexcept { return ok_; }
  std::size_t position() const noexcept { return at_; }
  std::size_t remaining() const noexcept { return data_.size() - at_; }
  bool empty() const noexcept { return at_ == data_.size(); }
  void fail() noexcept {
    ok_ = false;
    at_ = data_.size();
  }

  std::uint8_t u8() noexcept { return take(1) ? data_[at_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16() noexcept { return take(2) ? load_be16(&data_[at_ - 2]) : std::uint16_t{0}; }
  std::uint32_t u24() noexcept {
    if (!take(3)) return 0;
    return std::uint32_t{data_[at_ - 3]} << 16 | std::uint32_t{data_[at_ - 2]} << 8 | data_[at_ - 1];
  }
  std::uint32_t u32() noexcept { return take(4) ? load_be32(&data_[at_ - 4]) : 0; }
  std::uint64_t u64() noexcept { return take(8) ? load_be64(&data_[at_ - 8]) : 0; }
  std::uint16_t le16() noexcept {
    return take(2) ? load_le<std::uint16_t>(&data_[at_ - 2]) : std::uint16_t{0};
  }
  std::uint32_t le32() noexcept { return take(4) ? load_le<std::uint32_t>(&data_[at_ - 4]) : 0; }
  std::uint64_t le64() noexcept { return take(8) ? load_le<std::uint64_t>(&data_[at_ - 8]) : 0; }

  // Empty, and the reader failed, when fewer than n bytes are left.
  Bytes bytes(std::size_t n) noexcept { return take(n) ? data_.subspan(at_ - n, n) : Bytes{}; }
  std::string_view text(std::size_t n) noexcept { return as_text(bytes(n)); }
  Bytes rest() noexcept { return bytes(remaining()); }
  void skip(std::size_t n) noexcept { take(n); }
  // Moves to an absolute offset; failing when it lies outside.
  void seek(std::size_t position) noexcept {
    if (position > data_.size() || !ok_) return fail();
    at_ = position;
  }
  std::uint8_t peek(std::size_t ahead = 0) const noexcept {
    return ahead < remaining() ? data_[at_ + ahead] : std::uint8_t{0};
  }

 private:
  bool take(std::size_t n) noexcept {
    if (n > data_.size() - at_) {
      fail();
      return false;
    }
    at_ += n;
    return true;
  }

  Bytes data_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace weir

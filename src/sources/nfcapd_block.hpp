// The compressions of nfdump's blocks, one of them for the whole file: each block is a stream of its own.
#pragma once

#include <bzlib.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <zstd.h>

#include <optional>

#include "core/bytes.hpp"

namespace weir::nfcapd {

// The numbers are those of the file header of layout 2.
enum class BlockCompression : std::uint8_t { none, lzo, bzip2, lz4, zstd };
inline constexpr std::uint8_t compressions = 5;

// nfdump fills blocks of 1 MiB (1.6) or 2 MiB (1.7) and reads none above 5 MiB.
inline constexpr std::size_t block_max = std::size_t{8} << 20U;

// How many bytes of `out`, which has block_max, were filled; nothing when the block is corrupt or too large.
inline std::optional<std::size_t> unpack(BlockCompression compression, Bytes in, std::uint8_t* out) {
  switch (compression) {
    case BlockCompression::lzo: {
      lzo_uint size = block_max;
      if (lzo1x_decompress_safe(in.data(), in.size(), out, &size, nullptr) != LZO_E_OK) return {};
      return size;
    }
    case BlockCompression::bzip2: {
      auto size = static_cast<unsigned>(block_max);
      // The library takes what it only reads without const.
      auto* from = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
      if (BZ2_bzBuffToBuffDecompress(reinterpret_cast<char*>(out), &size, from,
                                     static_cast<unsigned>(in.size()), 0, 0) != BZ_OK)
        return {};
      return size;
    }
    case BlockCompression::lz4: {
      const int size =
          LZ4_decompress_safe(reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(out),
                              static_cast<int>(in.size()), static_cast<int>(block_max));
      if (size < 0) return {};
      return static_cast<std::size_t>(size);
    }
    case BlockCompression::zstd: {
      const std::size_t size = ZSTD_decompress(out, block_max, in.data(), in.size());
      if (ZSTD_isError(size) != 0) return {};
      return size;
    }
    case BlockCompression::none: break;
  }
  return {};
}

}  // namespace weir::nfcapd

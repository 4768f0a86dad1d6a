#include "packet/decompress.hpp"

#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array<std::uint8_t, 2> gzip_magic{0x1f, 0x8b};              // RFC 1952 §2.3.1
constexpr std::array<std::uint8_t, 4> zstd_magic{0x28, 0xb5, 0x2f, 0xfd};  // RFC 8878 §3.1.1
constexpr std::array<std::uint8_t, 4> lz4_magic{0x04, 0x22, 0x4d,
                                                0x18};  // LZ4 frame format 1.6, "General structure"
constexpr std::array<std::uint8_t, 6> xz_magic{0xfd, '7', 'z', 'X', 'Z', 0};
constexpr std::uint64_t xz_memory = 256U << 20U;  // xz -9 wants 65 MiB

bool starts_with(Bytes data, Bytes magic) noexcept {
  return data.size() >= magic.size() && std::equal(magic.begin(), magic.end(), data.begin());
}
// zlib and its like count input in 32 bits.
unsigned clamp(std::size_t n) noexcept {
  return static_cast<unsigned>(std::min<std::size_t>(n, 1U << 30U));
}

class Gzip final : public Decompressor {
 public:
  Gzip() {
    constexpr int gzip_window = MAX_WBITS + 16;  // + 16: gzip framing only
    if (inflateInit2(&z_, gzip_window) != Z_OK) error_ = "gzip: out of memory";
  }
  ~Gzip() override { inflateEnd(&z_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Step step(Bytes in, std::span<std::uint8_t> out, bool last) override {
    if (!error_.empty() || trailer_) return {in.size(), 0};
    if (between_ && !next_member(in, last)) return {trailer_ ? in.size() : 0, 0};
    z_.next_in = const_cast<Bytef*>(in.data());  // zlib does not write there; its type predates const
    z_.avail_in = clamp(in.size());
    z_.next_out = out.data();
    z_.avail_out = clamp(out.size());
    const unsigned in_before = z_.avail_in, out_before = z_.avail_out;
    const int code = inflate(&z_, Z_NO_FLUSH);
    const Step done{in_before - z_.avail_in, out_before - z_.avail_out};
    if (code == Z_STREAM_END) {
      between_ = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      error_ = z_.msg != nullptr ? std::string("corrupt gzip data: ") + z_.msg : "corrupt gzip data";
    } else if (last && done.consumed == in.size() && done.produced == 0) {
      error_ = "the gzip data ends early";
    }
    return done;
  }

 private:
  // RFC 1952 §2.2: members follow one another. Like gzip, ignore zeros that pad to a block (tapes, dd).
  bool next_member(Bytes in, bool last) {
    if (in.empty() || (in.size() < gzip_magic.size() && !last)) return false;
    if (starts_with(in, gzip_magic)) {
      between_ = false;
      return inflateReset(&z_) == Z_OK;
    }
    trailer_ = true;
    if (in[0] != 0) error_ = "garbage after the gzip data";
    return false;
  }

  z_stream z_{};
  bool between_ = false, trailer_ = false;
};

class Zstd final : public Decompressor {
 public:
  Step step(Bytes in, std::span<std::uint8_t> out, bool last) override {
    if (!error_.empty()) return {0, 0};
    // A frame seen whole would be decoded at one go, and nothing of a corrupt one be had; so show its header
    // first.
    ZSTD_inBuffer from{in.data(), inside_ ? in.size() : std::min(in.size(), frame_header_max), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t left = ZSTD_decompressStream(stream_.get(), &to, &from);
    if (ZSTD_isError(left) != 0) {
      error_ = std::string("corrupt zstd data: ") + ZSTD_getErrorName(left);
    } else if (from.pos != 0 || to.pos != 0) {
      inside_ = left != 0;
    } else if (last && in.empty() && inside_) {
      error_ = "the zstd data ends early";
    }
    return {from.pos, to.pos};
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* s) const noexcept { ZSTD_freeDStream(s); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  static constexpr std::size_t frame_header_max = 18;  // RFC 8878 §3.1.1.1, with the magic number
  bool inside_ = false;                                // a frame
};

class Lz4 final : public Decompressor {
 public:
  Lz4() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
      error_ = "lz4: out of memory";
    context_.reset(context);
  }

  Step step(Bytes in, std::span<std::uint8_t> out, bool last) override {
    if (!error_.empty()) return {0, 0};
    std::size_t consumed = in.size(), produced = out.size();
    const std::size_t left =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(left) != 0) {
      error_ = std::string("corrupt lz4 data: ") + LZ4F_getErrorName(left);
      return {0, 0};
    }
    if (consumed != 0 || produced != 0) {
      inside_ = left != 0;
    } else if (last && in.empty() && inside_) {
      error_ = "the lz4 data ends early";
    }
    return {consumed, produced};
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* c) const noexcept { LZ4F_freeDecompressionContext(c); }
  };
  std::unique_ptr<LZ4F_dctx, Free> context_;
  bool inside_ = false;
};

class Xz final : public Decompressor {
 public:
  Xz() {
    if (lzma_stream_decoder(&z_, xz_memory, LZMA_CONCATENATED) != LZMA_OK) error_ = "xz: out of memory";
  }
  ~Xz() override { lzma_end(&z_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;

  Step step(Bytes in, std::span<std::uint8_t> out, bool last) override {
    if (!error_.empty() || ended_) return {0, 0};
    z_.next_in = in.data();
    z_.avail_in = in.size();
    z_.next_out = out.data();
    z_.avail_out = out.size();
    const lzma_ret code = lzma_code(&z_, last ? LZMA_FINISH : LZMA_RUN);
    const Step done{in.size() - z_.avail_in, out.size() - z_.avail_out};
    switch (code) {
      case LZMA_OK: break;
      case LZMA_STREAM_END: ended_ = true; break;
      case LZMA_BUF_ERROR:
        if (last) error_ = "the xz data ends early";
        break;
      case LZMA_MEMLIMIT_ERROR: error_ = "the xz data wants more than 256 MiB of memory"; break;
      default: error_ = "corrupt xz data"; break;
    }
    return done;
  }

 private:
  lzma_stream z_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

}  // namespace

std::string_view name_of(Compression c) noexcept {
  switch (c) {
    case Compression::none: return "";
    case Compression::gzip: return "gzip";
    case Compression::zstd: return "zstd";
    case Compression::lz4: return "lz4";
    case Compression::xz: return "xz";
  }
  return "";
}

Compression detect_compression(Bytes start) noexcept {
  if (starts_with(start, gzip_magic)) return Compression::gzip;
  if (starts_with(start, zstd_magic)) return Compression::zstd;
  if (starts_with(start, lz4_magic)) return Compression::lz4;
  if (starts_with(start, xz_magic)) return Compression::xz;
  return Compression::none;
}

std::unique_ptr<Decompressor> decompressor(Compression c) {
  switch (c) {
    case Compression::none: return nullptr;
    case Compression::gzip: return std::make_unique<Gzip>();
    case Compression::zstd: return std::make_unique<Zstd>();
    case Compression::lz4: return std::make_unique<Lz4>();
    case Compression::xz: return std::make_unique<Xz>();
  }
  return nullptr;
}

}  // namespace weir

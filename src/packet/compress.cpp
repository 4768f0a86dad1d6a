#include "packet/compress.hpp"

#include <zlib.h>
#include <zstd.h>

#include "core/assert.hpp"

namespace weir {
namespace {

constexpr std::size_t step = std::size_t{64} << 10U;

class Gzip final : public Compressor {
 public:
  Gzip() {
    constexpr int gzip_window = MAX_WBITS + 16, memory = 9;  // + 16: gzip framing
    const int made = deflateInit2(&z_, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory, Z_DEFAULT_STRATEGY);
    WEIR_ASSERT(made == Z_OK);
  }
  ~Gzip() override { deflateEnd(&z_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void add(Bytes in, std::string& out) override { run(in, out, Z_NO_FLUSH); }
  void finish(std::string& out) override {
    run({}, out, Z_FINISH);
    deflateReset(&z_);
  }

 private:
  void run(Bytes in, std::string& out, int flush) {
    z_.next_in = const_cast<Bytef*>(in.data());  // zlib does not write there; its type predates const
    z_.avail_in = static_cast<uInt>(in.size());
    do {
      const std::size_t before = out.size();
      out.resize(before + step);
      z_.next_out = reinterpret_cast<Bytef*>(&out[before]);
      z_.avail_out = step;
      deflate(&z_, flush);
      out.resize(before + step - z_.avail_out);
    } while (z_.avail_out == 0);
  }
  z_stream z_{};
};

class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    WEIR_ASSERT(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  void add(Bytes in, std::string& out) override { run(in, out, ZSTD_e_continue); }
  void finish(std::string& out) override { run({}, out, ZSTD_e_end); }

 private:
  void run(Bytes in, std::string& out, ZSTD_EndDirective what) {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    std::size_t left = 0;
    do {
      const std::size_t before = out.size();
      out.resize(before + step);
      ZSTD_outBuffer output{&out[before], step, 0};
      left = ZSTD_compressStream2(context_.get(), &output, &input, what);
      WEIR_ASSERT(ZSTD_isError(left) == 0);
      out.resize(before + output.pos);
    } while (input.pos < input.size || (what == ZSTD_e_end && left != 0));
  }
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

}  // namespace

std::unique_ptr<Compressor> Compressor::make(Compression compression) {
  WEIR_ASSERT(compression == Compression::gzip || compression == Compression::zstd);
  if (compression == Compression::gzip) return std::make_unique<Gzip>();
  return std::make_unique<Zstd>();
}

}  // namespace weir

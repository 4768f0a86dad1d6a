// Capture files built byte by byte: every dialect, damage everywhere, compression, and what merging makes of
// them.
#include "packet/capture_file.hpp"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>

#include "packet/timestamp.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

// Writes numbers in the byte order of the file under test.
struct Builder {
  bool big = false;
  std::string out;

  Builder& raw(std::string_view s) {
    out += s;
    return *this;
  }
  Builder& number(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out += static_cast<char>(v >> 8 * (big ? size - 1 - i : i));
    return *this;
  }
  Builder& u16(std::uint64_t v) { return number(v, 2); }
  Builder& u32(std::uint64_t v) { return number(v, 4); }
  Builder& u64(std::uint64_t v) { return number(v, 8); }

  Builder& pcap_header(std::uint32_t magic = 0xa1b2c3d4, std::uint16_t minor = 4, std::uint32_t link = 1) {
    return u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(65535).u32(link);
  }
  Builder& pcap_packet(std::uint32_t sec, std::uint32_t fraction, std::string_view data,
                       std::uint32_t wire = 0) {
    return u32(sec).u32(fraction).u32(data.size()).u32(wire != 0 ? wire : data.size()).raw(data);
  }

  Builder& block(std::uint32_t type, std::string body) {
    body.resize((body.size() + 3) / 4 * 4);
    return u32(type).u32(body.size() + 12).raw(body).u32(body.size() + 12);
  }
  Builder body() const { return {big, {}}; }
  Builder& option(std::uint16_t code, std::string_view value) {
    u16(code).u16(value.size()).raw(value);
    out.resize((out.size() + 3) / 4 * 4);
    return *this;
  }
  Builder& section(std::string options = {}) {
    return block(0x0a0d0d0a, body().u32(0x1a2b3c4d).u16(1).u16(0).u64(~0ULL).raw(options).out);
  }
  Builder& interface(std::uint16_t link, std::string options = {}, std::uint32_t snaplen = 0) {
    return block(1, body().u16(link).u16(0).u32(snaplen).raw(options).out);
  }
  Builder& enhanced(std::uint32_t interface, std::uint64_t ticks, std::string_view data) {
    Builder b =
        body().u32(interface).u32(ticks >> 32).u32(ticks & 0xffffffff).u32(data.size()).u32(data.size());
    return block(6, b.raw(data).out);
  }
};

struct Read {
  std::vector<RawPacket> packets;
  std::vector<std::string> data;
  std::vector<Damage> damages;
  CaptureInfo info;
};

Read drain(CaptureFile& file, std::size_t most = 100) {
  Read all;
  PacketSlice slice;
  while (file.read(slice, most)) {
    EXPECT_LE(slice.packets.size(), most);
    for (const RawPacket& p : slice.packets) {
      all.packets.push_back(p);
      all.data.emplace_back(as_text({p.data, p.captured}));
    }
    slice.clear();
  }
  EXPECT_TRUE(slice.packets.empty());
  all.damages = file.damages();
  all.info = file.info();
  return all;
}

Read read_all(std::string_view bytes) {
  auto file = CaptureFile::from_bytes(as_bytes(bytes), "test");
  if (!file) {
    ADD_FAILURE() << file.error().line();
    return {};
  }
  return drain(**file);
}

class ByteOrders : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(LittleAndBig, ByteOrders, testing::Bool());

TEST_P(ByteOrders, PcapInMicrosecondsAndNanoseconds) {
  for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU}) {
    const bool nano = magic == 0xa1b23c4d;
    const Read got = read_all(Builder{GetParam()}
                                  .pcap_header(magic, 4, 113)
                                  .pcap_packet(5, 7, "one")
                                  .pcap_packet(6, 8, "", 99)
                                  .out);
    ASSERT_EQ(got.packets.size(), 2U);
    EXPECT_EQ(got.packets[0].time.ns, 5'000'000'000 + (nano ? 7 : 7000));
    EXPECT_EQ(got.packets[1].length, 99U);
    EXPECT_EQ(got.packets[1].captured, 0U);
    EXPECT_EQ(got.packets[0].link_type, 113);
    EXPECT_EQ(got.data[0], "one");
    EXPECT_TRUE(got.damages.empty());
    EXPECT_EQ(got.info.interfaces.at(0).ticks_per_second, nano ? 1'000'000'000U : 1'000'000U);
    EXPECT_EQ(got.info.sections.at(0).big_endian, GetParam());
  }
}

TEST_P(ByteOrders, PcapDialects) {
  const std::string kuznetzov = Builder{GetParam()}
                                    .pcap_header(0xa1b2cd34)
                                    .u32(1)
                                    .u32(2)
                                    .u32(3)
                                    .u32(3)
                                    .u32(9)
                                    .u16(8)
                                    .u16(0)
                                    .raw("abc")
                                    .out;
  EXPECT_EQ(read_all(kuznetzov).data, std::vector<std::string>{"abc"});
  const std::string ixia = Builder{GetParam()}.pcap_header(0x1c0001ac).u32(77).pcap_packet(1, 2, "abc").out;
  EXPECT_EQ(read_all(ixia).packets.at(0).time.ns, 1'000'000'002);
  // Before version 2.3 the wire length came first; 2.3 is decided by which is larger.
  const std::string old =
      Builder{GetParam()}.pcap_header(0xa1b2c3d4, 2).u32(1).u32(0).u32(9).u32(3).raw("abc").out;
  EXPECT_EQ(read_all(old).packets.at(0).length, 9U);
  const std::string unsure = Builder{GetParam()}
                                 .pcap_header(0xa1b2c3d4, 3)
                                 .u32(1)
                                 .u32(0)
                                 .u32(9)
                                 .u32(3)
                                 .raw("abc")
                                 .u32(1)
                                 .u32(0)
                                 .u32(3)
                                 .u32(9)
                                 .raw("def")
                                 .out;
  EXPECT_EQ(read_all(unsure).data, (std::vector<std::string>{"abc", "def"}));
}

TEST_P(ByteOrders, PcapngSectionsInterfacesAndResolutions) {
  Builder b{GetParam()};
  b.section(b.body().option(4, "dumpcap").option(1, "a note").u32(0).out);
  b.interface(1, b.body().option(2, "eth0").option(9, std::string_view("\x09", 1)).out, 100);
  b.interface(113, b.body().option(9, std::string_view("\x8a", 1)).out);  // 2^-10
  b.interface(101, b.body().option(14, b.body().u64(1000).out).out);      // offset in seconds
  b.block(0x0bad, "skipped")
      .enhanced(0, 1'000'000'001, "ns")
      .enhanced(1, 1024 + 512, "two")
      .enhanced(2, 5, "off");
  b.block(5, b.body().u32(0).u64(0).option(4, b.body().u64(70).out).option(5, b.body().u64(7).out).out);
  Builder other{!GetParam()};
  b.raw(other.section().interface(12).enhanced(0, 2'000'000, "next").out);

  const Read got = read_all(b.out);
  ASSERT_EQ(got.data, (std::vector<std::string>{"ns", "two", "off", "next"}));
  EXPECT_EQ(got.packets[0].time.ns, 1'000'000'001);
  EXPECT_EQ(got.packets[1].time.ns, 1'500'000'000);
  EXPECT_EQ(got.packets[2].time.ns, 1'000'000'005'000);
  EXPECT_EQ(got.packets[3].time.ns, 2'000'000'000);
  EXPECT_EQ(got.packets[3].interface, 3);
  EXPECT_EQ(got.packets[3].link_type, 12);
  EXPECT_TRUE(got.damages.empty());
  ASSERT_EQ(got.info.sections.size(), 2U);
  EXPECT_EQ(got.info.sections[0].application, "dumpcap");
  EXPECT_EQ(got.info.sections[0].comment, "a note");
  EXPECT_EQ(got.info.interfaces[0].name, "eth0");
  EXPECT_EQ(got.info.interfaces[0].dropped, 7U);
  EXPECT_EQ(got.info.interfaces[3].section, 1U);
}

TEST_P(ByteOrders, PcapngSimpleAndObsoletePackets) {
  Builder b{GetParam()};
  b.section().interface(1, {}, 4).enhanced(0, 3'000'000, "time");
  b.block(3, b.body().u32(9).raw("cut ").out);
  b.block(2, b.body().u16(0).u16(1).u32(0).u32(4'000'000).u32(3).u32(3).raw("old").out);
  const Read got = read_all(b.out);
  ASSERT_EQ(got.data, (std::vector<std::string>{"time", "cut ", "old"}));
  EXPECT_EQ(got.packets[1].length, 9U);
  EXPECT_EQ(got.packets[1].time.ns, 3'000'000'000);
  EXPECT_EQ(got.packets[2].time.ns, 4'000'000'000);
}

TEST(CaptureFile, Snoop) {
  Builder b{true};
  b.raw(std::string_view("snoop\0\0\0", 8)).u32(2).u32(4);
  b.u32(60).u32(3).u32(28).u32(0).u32(1).u32(2).raw(std::string_view("abc\0", 4));
  const Read got = read_all(b.out);
  ASSERT_EQ(got.data, std::vector<std::string>{"abc"});
  EXPECT_EQ(got.packets[0].length, 60U);
  EXPECT_EQ(got.packets[0].link_type, 1);
  EXPECT_EQ(got.packets[0].time.ns, 1'000'002'000);
}

// Where each packet of a file ends, found with the whole file.
std::vector<std::size_t> ends(std::string_view bytes) {
  std::vector<std::size_t> all;
  for (const RawPacket& p : read_all(bytes).packets)
    all.push_back(
        static_cast<std::size_t>(reinterpret_cast<const char*>(p.data) + p.captured - bytes.data()));
  return all;
}

// A file cut anywhere gives exactly its whole packets and says that it was cut, unless the cut is between two
// records. Behind a packet comes padding to `alignment` and a `trailer`; with less than `start` it is no
// capture.
void expect_whole_packets_before_every_cut(const std::string& bytes, std::size_t start, std::size_t alignment,
                                           std::size_t trailer) {
  const std::vector<std::size_t> packet_ends = ends(bytes);
  ASSERT_FALSE(packet_ends.empty());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const std::string part = bytes.substr(0, cut);
    auto file = CaptureFile::from_bytes(as_bytes(part), "cut");
    if (cut < start) {
      EXPECT_TRUE(!file || !drain(**file).damages.empty()) << cut;
      continue;
    }
    ASSERT_TRUE(file.has_value()) << cut;
    const Read got = drain(**file, 2);
    std::size_t whole = 0;
    for (const std::size_t end : packet_ends)
      if ((end + alignment - 1) / alignment * alignment + trailer <= cut) ++whole;
    EXPECT_EQ(got.packets.size(), whole) << "cut at " << cut;
    EXPECT_LE(got.damages.size(), 1U);
    for (const Damage& d : got.damages) {
      EXPECT_EQ(d.name, "truncated_file");
      EXPECT_LT(d.offset, cut);
    }
  }
}

TEST_P(ByteOrders, PcapCutAnywhere) {
  Builder b{GetParam()};
  b.pcap_header().pcap_packet(1, 1, "first").pcap_packet(2, 2, "").pcap_packet(3, 3, "the third");
  expect_whole_packets_before_every_cut(b.out, 24, 1, 0);
}

TEST_P(ByteOrders, PcapngCutAnywhere) {
  Builder b{GetParam()};
  b.section().interface(1).enhanced(0, 1, "first").block(77, "unknown").enhanced(0, 2, "second, longer");
  expect_whole_packets_before_every_cut(b.out, 28, 4, 4);
}

TEST(CaptureFile, DamageAtARecordBoundaryIsNone) {
  const Builder whole = Builder{}.pcap_header().pcap_packet(1, 1, "first");
  EXPECT_TRUE(read_all(whole.out).damages.empty());
  EXPECT_TRUE(read_all(Builder{}.pcap_header().out).damages.empty());
}

TEST(CaptureFile, ImpossibleLengthEndsPcap) {
  const Read got = read_all(
      Builder{}.pcap_header().pcap_packet(1, 1, "first").u32(1).u32(1).u32(0x40001).u32(9).raw("xxxx").out);
  EXPECT_EQ(got.packets.size(), 1U);
  ASSERT_EQ(got.damages.size(), 1U);
  EXPECT_EQ(got.damages[0].name, "corrupt_record");
  EXPECT_EQ(got.damages[0].offset, 24U + 16 + 5);
  EXPECT_EQ(got.damages[0].file, "test");
}

TEST(CaptureFile, PcapngReadsOnBehindABadBlock) {
  Builder b;
  b.section().interface(1).enhanced(0, 1, "a").enhanced(9, 1, "of no interface");
  b.block(6, b.body().u32(0).u32(0).u32(0).u32(400).u32(400).raw("short").out).enhanced(0, 1, "b");
  const Read got = read_all(b.out);
  EXPECT_EQ(got.data, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(got.damages.size(), 2U);
}

TEST(CaptureFile, PcapngLengthsThatDifferEndIt) {
  Builder b;
  b.section().interface(1).enhanced(0, 1, "a").enhanced(0, 1, "b").enhanced(0, 1, "c");
  b.out[b.out.size() - 36 - 4] ^= 4;  // the trailer of b's block
  const Read got = read_all(b.out);
  EXPECT_EQ(got.data, std::vector<std::string>{"a"});
  ASSERT_EQ(got.damages.size(), 1U);
  EXPECT_EQ(got.damages[0].name, "corrupt_block");
}

TEST(CaptureFile, DamageIsBounded) {
  Builder b;
  b.section();
  for (int i = 0; i < 1000; ++i) b.enhanced(0, 1, "nobody's");
  EXPECT_EQ(read_all(b.out).damages.size(), 17U);
}

TEST(CaptureFile, NotACapture) {
  const auto code = [](std::string_view bytes) {
    const auto file = CaptureFile::from_bytes(as_bytes(bytes), "x");
    return file ? -1 : file.error().exit_code();
  };
  EXPECT_EQ(code(""), 2);
  EXPECT_EQ(code("GIF89a, and more of it"), 2);
  EXPECT_EQ(code(std::string_view("\xd4\xc3\xb2\xa1 short", 10)), 2);
  EXPECT_EQ(code("BZh91AY&SY"), 2);
  EXPECT_EQ(CaptureFile::open("/no/such/file").error().line(), "/no/such/file: no such file");
  EXPECT_EQ(CaptureFile::open("/tmp").error().exit_code(), 2);
}

std::string gzip(std::string_view s) {
  std::string out(s.size() + 128, '\0');
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = const_cast<Bytef*>(as_bytes(s).data());
  z.avail_in = static_cast<unsigned>(s.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
std::string zstd(std::string_view s) {
  std::string out(ZSTD_compressBound(s.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), s.data(), s.size(), 3));
  return out;
}
std::string lz4(std::string_view s) {
  std::string out(LZ4F_compressFrameBound(s.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), s.data(), s.size(), nullptr));
  return out;
}
std::string xz(std::string_view s) {
  std::string out(lzma_stream_buffer_bound(s.size()), '\0');
  std::size_t size = 0;
  lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, as_bytes(s).data(), s.size(),
                          reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  out.resize(size);
  return out;
}

struct Packer {
  Compression compression;
  std::string (*pack)(std::string_view);
};
class Compressions : public testing::TestWithParam<Packer> {};
INSTANTIATE_TEST_SUITE_P(All, Compressions,
                         testing::Values(Packer{Compression::gzip, gzip}, Packer{Compression::zstd, zstd},
                                         Packer{Compression::lz4, lz4}, Packer{Compression::xz, xz}),
                         [](const auto& i) { return std::string(name_of(i.param.compression)); });

// Some megabytes that do not compress to nothing, so that records straddle blocks.
std::string large_pcap(std::size_t packets) {
  Builder b;
  b.pcap_header();
  std::uint32_t random = 1;
  for (std::size_t i = 0; i < packets; ++i) {
    std::string data(40 + i % 1400, '\0');
    for (char& c : data) c = static_cast<char>((random = random * 1664525 + 1013904223) >> 29U);
    b.pcap_packet(static_cast<std::uint32_t>(i), 0, data);
  }
  return b.out;
}

TEST_P(Compressions, RoundTripWithSeveralMembers) {
  const std::string plain = large_pcap(4000);
  ASSERT_GT(plain.size(), 2U << 20U);
  const std::size_t middle = plain.size() / 2;
  const std::string packed = GetParam().pack(std::string_view(plain).substr(0, middle)) +
                             GetParam().pack(std::string_view(plain).substr(middle));
  const Read want = read_all(plain), got = read_all(packed);
  EXPECT_EQ(got.info.compression, GetParam().compression);
  EXPECT_EQ(got.data, want.data);
  EXPECT_TRUE(got.damages.empty());
}

TEST_P(Compressions, CutAndCorruptStreamsGiveWhatComesBefore) {
  const std::string plain = large_pcap(4000), packed = GetParam().pack(plain);
  const Read want = read_all(plain);
  for (const std::size_t cut : {packed.size() / 3, packed.size() / 2, packed.size() - 1}) {
    const Read got = read_all(packed.substr(0, cut));
    ASSERT_EQ(got.damages.size(), 1U) << cut;
    EXPECT_EQ(got.damages[0].name, "corrupt_compression");
    ASSERT_LE(got.data.size(), want.data.size());
    EXPECT_TRUE(std::equal(got.data.begin(), got.data.end(), want.data.begin())) << cut;
  }
  std::string corrupt = packed;
  for (std::size_t i = 0; i < 64; ++i) corrupt[corrupt.size() / 2 + i] = static_cast<char>(0xff);
  const Read got = read_all(corrupt);
  EXPECT_EQ(got.damages.size(), 1U);
  EXPECT_GT(got.data.size(), 100U);
}

TEST(Gzip, PaddingIsIgnoredAndGarbageIsDamage) {
  const std::string packed = gzip(Builder{}.pcap_header().pcap_packet(1, 1, "x").out);
  EXPECT_TRUE(read_all(packed + std::string(512, '\0')).damages.empty());
  const Read got = read_all(packed + "garbage");
  EXPECT_EQ(got.data, std::vector<std::string>{"x"});
  EXPECT_EQ(got.damages.size(), 1U);
}

TEST(TickClock, ResolutionsAndLimits) {
  EXPECT_EQ(TickClock::of_resolution(6, 0)->at(1'000'001).ns, 1'000'001'000);
  EXPECT_EQ(TickClock::of_resolution(0, 0)->at(3).ns, 3'000'000'000);
  EXPECT_EQ(TickClock::of_resolution(12, 0)->at(1'234'567'891'234).ns, 1'234'567'891);
  EXPECT_EQ(TickClock::of_resolution(0x80 | 32, 0)->at(3ULL << 31).ns, 1'500'000'000);
  EXPECT_EQ(TickClock::of_resolution(9, -2)->at(1).ns, -1'999'999'999);
  EXPECT_EQ(TickClock::of_resolution(6, 0)->at(~0ULL).ns, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(TickClock::of_resolution(0x80 | 63, std::numeric_limits<std::int64_t>::min())->at(1).ns,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(TickClock::of_resolution(20, 0));
  EXPECT_FALSE(TickClock::of_resolution(0x80 | 64, 0));
}

// A file and a pipe, with blocks far smaller than the file.
TEST(Input, FilesAndPipesReadAlike) {
  const std::string bytes = large_pcap(3000);
  const TempFolder folder;
  const std::string path = folder.write("a.pcap", bytes);
  const Read want = read_all(bytes);
  auto plain = CaptureFile::open(path, 4096);
  ASSERT_TRUE(plain.has_value());
  const Read got = drain(**plain);
  EXPECT_EQ(got.data, want.data);
  EXPECT_EQ((*plain)->bytes_read(), bytes.size());
  EXPECT_EQ((*plain)->bytes_total(), bytes.size());

  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(std::system(("mkfifo '" + fifo + "' && { cat '" + path + "' > '" + fifo + "' & }").c_str()), 0);
  auto piped = CaptureFile::open(fifo);
  ASSERT_TRUE(piped.has_value());
  EXPECT_EQ(drain(**piped).data, want.data);
}

TEST(Input, SliceKeepsItsBytesWhenTheReaderIsGone) {
  const TempFolder folder;
  auto file = CaptureFile::open(folder.write("a.pcap.gz", gzip(large_pcap(3000))));
  ASSERT_TRUE(file.has_value());
  PacketSlice slice;
  while ((*file)->read(slice, 500)) {
  }
  file->reset();
  ASSERT_EQ(slice.packets.size(), 3000U);
  std::string joined;
  for (const RawPacket& p : slice.packets) joined += as_text({p.data, p.captured});
  std::string want;
  for (const std::string& d : read_all(large_pcap(3000)).data) want += d;
  EXPECT_EQ(joined, want);
}

}  // namespace
}  // namespace weir

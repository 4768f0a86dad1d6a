#include "packet/capture_write.hpp"

#include <gtest/gtest.h>

#include "packet/compress.hpp"

namespace weir {
namespace {

constexpr std::uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};

std::string packet_text(const RawPacket& packet, bool ng) {
  std::string room(packet.captured + packet_room, 'x');
  auto* const at = reinterpret_cast<std::uint8_t*>(room.data());
  std::uint8_t* const end = ng ? put_packet_block(at, packet) : put_pcap_packet(at, packet);
  room.resize(static_cast<std::size_t>(end - at));
  return room;
}

struct Whole {
  CaptureInfo info;
  std::vector<RawPacket> packets;
  std::vector<Damage> damages;
  PacketSlice slice;
};
Whole read_back(const std::string& file) {
  Whole whole;
  auto opened = CaptureFile::from_bytes(as_bytes(file), "memory");
  EXPECT_TRUE(opened.has_value());
  while ((*opened)->read(whole.slice, 100)) {
  }
  whole.packets = whole.slice.packets;
  whole.info = (*opened)->info();
  whole.damages = (*opened)->damages();
  return whole;
}

TEST(CaptureWrite, PcapngIsReadBack) {
  std::string file;
  append_section(file, "weir", "machine", "Linux");
  InterfaceInfo about{.link_type = 1, .snaplen = 96};
  about.name = "eth0";
  about.filter = "tcp port 80";
  append_interface(file, about);
  about.name = "tun0";
  about.link_type = 101;
  about.filter.clear();
  append_interface(file, about);
  for (std::uint32_t size = 0; size <= std::size(bytes); ++size)
    file += packet_text({{1'700'000'000'123'456'789}, bytes, size, 1500, 101, 1}, true);
  append_statistics(file, 1, {.start = {1}, .end = {2}, .received = 10, .nic_drops = 2, .dropped = 3});

  const Whole whole = read_back(file);
  EXPECT_TRUE(whole.damages.empty());
  ASSERT_EQ(whole.info.sections.size(), 1U);
  EXPECT_EQ(whole.info.sections[0].application, "weir");
  EXPECT_EQ(whole.info.sections[0].hardware, "machine");
  ASSERT_EQ(whole.info.interfaces.size(), 2U);
  EXPECT_EQ(whole.info.interfaces[0].name, "eth0");
  EXPECT_EQ(whole.info.interfaces[0].filter, "tcp port 80");
  EXPECT_EQ(whole.info.interfaces[0].snaplen, 96U);
  EXPECT_EQ(whole.info.interfaces[1].ticks_per_second, 1'000'000'000U);
  EXPECT_EQ(whole.info.interfaces[1].received, 10U);
  EXPECT_EQ(whole.info.interfaces[1].dropped, 5U);
  ASSERT_EQ(whole.packets.size(), 8U);
  for (std::uint32_t size = 0; size <= std::size(bytes); ++size) {
    const RawPacket& p = whole.packets[size];
    EXPECT_EQ(p.time.ns, 1'700'000'000'123'456'789);
    EXPECT_EQ(p.captured, size);
    EXPECT_EQ(p.length, 1500U);
    EXPECT_EQ(p.interface, 1);
    EXPECT_TRUE(std::equal(bytes, bytes + size, p.data));
  }
}

TEST(CaptureWrite, PcapIsReadBack) {
  std::string file;
  append_pcap_header(file, 1, 0);
  file += packet_text({{1'700'000'000'999'999'999}, bytes, 7, 9, 1, 0}, false);
  const Whole whole = read_back(file);
  EXPECT_TRUE(whole.damages.empty());
  ASSERT_EQ(whole.packets.size(), 1U);
  EXPECT_EQ(whole.packets[0].time.ns, 1'700'000'000'999'999'999);
  EXPECT_EQ(whole.packets[0].captured, 7U);
  EXPECT_EQ(whole.packets[0].length, 9U);
}

TEST(CaptureWrite, CompressedIsReadBack) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    std::string plain, file;
    append_pcap_header(plain, 1, 0);
    for (int i = 0; i < 50'000; ++i) plain += packet_text({{i * 1000}, bytes, 7, 7, 1, 0}, false);
    const auto compressor = Compressor::make(compression);
    for (std::string_view rest = plain; !rest.empty();
         rest.remove_prefix(std::min<std::size_t>(rest.size(), 100'000)))
      compressor->add(as_bytes(rest.substr(0, 100'000)), file);
    compressor->finish(file);
    EXPECT_LT(file.size(), plain.size() / 4);
    const Whole whole = read_back(file);
    EXPECT_EQ(whole.info.compression, compression);
    EXPECT_TRUE(whole.damages.empty());
    EXPECT_EQ(whole.packets.size(), 50'000U);
    // Used again, it begins anew.
    std::string second;
    compressor->add(as_bytes(plain), second);
    compressor->finish(second);
    EXPECT_EQ(read_back(second).packets.size(), 50'000U);
  }
}

}  // namespace
}  // namespace weir

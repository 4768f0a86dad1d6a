// Several capture files as one source.
#include <gtest/gtest.h>

#include <filesystem>

#include "plugin/source.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

class PcapSource : public testing::Test {
 protected:
  // A pcap of packets at these seconds, each holding the file's letter.
  std::string file(const std::string& name, const std::vector<std::uint32_t>& times, std::uint32_t link = 1) {
    std::string out;
    const auto u32 = [&](std::uint32_t v) { out.append(reinterpret_cast<const char*>(&v), 4); };
    for (const std::uint32_t v : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, link}) u32(v);
    for (const std::uint32_t t : times) {
      for (const std::uint32_t v : {t, 0U, 1U, 1U}) u32(v);
      out += name[0];
    }
    return folder_.write(name, out);
  }

  static Result<std::unique_ptr<PacketSource>> open(const std::vector<std::string>& inputs) {
    return find_plugin<SourceSpec>("pcap")->open(inputs);
  }
  static std::string drain(PacketSource& source, std::size_t most,
                           std::vector<RawPacket>* packets = nullptr) {
    std::string order;
    PacketSlice slice;
    for (slice.clear(); source.read(slice, most).value(); slice.clear()) {
      EXPECT_LE(slice.packets.size(), most);
      for (const RawPacket& p : slice.packets) order += static_cast<char>(*p.data);
      if (packets != nullptr) packets->insert(packets->end(), slice.packets.begin(), slice.packets.end());
    }
    return order;
  }

  TempFolder folder_;
};

TEST_F(PcapSource, MergesByTimeAndThenByInput) {
  const std::vector<std::string> inputs = {file("a", {1, 4, 4, 9}), file("b", {2, 4, 5}, 113), file("c", {})};
  for (const std::size_t most : {1U, 2U, 100U}) {
    auto source = open(inputs);
    ASSERT_TRUE(source.has_value());
    std::vector<RawPacket> packets;
    EXPECT_EQ(drain(**source, most, &packets), "abaabba");
    EXPECT_EQ(packets[0].interface, 0);
    EXPECT_EQ(packets[1].interface, 1);
    EXPECT_EQ(packets[1].link_type, 113);
    EXPECT_EQ((*source)->bytes_read(), (*source)->bytes_total());
  }
}

TEST_F(PcapSource, FileOutOfOrderIsTakenAsItComes) {
  auto source = open({file("a", {5, 1, 6}), file("b", {2, 7})});
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(drain(**source, 10), "baaab");
}

TEST_F(PcapSource, ManyPacketsInterleave) {
  std::vector<std::uint32_t> even, odd;
  std::string want;
  for (std::uint32_t i = 0; i < 2000; i += 2) even.push_back(i), odd.push_back(i + 1), want += "ab";
  auto source = open({file("a", even), file("b", odd)});
  EXPECT_EQ(drain(**source, 77), want);
}

TEST_F(PcapSource, PatternsAreExpandedUnlessAFileIsCalledSo) {
  file("a.pcap", {1});
  file("b.pcap", {2});
  auto source = open({folder_.file("*.pcap")});
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(drain(**source, 10), "ab");
  EXPECT_EQ(open({folder_.file("*.cap")}).error().line(),
            folder_.file("*.cap") + ": no file matches the pattern");
  EXPECT_EQ(drain(**open({file("x[1]", {1})}), 10), "x");
}

TEST_F(PcapSource, ErrorsNameTheFile) {
  const std::string good = file("a", {1});
  const auto missing = open({good, folder_.file("missing")});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().where, folder_.file("missing"));
  EXPECT_EQ(missing.error().exit_code(), 2);
  const TempFolder empty;
  const auto nothing = open({empty.path()});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().what, "there is no file in the folder");
  EXPECT_EQ(open({"-", "-"}).error().what, "standard input is named twice");
}

TEST_F(PcapSource, FolderIsTheFilesBelow) {
  file("b", {2, 4});
  std::filesystem::create_directory(folder_.file("deep"));
  file("deep/c", {3});
  folder_.write(".hidden", "no capture");
  auto source = open({folder_.path()});
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(drain(**source, 10).size(), 3U);
}

TEST_F(PcapSource, DamageOfOneFileLeavesTheOthers) {
  const std::string cut = file("a", {1, 3});
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 1);
  auto source = open({cut, file("b", {2, 4})});
  EXPECT_EQ(drain(**source, 10), "abb");
  ASSERT_EQ((*source)->damages().size(), 1U);
  EXPECT_EQ((*source)->damages()[0].file, cut);
  EXPECT_EQ((*source)->damages()[0].offset, 41U);
}

}  // namespace
}  // namespace weir

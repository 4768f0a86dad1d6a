// Files that hold records: nfdump's built byte by byte, and every committed file cut and damaged everywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "flow/exported.hpp"
#include "packet/input.hpp"
#include "plugin/record_file.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Little-endian numbers, as nfcapd writes them.
struct Builder {
  std::string out;

  Builder& raw(std::string_view s) {
    out += s;
    return *this;
  }
  Builder& number(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out += static_cast<char>(v >> 8 * i);
    return *this;
  }
  Builder& u8(std::uint64_t v) { return number(v, 1); }
  Builder& u16(std::uint64_t v) { return number(v, 2); }
  Builder& u32(std::uint64_t v) { return number(v, 4); }
  Builder& u64(std::uint64_t v) { return number(v, 8); }

  Builder& header(std::uint8_t compression = 0, std::uint8_t encryption = 0) {
    u16(0xa50c).u16(2).u32(0x01070100).u64(0);
    return u8(compression).u8(encryption).u16(0).u32(1).u64(0).u32(2 << 20).u32(1);
  }
  Builder& block(std::uint32_t records, std::string_view body, std::uint16_t type = 3,
                 std::uint16_t flags = 0) {
    return u32(records).u32(body.size()).u16(type).u16(flags).raw(body);
  }
  Builder& record(std::uint16_t type, std::string_view body) {
    return u16(type).u16(body.size() + 4).raw(body);
  }
};

std::string extension(std::uint16_t id, std::string_view body) {
  return Builder().u16(id).u16(body.size() + 4).raw(body).out;
}
std::string generic(std::uint64_t packets, std::uint8_t proto = 6) {
  return extension(1, Builder()
                          .u64(1'700'000'000'000)
                          .u64(1'700'000'000'500)
                          .u64(0)
                          .u64(packets)
                          .u64(packets * 100)
                          .u16(1024)
                          .u16(80)
                          .u8(proto)
                          .u8(0x12)
                          .u8(0)
                          .u8(0)
                          .out);
}
std::string flow(std::string_view extensions, std::uint16_t count) {
  return Builder().record(11, Builder().u16(count).u16(0).u16(0).u8(0).u8(9).raw(extensions).out).out;
}

struct Read {
  std::vector<Flow> flows;
  std::vector<std::string> damages;
  std::string error;
};

// All flows of a file; their texts are literals.
Read read(std::string_view bytes) {
  const Bytes all = as_bytes(bytes);
  Read result;
  for (const RecordFileSpec* spec : registry<RecordFileSpec>()) {
    if (!spec->recognises(all.first(std::min<std::size_t>(all.size(), 64)))) continue;
    const auto file = spec->open(memory_input(all), "x");
    if (!file) {
      result.error = file.error().line();
      return result;
    }
    Emitter::Wants wants{};
    wants[record_type<Flow>().id].wanted = true;
    Batch batch;
    Emitter out(wants, batch);
    for (bool more = true; more;) {
      batch.clear();
      out.into(batch);
      more = (*file)->read(out, 2).value();
      for (const Batch::Entry& e : batch.entries())
        result.flows.push_back(*static_cast<const Flow*>(e.record));
    }
    for (const Damage& d : (*file)->damages()) result.damages.push_back(std::string(d.name));
    return result;
  }
  result.error = "not recognised";
  return result;
}

std::vector<std::string> committed() {
  std::vector<std::string> files;
  for (const char* name :
       {"nfcapd.v1", "nfcapd.v1.bz2", "nfcapd.v2", "nfcapd.lzo", "nfcapd.bz2", "nfcapd.lz4", "flow_tools.v5",
        "flow_tools.v7.z", "flow_tools.v1005", "flow_tools.stream1"})
    files.push_back(TempFolder::read(std::string(WEIR_TEST_DATA "/") + name));
  return files;
}

TEST(RecordFile, CutAnywhereGivesTheFlowsBeforeAndSaysSo) {
  for (const std::string& whole : committed()) {
    const Read all = read(whole);
    ASSERT_THAT(all.flows, testing::Not(IsEmpty()));
    ASSERT_THAT(all.damages, IsEmpty());
    std::size_t silent = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Read cut = read(whole.substr(0, size));
      ASSERT_LE(cut.flows.size(), all.flows.size());
      for (std::size_t i = 0; i < cut.flows.size(); ++i)
        ASSERT_EQ(cut.flows[i].bytes, all.flows[i].bytes) << size;
      if (cut.flows.size() < all.flows.size() && cut.damages.empty() && cut.error.empty()) ++silent;
    }
    // Where a record or a block ends the file might have ended; there is no other silence.
    EXPECT_LE(silent, all.flows.size() + 1);
  }
}

TEST(RecordFile, EveryByteDamagedIsSurvived) {
  for (const std::string& whole : committed()) {
    const std::size_t most = read(whole).flows.size();
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const char value : {'\0', '\xff', static_cast<char>(whole[at] ^ 0x10)}) {
        std::string bad = whole;
        bad[at] = value;
        ASSERT_LE(read(bad).flows.size(), most + 64) << at;
      }
  }
}

TEST(NfcapdFile, ZstdBlocksAndUncompressedOnesAmongThem) {
  const std::string body = flow(generic(3) + extension(2, Builder().u32(0x0a000001).u32(0x0a000002).out), 2);
  std::string packed(ZSTD_compressBound(body.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), 1));
  const Read r = read(Builder().header(4).block(1, packed).block(1, body, 3, 1).out);
  ASSERT_EQ(r.flows.size(), 2U);
  EXPECT_EQ(r.flows[1].packets, 3U);
  EXPECT_EQ(to_string(r.flows[1].ref.src_ip), "10.0.0.1");
  EXPECT_EQ(r.flows[1].src_tcp_flags, "AS");
  EXPECT_THAT(r.damages, IsEmpty());
}

TEST(NfcapdFile, CorruptBlockLosesItselfAlone) {
  const std::string body = flow(generic(3), 1);
  const Read r = read(Builder().header(3).block(5, "\xff\xff\xff\xffgarbage").block(1, body, 3, 1).out);
  EXPECT_EQ(r.flows.size(), 1U);
  EXPECT_THAT(r.damages, ElementsAre("corrupt_block"));
}

TEST(NfcapdFile, BlockThatClaimsTooMuchEndsTheFile) {
  const Read r = read(Builder().header().block(1, flow(generic(1), 1)).u32(1).u32(0x7fffffff).u32(3).out);
  EXPECT_EQ(r.flows.size(), 1U);
  EXPECT_THAT(r.damages, ElementsAre("corrupt_block"));
}

TEST(NfcapdFile, MissingBlocksAreSaid) {
  EXPECT_THAT(read(Builder().header().out).damages, ElementsAre("truncated_file"));
}

TEST(NfcapdFile, MalformedRecordIsPassedOver) {
  const std::string good = flow(generic(1), 1);
  const std::string bad[] = {
      flow(generic(1), 2),                                       // an extension is missing
      flow(extension(2, std::string(8, 'x')), 1),                // no flow
      flow(generic(1).substr(0, 40), 1),                         // cut
      flow(generic(1) + extension(3, std::string(31, 'x')), 2),  // an address too short
  };
  for (const std::string& record : bad) {
    const Read r = read(Builder().header().block(3, good + record + good).out);
    EXPECT_EQ(r.flows.size(), 2U);
    EXPECT_THAT(r.damages, ElementsAre("corrupt_record"));
  }
}

TEST(NfcapdFile, DamageIsListedOnlySoOften) {
  std::string records;
  for (int i = 0; i < 1000; ++i) records += flow("", 1);
  EXPECT_EQ(read(Builder().header().block(1000, records).out).damages.size(), 17U);
}

TEST(NfcapdFile, EarlyNatEventHasVrfsInFront) {
  const std::string event =
      extension(25, Builder().u64(1'600'000'000'000).u32(1).u32(2).u32(3).u8(2).u8(0).u16(0).out);
  std::string nothing = generic(0);
  std::fill(nothing.begin() + 4, nothing.begin() + 20, '\0');  // no first and no last packet
  const Read r = read(Builder().header().block(1, flow(nothing + event, 2)).out);
  ASSERT_EQ(r.flows.size(), 1U);
  EXPECT_EQ(r.flows[0].event, "nat_delete");
  EXPECT_EQ(r.flows[0].time.ns, 1'600'000'000'000'000'000);
}

TEST(NfcapdFile, WhatCannotBeReadIsSaid) {
  EXPECT_THAT(read(Builder().header(9).out).error, HasSubstr("compression 9"));
  EXPECT_THAT(read(Builder().header(0, 1).out).error, HasSubstr("encrypted"));
  EXPECT_THAT(read(Builder().header().out.substr(0, 20)).error, HasSubstr("inside its header"));
  EXPECT_THAT(read(std::string_view("\xa5\x0c\x00\x02", 4)).error, HasSubstr("big-endian"));
}

TEST(Exported, IcmpPortsComeBackAsTypeAndCode) {
  for (const IpProto proto : {IpProto::icmp, IpProto::icmpv6})
    for (unsigned type = 0; type < 256; ++type) {
      FlowRef ref{.proto = proto};
      set_icmp_ports(ref, {static_cast<std::uint8_t>(type), 0});
      EXPECT_EQ(icmp_type_of(ref).type, type);
      EXPECT_EQ(icmp_type_of(ref).code, 0);
    }
  FlowRef unreachable{.proto = IpProto::icmp};
  set_icmp_ports(unreachable, {3, 13});
  EXPECT_EQ(icmp_type_of(unreachable).code, 13);
}

TEST(Exported, DirectionsAddUp) {
  Flow f;
  f.src_packets = 2, f.dst_packets = 3, f.src_bytes = 20, f.dst_bytes = 30;
  f.ref.src_port = 1, f.ref.dst_port = 2;
  f.src_tcp_flags = "S", f.dst_tcp_flags = "A";
  std::vector<Flow> parts;
  for_each_direction(f, [&](const Flow& part) { parts.push_back(part); });
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].bytes, 20U);
  EXPECT_EQ(parts[1].packets, 3U);
  EXPECT_EQ(parts[1].ref.src_port, 2);
  EXPECT_EQ(parts[1].src_tcp_flags, "A");
  EXPECT_EQ(parts[1].dst_packets, 0U);
  EXPECT_EQ(tcp_flags_of(flags_text(0xab)), 0xab);
}

}  // namespace
}  // namespace weir

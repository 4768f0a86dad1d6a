// Whatever record is written comes back the same.
#include "store/column_block.hpp"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "engine/record_types.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"

namespace weir {
namespace {

class Filler {
 public:
  Filler(unsigned seed, Arena& arena) : random_(seed), arena_(arena) {}

  void fill(const FieldInfo& field, std::byte* record) {
    if (field.nullable && random_() % 3 == 0) return;
    const std::size_t count = field.is_list ? random_() % 4 : 1;
    std::byte* values = arena_.allocate(count * field.size + 1, 16);
    for (std::size_t i = 0; i < count; ++i) one(field, values + i * field.size);
    field.store(record + field.offset, values, count);
  }

 private:
  void one(const FieldInfo& field, std::byte* out) {
    if (field.kind == Kind::text) {
      const Text text = arena_.copy(std::string(random_() % 400, static_cast<char>('a' + random_() % 26)));
      std::memcpy(out, &text, sizeof text);
    } else if (field.kind == Kind::addr && random_() % 2 == 0) {
      const std::uint32_t four = static_cast<std::uint32_t>(random_());
      const Addr a = Addr::v4(reinterpret_cast<const std::uint8_t*>(&four));
      std::memcpy(out, &a, sizeof a);
    } else {
      for (std::size_t i = 0; i < field.size; ++i) out[i] = static_cast<std::byte>(random_());
      if (field.kind == Kind::boolean) out[0] &= std::byte{1};
    }
  }
  std::mt19937 random_;
  Arena& arena_;
};

std::string encoded(const ColumnBlock& block) {
  std::string out;
  block.encode(out);
  return out;
}

// Records of a type, filled at random.
class Records {
 public:
  Records(const RecordType& type, Arena& arena, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      std::byte* record = arena.allocate(type.size, type.align);
      std::memcpy(record, type.blank, type.size);
      Filler filler(i, arena);
      for (const FieldInfo& field : type.fields) filler.fill(field, record);
      pointers_.push_back(record);
    }
  }
  std::span<const void* const> all() const noexcept { return pointers_; }

 private:
  std::vector<const void*> pointers_;
};

TEST(ColumnBlock, EveryTypeComesBackAsItWas) {
  for (const RecordType* type : record_types()) {
    const std::string schema = encode_schema(*type);
    EXPECT_EQ(BlockDecoder::name_in(as_bytes(schema)), type->name);
    const auto decoder = BlockDecoder::make(as_bytes(schema), *type);
    ASSERT_TRUE(decoder) << type->name;
    Arena arena;
    const Records records(*type, arena, 251);
    ColumnBlock block(*type), at_once(*type), again(*type);
    at_once.add(records.all());
    // In batches as they come, which do not fill the groups by which records are taken.
    std::size_t at = 0;
    for (const std::size_t count : {1U, 50U, 70U, 130U})
      block.add(records.all().subspan(std::exchange(at, at + count), count));
    const std::string bytes = encoded(block);
    EXPECT_LE(bytes.size(), block.bytes() + 16 * type->fields.size()) << type->name;
    Batch batch;
    ASSERT_TRUE(decoder->decode(as_bytes(bytes), block.rows(), batch)) << type->name;
    std::vector<const void*> read;
    for (const Batch::Entry& entry : batch.entries()) read.push_back(entry.record);
    ASSERT_EQ(read.size(), 251U);
    again.add(read);
    EXPECT_TRUE(encoded(again) == encoded(at_once)) << type->name;
  }
}

TEST(ColumnBlock, AFieldThatComesLateIsNullBefore) {
  ColumnBlock block(record_type<Dns>());
  for (unsigned i = 0; i < 200; ++i) {
    Dns record{};
    record.time = Time{i};
    if (i >= 100) record.query = "weir.example";
    if (i % 2 == 1) record.rcode = static_cast<std::uint16_t>(i);
    const void* one[] = {&record};
    block.add(one);
  }
  const BlockSummary summary = block.summary();
  EXPECT_EQ(summary.count, 200U);
  EXPECT_TRUE(summary.timed);
  EXPECT_EQ(summary.earliest, Time{0});
  EXPECT_EQ(summary.latest, Time{199});
  const auto decoder = BlockDecoder::make(as_bytes(encode_schema(record_type<Dns>())), record_type<Dns>());
  Batch batch;
  ASSERT_TRUE(decoder->decode(as_bytes(encoded(block)), 200, batch));
  for (unsigned i = 0; i < 200; ++i) {
    const auto& read = *static_cast<const Dns*>(batch.entries()[i].record);
    EXPECT_EQ(read.time, Time{i});
    EXPECT_EQ(read.query.data() != nullptr, i >= 100) << i;
    EXPECT_EQ(read.rcode.has_value(), i % 2 == 1) << i;
    EXPECT_EQ(read.rcode.value_or(i), i);
  }
}

// :: is no IPv4 address, and an unset one is neither.
TEST(ColumnBlock, AddressesOfBothFamilies) {
  const Addr addresses[] = {Addr{}, *parse_addr("0.0.0.0"), *parse_addr("192.0.2.1"),
                            *parse_addr("2001:db8::1")};
  ColumnBlock block(record_type<Flow>());
  for (const Addr& address : addresses) {
    Flow flow{};
    flow.ref.src_ip = address;
    const void* one[] = {&flow};
    block.add(one);
  }
  const auto decoder = BlockDecoder::make(as_bytes(encode_schema(record_type<Flow>())), record_type<Flow>());
  Batch batch;
  ASSERT_TRUE(decoder->decode(as_bytes(encoded(block)), 4, batch));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<const Flow*>(batch.entries()[i].record)->ref.src_ip, addresses[i]);
}

TEST(ColumnBlock, FieldsThatAreGoneAreSkippedAndNewOnesAreNull) {
  RecordType older = record_type<Dns>();
  std::erase_if(older.fields, [](const FieldInfo& f) { return f.name == "query"; });
  Dns record{};
  record.query = "weir.example";
  record.rcode = 3;
  const void* one[] = {&record};
  ColumnBlock without(older), with(record_type<Dns>());
  without.add(one);
  with.add(one);
  Batch batch;
  const auto wide = BlockDecoder::make(as_bytes(encode_schema(older)), record_type<Dns>());
  ASSERT_TRUE(wide->decode(as_bytes(encoded(without)), 1, batch));
  EXPECT_EQ(static_cast<const Dns*>(batch.entries()[0].record)->rcode, 3);
  EXPECT_EQ(static_cast<const Dns*>(batch.entries()[0].record)->query.data(), nullptr);
  const auto narrow = BlockDecoder::make(as_bytes(encode_schema(record_type<Dns>())), older);
  ASSERT_TRUE(narrow->decode(as_bytes(encoded(with)), 1, batch));
  EXPECT_EQ(static_cast<const Dns*>(batch.entries()[1].record)->rcode, 3);
}

TEST(ColumnBlock, DamagedBytesDoNoHarm) {
  Arena arena;
  ColumnBlock block(record_type<Dns>());
  block.add(Records(record_type<Dns>(), arena, 20).all());
  const std::string bytes = encoded(block), schema = encode_schema(record_type<Dns>());
  const auto decoder = BlockDecoder::make(as_bytes(schema), record_type<Dns>());
  std::mt19937 random(1);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Batch batch;
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(random());
    decoder->decode(as_bytes(damaged), 20, batch);
    // Behind a column another may follow: what is cut there is a block. No crash is what counts.
    decoder->decode(as_bytes(std::string_view(bytes).substr(0, at)), 20, batch);
  }
  for (std::size_t size = 0; size < schema.size(); ++size)
    EXPECT_FALSE(BlockDecoder::make(as_bytes(std::string_view(schema).substr(0, size)), record_type<Dns>()));
}

}  // namespace
}  // namespace weir

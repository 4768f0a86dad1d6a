// Whatever record is written comes back the same.
#include "store/record_codec.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine/record_types.hpp"
#include "records/dns.hpp"

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

TEST(RecordCodec, EveryTypeComesBackAsItWas) {
  for (const RecordType* type : record_types()) {
    const std::string schema = encode_schema(*type);
    EXPECT_EQ(RecordDecoder::name_in(as_bytes(schema)), type->name);
    auto decoder = RecordDecoder::make(as_bytes(schema), *type);
    ASSERT_TRUE(decoder) << type->name;
    Arena arena;
    std::string bytes;
    constexpr unsigned records = 50;
    for (unsigned i = 0; i < records; ++i) {
      std::vector<std::byte> record(type->size);
      std::memcpy(record.data(), type->blank, type->size);
      Filler filler(i, arena);
      for (const FieldInfo& field : type->fields) filler.fill(field, record.data());
      encode_record(bytes, *type, record.data());
    }
    ByteReader in(as_bytes(bytes));
    Batch batch;
    while (!in.empty()) ASSERT_TRUE(decoder->decode(in, batch)) << type->name;
    ASSERT_EQ(batch.entries().size(), records);
    std::string again;
    for (const Batch::Entry& entry : batch.entries()) encode_record(again, *type, entry.record);
    EXPECT_EQ(again, bytes) << type->name;
  }
}

TEST(RecordCodec, FieldsThatAreGoneAreSkippedAndNewOnesAreNull) {
  RecordType older = record_type<Dns>();
  std::erase_if(older.fields, [](const FieldInfo& f) { return f.name == "query"; });
  Dns record{};
  record.query = "weir.example";
  record.rcode = 3;
  std::string bytes;
  encode_record(bytes, older, &record);
  const std::string schema = encode_schema(older);
  auto decoder = RecordDecoder::make(as_bytes(schema), record_type<Dns>());
  ASSERT_TRUE(decoder);
  Batch batch;
  ByteReader in(as_bytes(bytes));
  ASSERT_TRUE(decoder->decode(in, batch));
  const auto& read = *static_cast<const Dns*>(batch.entries().front().record);
  EXPECT_EQ(read.rcode, 3);
  EXPECT_EQ(read.query.data(), nullptr);

  bytes.clear();
  encode_record(bytes, record_type<Dns>(), &record);
  const std::string newer = encode_schema(record_type<Dns>());
  auto narrow = RecordDecoder::make(as_bytes(newer), older);
  ASSERT_TRUE(narrow);
  ByteReader all(as_bytes(bytes));
  ASSERT_TRUE(narrow->decode(all, batch));
  EXPECT_TRUE(all.empty());
}

TEST(RecordCodec, CutBytesAreNoRecord) {
  Dns record{};
  record.query = "weir.example";
  std::string bytes;
  encode_record(bytes, record_type<Dns>(), &record);
  const std::string schema = encode_schema(record_type<Dns>());
  auto decoder = RecordDecoder::make(as_bytes(schema), record_type<Dns>());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Batch batch;
    ByteReader in(as_bytes(std::string_view(bytes).substr(0, size)));
    EXPECT_FALSE(decoder->decode(in, batch)) << size;
  }
  for (std::size_t size = 0; size < schema.size(); ++size)
    EXPECT_FALSE(RecordDecoder::make(as_bytes(std::string_view(schema).substr(0, size)), record_type<Dns>()));
}

}  // namespace
}  // namespace weir

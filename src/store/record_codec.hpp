// Records as bytes, for the write-ahead log: a bitmap of the fields that are not null, then these fields'
// values: numbers as varints (7 bits a byte, lowest first), texts and lists behind their length. The schema
// goes along once, so that what another version wrote can be read: fields are matched by name and kind.
#pragma once

#include <bit>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/bytes.hpp"

namespace weir {

// Appends the record. Any thread.
void encode_record(std::string& out, const RecordType& type, const void* record);

// What a decoder must know of the writer's type.
std::string encode_schema(const RecordType& type);

// What can be told of encoded records without decoding them.
struct EncodedSummary {
  std::uint32_t count = 0;
  // Of the first field, where that is a time that every record has; else timed is false.
  bool timed = true;
  Time earliest{std::numeric_limits<std::int64_t>::max()}, latest{std::numeric_limits<std::int64_t>::min()};
  std::string present;  // the bitmaps of all records, united

  void add(const RecordType& type, std::string_view encoded);
};

// One value as it was written.
struct EncodedValue {
  std::uint64_t number = 0;  // of u16, u32 and u64
  Bytes bytes{};             // of all others: a text, an address's 4 or 16 bytes, else what a record holds
};

inline std::uint64_t read_varint(ByteReader& in) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = in.u8();
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  in.fail();
  return 0;
}

// Of a value as it is written; 0 where its length goes before it.
constexpr std::size_t fixed_size(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
    case Kind::u8:
    case Kind::proto: return 1;
    case Kind::mac: return sizeof(Mac);
    case Kind::i64:
    case Kind::f64:
    case Kind::time:
    case Kind::duration: return 8;
    default: return 0;
  }
}

// Fails the reader when the bytes are no value of the kind.
inline EncodedValue read_encoded(ByteReader& in, Kind kind) noexcept {
  EncodedValue value;
  switch (kind) {
    case Kind::u16:
    case Kind::u32:
    case Kind::u64:
      value.number = read_varint(in);
      if (kind != Kind::u64 && value.number >> (kind == Kind::u16 ? 16 : 32) != 0) in.fail();
      break;
    case Kind::text: {
      const std::uint64_t size = read_varint(in);
      if (size > in.remaining()) in.fail();
      value.bytes = in.bytes(in.ok() ? size : 0);
      break;
    }
    case Kind::addr: {
      const std::uint8_t size = in.u8();
      if (size != 4 && size != 16) in.fail();
      value.bytes = in.bytes(in.ok() ? size : 0);
      break;
    }
    default:
      value.bytes = in.bytes(fixed_size(kind));
      if (kind == Kind::boolean && in.ok() && value.bytes[0] > 1) in.fail();
  }
  return value;
}
// How many elements of a list follow.
std::uint64_t read_list_size(ByteReader& in) noexcept;

// The address behind an encoded value.
Addr address_of(Bytes encoded) noexcept;

// Reads what was written with one schema into records of today's type. One thread.
class RecordDecoder {
 public:
  struct Field {
    Kind kind;
    bool is_list;
    const FieldInfo* target;  // of today's type; nullptr: it is skipped
  };

  // The type's name; empty when the bytes are no schema.
  static std::string_view name_in(Bytes schema) noexcept;
  // nullopt when the bytes are no schema. Fields that the type has no more, or with another kind, are left
  // out.
  static std::optional<RecordDecoder> make(Bytes schema, const RecordType& type);

  const RecordType& type() const noexcept { return *type_; }
  // Which of the type's fields a united bitmap names, in the type's order.
  std::vector<bool> fields_in(Bytes present) const;
  // Adds the next record to the batch, with its texts. False when the bytes do not hold one.
  bool decode(ByteReader& in, Batch& batch);
  // The fields as they were written.
  std::span<const Field> fields() const noexcept { return fields_; }
  // Calls take(i) for each field that the next record has, by its place in fields(). It reads the value;
  // false ends the walk.
  template <class F>
  bool walk(ByteReader& in, F&& take) const {
    const Bytes bitmap = in.bytes((fields_.size() + 7) / 8);
    if (!in.ok()) return false;
    for (std::size_t byte = 0; byte < bitmap.size(); ++byte)
      for (unsigned bits = bitmap[byte]; bits != 0; bits &= bits - 1) {
        const std::size_t i = 8 * byte + static_cast<std::size_t>(std::countr_zero(bits));
        if (i >= fields_.size() || !take(i)) return false;
      }
    return true;
  }

 private:
  explicit RecordDecoder(const RecordType& type) : type_(&type) {}
  bool value(ByteReader& in, const Field& field, std::byte* record, Arena& arena);

  const RecordType* type_;
  std::vector<Field> fields_;
  std::vector<std::byte> scratch_;
};

}  // namespace weir

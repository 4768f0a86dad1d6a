// Records as bytes, for the write-ahead log: a bitmap of the fields that are not null, then these fields'
// values: numbers as varints (7 bits a byte, lowest first), texts and lists behind their length. The schema
// goes along once, so that what another version wrote can be read: fields are matched by name and kind.
#pragma once

#include <limits>
#include <optional>
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

// Reads what was written with one schema into records of today's type. One thread.
class RecordDecoder {
 public:
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

 private:
  struct Field {
    Kind kind;
    bool is_list;
    const FieldInfo* target;  // nullptr: skipped
  };
  explicit RecordDecoder(const RecordType& type) : type_(&type) {}
  bool value(ByteReader& in, const Field& field, std::byte* record, Arena& arena);

  const RecordType* type_;
  std::vector<Field> fields_;
  std::vector<std::byte> scratch_;
};

}  // namespace weir

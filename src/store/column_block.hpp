// Records of one type column by column, as the write-ahead log holds them. A column is written only where any
// record has the field: a bitmap of the records that have it, unless all do, then the values. Numbers are the
// bytes, as few as the largest needs, of their distance to the smallest; one that is always the same takes no
// room. The schema goes along once, so that what another version wrote can be read: fields are matched by
// name and kind.
#pragma once

#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/bytes.hpp"

namespace weir {

// What a decoder must know of the writer's type.
std::string encode_schema(const RecordType& type);

// What can be told of a block without decoding it.
struct BlockSummary {
  std::uint32_t count = 0;
  // Of the first field, where that is a time that every record has; else timed is false.
  bool timed = true;
  Time earliest{std::numeric_limits<std::int64_t>::max()}, latest{std::numeric_limits<std::int64_t>::min()};
  std::string present{};  // a bit for each field that any record has
};

// Records on their way into a block. One thread at a time.
class ColumnBlock {
 public:
  explicit ColumnBlock(const RecordType& type) : type_(&type), columns_(type.fields.size()) {}

  // Copies all that they hold.
  void add(std::span<const void* const> records);
  std::uint32_t rows() const noexcept { return rows_; }
  // That the values take in memory, which is more than they take encoded.
  std::uint64_t bytes() const noexcept;
  BlockSummary summary() const;
  // Appends the block.
  void encode(std::string& out) const;
  void clear() noexcept;

 private:
  // Vectors by rows have room for capacity_ of them, those of lists' elements are as long as they are many.
  struct Column {
    std::uint32_t present = 0;  // records that have the field; with 0 all else is anything
    std::vector<std::uint64_t> valid{};
    std::vector<std::uint64_t> sizes{};    // of lists: elements of each record
    std::vector<std::uint64_t> numbers{};  // values as 64 bits; of texts, how long they are
    std::vector<Addr> addresses{};
    std::string text{};
  };
  void make_room(std::size_t rows);
  void make_room(Column& column, const FieldInfo& field) const;
  bool mark(Column& column, const FieldInfo& field, std::uint32_t which, std::size_t count) const;
  template <class T>
  void add_values(Column& column, const FieldInfo& field, std::span<const void* const> records) const;
  template <class T>
  void add_lists(Column& column, const FieldInfo& field, std::span<const void* const> records) const;
  std::span<const std::uint64_t> numbers_of(const Column& column, const FieldInfo& field) const;
  std::span<const Addr> addresses_of(const Column& column, const FieldInfo& field) const;
  void encode(const Column& column, std::size_t number, std::string& out) const;

  const RecordType* type_;
  std::vector<Column> columns_;  // by the type's fields
  std::uint32_t rows_ = 0;
  std::size_t capacity_ = 0;
};

// Numbers of a block, not yet unpacked.
struct PackedNumbers {
  std::uint64_t base = 0;
  unsigned width = 0;  // bytes, up to 8
  std::size_t count = 0;
  const std::uint8_t* data = nullptr;

  // Calls take(i, number) for each.
  template <class F>
  void for_each(F&& take) const;
  template <class T>
  void unpack(T* out) const {
    for_each([out](std::size_t i, std::uint64_t number) { out[i] = static_cast<T>(number); });
  }
};

// One column of a block. What records hold that do not have the field is anything.
struct EncodedColumn {
  std::size_t field = 0;    // its place in the schema
  Bytes valid{};            // a bit for each record; empty: all have it
  PackedNumbers sizes{};    // of lists: elements of each record
  std::size_t count = 0;    // values, of lists elements
  PackedNumbers numbers{};  // values; of texts, how long they are; of addresses, IPv4 when there is no `text`
  bool is_one_text = false;  // `text` is the value of all
  Bytes text{};              // texts one after the other, or addresses of 16 bytes

  bool has(std::size_t row) const noexcept { return valid.empty() || (valid[row / 8] >> (row % 8) & 1) != 0; }
};

// Reads what was written with one schema as today's type. One thread.
class BlockDecoder {
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
  static std::optional<BlockDecoder> make(Bytes schema, const RecordType& type);

  const RecordType& type() const noexcept { return *type_; }
  // The fields as they were written.
  std::span<const Field> fields() const noexcept { return fields_; }
  // Which of the type's fields a summary's bits name, in the type's order.
  std::vector<bool> fields_in(Bytes present) const;
  // The columns of a block with so many records; nullopt when the bytes do not hold one.
  std::optional<std::vector<EncodedColumn>> columns(Bytes block, std::uint32_t rows) const;
  // Adds the block's records to the batch, with their texts. False when the bytes do not hold a block.
  bool decode(Bytes block, std::uint32_t rows, Batch& batch) const;

 private:
  explicit BlockDecoder(const RecordType& type) : type_(&type) {}
  const RecordType* type_;
  std::vector<Field> fields_;
};

namespace detail {

template <unsigned width, class F>
void for_each_packed(const PackedNumbers& packed, F&& take) {
  for (std::size_t i = 0; i < packed.count; ++i) {
    std::uint64_t distance = 0;
    // Little-endian, as all machines weir runs on.
    std::memcpy(&distance, packed.data + i * width, width);
    take(i, packed.base + distance);
  }
}

}  // namespace detail

template <class F>
void PackedNumbers::for_each(F&& take) const {
  switch (width) {
    case 1: return detail::for_each_packed<1>(*this, take);
    case 2: return detail::for_each_packed<2>(*this, take);
    case 3: return detail::for_each_packed<3>(*this, take);
    case 4: return detail::for_each_packed<4>(*this, take);
    case 5: return detail::for_each_packed<5>(*this, take);
    case 6: return detail::for_each_packed<6>(*this, take);
    case 7: return detail::for_each_packed<7>(*this, take);
    case 8: return detail::for_each_packed<8>(*this, take);
    default:
      for (std::size_t i = 0; i < count; ++i) take(i, base);
  }
}

}  // namespace weir

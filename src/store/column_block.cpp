#include "store/column_block.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "store/row_type.hpp"

namespace weir {
namespace {

// Records are gathered by so many: all of them fit the first cache.
constexpr std::size_t group = 32;
constexpr std::size_t v4_at = 12;

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

std::uint64_t read_varint(ByteReader& in) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = in.u8();
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  in.fail();
  return 0;
}

template <class T>
std::uint64_t as_number(const T& value) noexcept {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(value);
  } else if constexpr (std::is_same_v<T, Mac>) {
    std::uint64_t number = 0;
    std::memcpy(&number, &value, sizeof value);
    return number;
  } else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, Duration>) {
    return static_cast<std::uint64_t>(value.ns);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <class T>
T from_number(std::uint64_t number) noexcept {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(number);
  } else if constexpr (std::is_same_v<T, Mac>) {
    Mac mac;
    std::memcpy(mac.bytes.data(), &number, sizeof mac);
    return mac;
  } else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, Duration>) {
    return {static_cast<std::int64_t>(number)};
  } else {
    return static_cast<T>(number);
  }
}

bool is_signed(Kind kind) noexcept {
  return kind == Kind::i64 || kind == Kind::time || kind == Kind::duration;
}

template <class T>
const T& member_of(const FieldInfo& field, const void* record) noexcept {
  return *reinterpret_cast<const T*>(static_cast<const std::byte*>(record) + field.offset);
}

using Records = std::span<const void* const>;

template <class F>
std::uint32_t bits_of(Records records, F&& has) noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < records.size(); ++i) bits |= std::uint32_t{has(records[i])} << i;
  return bits;
}

constexpr std::uint32_t all_of(Records records) noexcept {
  return static_cast<std::uint32_t>((std::uint64_t{1} << records.size()) - 1);
}

// Which of the records have the field.
template <class T>
std::uint32_t present_in(const FieldInfo& field, Records records) noexcept {
  if constexpr (std::is_same_v<T, Text>)
    return bits_of(records, [&](const void* r) { return member_of<Text>(field, r).data() != nullptr; });
  if (field.unwrap == nullptr) return all_of(records);
  return bits_of(records, [&](const void* r) { return member_of<std::optional<T>>(field, r).has_value(); });
}

// Calls take(i, value) for those of the records that have the field.
template <class T, class F>
void for_each_value(const FieldInfo& field, Records records, std::uint32_t which, F&& take) {
  if (std::is_same_v<T, Text> || field.unwrap == nullptr) {
    for (std::size_t i = 0; i < records.size(); ++i)
      if ((which >> i & 1) != 0) take(i, member_of<T>(field, records[i]));
  } else {
    for (std::size_t i = 0; i < records.size(); ++i)
      if ((which >> i & 1) != 0) take(i, *member_of<std::optional<T>>(field, records[i]));
  }
}

template <unsigned width>
void pack_each(char* out, std::span<const std::uint64_t> values, std::uint64_t base) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t distance = values[i] - base;
    std::memcpy(out + i * width, &distance, width);
  }
}

using Packer = void (*)(char*, std::span<const std::uint64_t>, std::uint64_t);
constexpr std::array<Packer, 9> packers{
    [](char*, std::span<const std::uint64_t>, std::uint64_t) {},
    pack_each<1>,
    pack_each<2>,
    pack_each<3>,
    pack_each<4>,
    pack_each<5>,
    pack_each<6>,
    pack_each<7>,
    pack_each<8>,
};

struct Bounds {
  std::uint64_t least, most;
};
// So that signed numbers order as unsigned ones.
constexpr std::uint64_t sign = std::uint64_t{1} << 63;
Bounds bounds_of(std::span<const std::uint64_t> values, std::uint64_t bias) {
  Bounds bounds{~std::uint64_t{0}, 0};
  for (const std::uint64_t value : values) {
    bounds.least = std::min(bounds.least, value ^ bias);
    bounds.most = std::max(bounds.most, value ^ bias);
  }
  return values.empty() ? Bounds{bias, bias} : Bounds{bounds.least ^ bias, bounds.most ^ bias};
}

void append_fixed(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void pack(std::string& out, std::span<const std::uint64_t> values, bool are_signed) {
  const auto [least, most] = bounds_of(values, are_signed ? sign : 0);
  const auto width = static_cast<unsigned>(std::bit_width(most - least) + 7) / 8;
  append_fixed(out, least);
  out += static_cast<char>(width);
  const std::size_t at = out.size();
  out.resize(at + values.size() * width);
  packers[width](out.data() + at, values, least);
}

PackedNumbers read_packed(ByteReader& in, std::size_t count) noexcept {
  PackedNumbers packed{.base = in.le64(), .width = in.u8(), .count = count};
  if (packed.width > 8 || (packed.width != 0 && count > in.remaining() / packed.width)) in.fail();
  if (in.ok()) packed.data = in.bytes(count * packed.width).data();
  return packed;
}

enum Flag : std::uint8_t { has_nulls = 1, one_text = 2, long_addresses = 4 };

std::uint64_t number_of_v4(const Addr& address) noexcept {
  std::uint32_t number = 0;
  std::memcpy(&number, address.bytes.data() + v4_at, sizeof number);
  return number;
}

// All of them equal to the first, and there is one.
bool is_one(std::string_view text, std::span<const std::uint64_t> sizes) noexcept {
  if (sizes.empty() || text.size() != sizes.size() * sizes.front()) return false;
  const std::size_t size = sizes.front();
  if (!std::ranges::all_of(sizes, [size](std::uint64_t s) { return s == size; })) return false;
  // Equal to itself shifted by one of them.
  return text.substr(size) == text.substr(0, text.size() - size);
}

}  // namespace

// Room for so many rows in the columns that are in use.
void ColumnBlock::make_room(std::size_t rows) {
  if (rows <= capacity_) return;
  capacity_ = std::max(2 * capacity_, rows);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].present != 0) make_room(columns_[i], type_->fields[i]);
}

void ColumnBlock::make_room(Column& column, const FieldInfo& field) const {
  column.valid.resize((capacity_ + 63) / 64);
  if (field.is_list)
    column.sizes.resize(capacity_);
  else if (field.kind == Kind::addr)
    column.addresses.resize(capacity_);
  else
    column.numbers.resize(capacity_);
}

// Of the next `count` records `which` have the field. False when no record had it until now.
bool ColumnBlock::mark(Column& column, const FieldInfo& field, std::uint32_t which, std::size_t count) const {
  if (which == 0 && column.present == 0) return false;
  if (column.present == 0) {
    make_room(column, field);
    std::ranges::fill(column.valid, 0);
  }
  const std::size_t word = rows_ / 64, bit = rows_ % 64;
  column.valid[word] |= std::uint64_t{which} << bit;
  if (bit + count > 64) column.valid[word + 1] |= std::uint64_t{which} >> (64 - bit);
  column.present += static_cast<std::uint32_t>(std::popcount(which));
  return true;
}

namespace {

// The next rows of a column, from `begin` on. Where there is no value its neighbour's takes no room of its
// own.
template <class T, class V, class F>
void put_values(std::vector<V>& column, std::size_t begin, bool is_first, const FieldInfo& field,
                Records records, std::uint32_t which, F&& of) {
  V* to = &column[begin];
  for_each_value<T>(field, records, which, [to, &of](std::size_t i, const T& value) { to[i] = of(value); });
  if (is_first) std::fill_n(column.data(), begin, to[std::countr_zero(which)]);
  if (which == all_of(records)) return;
  V last = begin == 0 ? to[std::countr_zero(which)] : to[-1];
  for (std::size_t i = 0; i < records.size(); ++i) (which >> i & 1) != 0 ? last = to[i] : to[i] = last;
}

}  // namespace

template <class T>
void ColumnBlock::add_values(Column& column, const FieldInfo& field, Records records) const {
  const std::uint32_t which = present_in<T>(field, records);
  const bool is_first = column.present == 0;
  if (!mark(column, field, which, records.size())) return;
  if constexpr (std::is_same_v<T, Addr>) {
    put_values<T>(column.addresses, rows_, is_first, field, records, which, [](const Addr& a) { return a; });
  } else if constexpr (std::is_same_v<T, Text>) {
    if (is_first) std::fill_n(column.numbers.begin(), rows_, 0);
    std::fill_n(&column.numbers[rows_], records.size(), 0);
    for_each_value<T>(field, records, which, [&](std::size_t i, const Text& value) {
      column.numbers[rows_ + i] = value.size();
      column.text += value;
    });
  } else {
    put_values<T>(column.numbers, rows_, is_first, field, records, which, as_number<T>);
  }
}

template <class T>
void ColumnBlock::add_lists(Column& column, const FieldInfo& field, Records records) const {
  const std::uint32_t which = bits_of(records, [&](const void* r) { return field.list(r).data != nullptr; });
  const bool is_first = column.present == 0;
  if (!mark(column, field, which, records.size())) return;
  if (is_first) std::fill_n(column.sizes.begin(), rows_, 0);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const ListView list = field.list(records[i]);
    const std::size_t size = list.data == nullptr ? 0 : list.size;
    column.sizes[rows_ + i] = size;
    for (std::size_t k = 0; k < size; ++k) {
      const T& value = *reinterpret_cast<const T*>(list.data + k * list.stride);
      if constexpr (std::is_same_v<T, Addr>) {
        column.addresses.push_back(value);
      } else if constexpr (std::is_same_v<T, Text>) {
        column.numbers.push_back(value.size());
        column.text += value;
      } else {
        column.numbers.push_back(as_number(value));
      }
    }
  }
}

void ColumnBlock::add(std::span<const void* const> records) {
  while (!records.empty()) {
    const auto now = records.first(std::min(group, records.size()));
    make_room(rows_ + now.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const FieldInfo& field = type_->fields[i];
      with_kind(field.kind, [&]<class T>() {
        field.is_list ? add_lists<T>(columns_[i], field, now) : add_values<T>(columns_[i], field, now);
      });
    }
    rows_ += static_cast<std::uint32_t>(now.size());
    records = records.subspan(now.size());
  }
}

std::span<const std::uint64_t> ColumnBlock::numbers_of(const Column& column, const FieldInfo& field) const {
  return field.is_list ? std::span(column.numbers) : std::span(column.numbers).first(rows_);
}
std::span<const Addr> ColumnBlock::addresses_of(const Column& column, const FieldInfo& field) const {
  return field.is_list ? std::span(column.addresses) : std::span(column.addresses).first(rows_);
}

std::uint64_t ColumnBlock::bytes() const noexcept {
  std::uint64_t sum = rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (column.present == 0) continue;
    const bool is_list = type_->fields[i].is_list;
    const std::size_t value = type_->fields[i].kind == Kind::addr ? sizeof(Addr) : sizeof(std::uint64_t);
    const std::size_t elements = std::max(column.numbers.size(), column.addresses.size());
    sum += rows_ * (is_list ? sizeof(std::uint64_t) : value) + (is_list ? elements * value : 0) +
           column.text.size();
  }
  return sum;
}

BlockSummary ColumnBlock::summary() const {
  BlockSummary summary{.count = rows_};
  summary.present.resize((columns_.size() + 7) / 8);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].present != 0)
      summary.present[i / 8] = static_cast<char>(summary.present[i / 8] | 1 << (i % 8));
  const Column& first = columns_.front();
  summary.timed = type_->fields.front().kind == Kind::time && first.present == rows_;
  if (!summary.timed || rows_ == 0) return summary;
  const auto [least, most] = bounds_of(numbers_of(first, type_->fields.front()), sign);
  summary.earliest = {static_cast<std::int64_t>(least)};
  summary.latest = {static_cast<std::int64_t>(most)};
  return summary;
}

void ColumnBlock::encode(std::string& out) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].present != 0) encode(columns_[i], i, out);
}

void ColumnBlock::encode(const Column& column, std::size_t number, std::string& out) const {
  const FieldInfo& field = type_->fields[number];
  const bool of_addresses = field.kind == Kind::addr;
  const auto numbers = of_addresses ? std::span<const std::uint64_t>{} : numbers_of(column, field);
  const auto addresses = of_addresses ? addresses_of(column, field) : std::span<const Addr>{};
  const bool is_one_text = field.kind == Kind::text && is_one(column.text, numbers);
  const bool is_long = !std::ranges::all_of(addresses, &Addr::is_v4);
  append_varint(out, number);
  out += static_cast<char>((column.present == rows_ ? 0 : has_nulls) | (is_one_text ? one_text : 0) |
                           (is_long ? long_addresses : 0));
  if (column.present != rows_)
    out.append(reinterpret_cast<const char*>(column.valid.data()), (rows_ + 7) / 8);
  if (field.is_list) {
    append_varint(out, of_addresses ? addresses.size() : numbers.size());
    pack(out, std::span(column.sizes).first(rows_), false);
  }
  if (is_long) {
    for (const Addr& address : addresses)
      out.append(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
  } else if (of_addresses) {
    std::vector<std::uint64_t> four(addresses.size());
    std::ranges::transform(addresses, four.begin(), number_of_v4);
    pack(out, four, false);
  } else {
    pack(out, numbers, is_signed(field.kind));
  }
  if (field.kind != Kind::text) return;
  const auto text =
      std::string_view(column.text).substr(0, is_one_text ? numbers.front() : column.text.size());
  append_varint(out, text.size());
  out += text;
}

void ColumnBlock::clear() noexcept {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    column.present = 0;
    column.text.clear();
    if (!type_->fields[i].is_list) continue;
    column.numbers.clear();
    column.addresses.clear();
  }
  rows_ = 0;
}

std::string encode_schema(const RecordType& type) {
  std::string out;
  const auto text = [&](std::string_view s) {
    append_varint(out, s.size());
    out += s;
  };
  text(type.name);
  append_varint(out, type.fields.size());
  for (const FieldInfo& field : type.fields) {
    text(field.name);
    text(name_of(field.kind));
    out += field.is_list ? '\1' : '\0';
  }
  return out;
}

std::string_view BlockDecoder::name_in(Bytes schema) noexcept {
  ByteReader in(schema);
  const std::uint64_t size = read_varint(in);
  return size > in.remaining() ? std::string_view{} : in.text(size);
}

std::optional<BlockDecoder> BlockDecoder::make(Bytes schema, const RecordType& type) {
  constexpr std::uint64_t most_fields = 4096;
  ByteReader in(schema);
  const auto text = [&]() -> std::string_view {
    const std::uint64_t size = read_varint(in);
    if (size > in.remaining()) in.fail();
    return in.text(in.ok() ? size : 0);
  };
  BlockDecoder decoder(type);
  text();
  const std::uint64_t count = read_varint(in);
  if (!in.ok() || count > most_fields) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = text(), kind_name = text();
    const bool is_list = in.u8() != 0;
    std::optional<Kind> kind;
    for (int k = 0; k <= static_cast<int>(Kind::proto); ++k)
      if (name_of(static_cast<Kind>(k)) == kind_name) kind = static_cast<Kind>(k);
    if (!in.ok() || !kind) return std::nullopt;
    const FieldInfo* target = type.find(name);
    if (target != nullptr && (target->kind != *kind || target->is_list != is_list)) target = nullptr;
    decoder.fields_.push_back({*kind, is_list, target});
  }
  return decoder;
}

std::vector<bool> BlockDecoder::fields_in(Bytes present) const {
  std::vector<bool> out(type_->fields.size());
  for (std::size_t i = 0; i < fields_.size() && i / 8 < present.size(); ++i)
    if ((present[i / 8] >> (i % 8) & 1) != 0 && fields_[i].target != nullptr)
      out[static_cast<std::size_t>(fields_[i].target - type_->fields.data())] = true;
  return out;
}

namespace {

// Fails the reader where the bytes are no column.
EncodedColumn read_column(ByteReader& in, std::span<const BlockDecoder::Field> fields, std::uint32_t rows) {
  EncodedColumn column{.field = read_varint(in), .count = rows};
  const std::uint8_t flags = in.u8();
  if (column.field >= fields.size() || !in.ok()) {
    in.fail();
    return column;
  }
  const BlockDecoder::Field& field = fields[column.field];
  if ((flags & has_nulls) != 0) column.valid = in.bytes((std::size_t{rows} + 7) / 8);
  if (field.is_list) {
    column.count = read_varint(in);
    column.sizes = read_packed(in, rows);
    std::size_t left = column.count;
    if (in.ok())
      column.sizes.for_each(
          [&](std::size_t, std::uint64_t size) { size > left ? in.fail() : void(left -= size); });
    // Each element takes a byte at least, or they are all the same: of these no more than fit the memory.
    constexpr std::size_t most_elements = std::size_t{1} << 24;
    if (left != 0 || column.count > most_elements) in.fail();
  }
  if (field.kind == Kind::addr && (flags & long_addresses) != 0) {
    if (column.count > in.remaining() / sizeof(Addr)) in.fail();
    if (in.ok()) column.text = in.bytes(column.count * sizeof(Addr));
    return column;
  }
  if (in.ok()) column.numbers = read_packed(in, column.count);
  if (field.kind != Kind::text || !in.ok()) return column;
  column.is_one_text = (flags & one_text) != 0;
  const std::uint64_t size = read_varint(in);
  if (size > in.remaining()) in.fail();
  if (!in.ok()) return column;
  column.text = in.bytes(size);
  std::uint64_t left = size;
  if (!column.is_one_text)
    column.numbers.for_each([&](std::size_t, std::uint64_t s) { s > left ? in.fail() : void(left -= s); });
  return column;
}

// The values of one column, one after the other.
class Values {
 public:
  Values(const BlockDecoder::Field& field, const EncodedColumn& column)
      : target(*field.target), column_(column), numbers_(column.numbers.count) {
    column.numbers.unpack(numbers_.data());
    sizes_.resize(column.sizes.count);
    column.sizes.unpack(sizes_.data());
  }

  const FieldInfo& target;

  void put(std::size_t row, std::byte* record, Arena& arena) {
    const bool has = column_.has(row);
    with_kind(target.kind, [&]<class T>() {
      std::byte* member = record + target.offset;
      if (!target.is_list) {
        const T value = next<T>(arena);
        if (has) target.store(member, &value, 1);
        return;
      }
      const std::size_t count = sizes_[row];
      auto* items = reinterpret_cast<T*>(arena.allocate(count * sizeof(T) + 1, alignof(T)));
      for (std::size_t i = 0; i < count; ++i) items[i] = next<T>(arena);
      if (has) target.store(member, items, count);
    });
  }

 private:
  template <class T>
  T next(Arena& arena) {
    const std::size_t i = at_++;
    if constexpr (std::is_same_v<T, Text>) {
      if (column_.is_one_text) return arena.copy(as_text(column_.text));
      const Text text = arena.copy(as_text(column_.text.subspan(text_at_, numbers_[i])));
      text_at_ += numbers_[i];
      return text;
    } else if constexpr (std::is_same_v<T, Addr>) {
      if (!numbers_.empty()) return Addr::v4(reinterpret_cast<const std::uint8_t*>(&numbers_[i]));
      return Addr::v6(column_.text.data() + i * sizeof(Addr));
    } else {
      return from_number<T>(numbers_[i]);
    }
  }

  const EncodedColumn& column_;
  std::vector<std::uint64_t> numbers_, sizes_;
  std::size_t at_ = 0, text_at_ = 0;
};

}  // namespace

std::optional<std::vector<EncodedColumn>> BlockDecoder::columns(Bytes block, std::uint32_t rows) const {
  constexpr std::uint32_t most_rows = 1U << 24;
  if (rows > most_rows) return std::nullopt;
  std::vector<EncodedColumn> all;
  ByteReader in(block);
  while (!in.empty()) {
    EncodedColumn column = read_column(in, fields_, rows);
    // In the order of the schema, each once.
    if (!in.ok() || (!all.empty() && all.back().field >= column.field)) return std::nullopt;
    all.push_back(column);
  }
  return all;
}

bool BlockDecoder::decode(Bytes block, std::uint32_t rows, Batch& batch) const {
  const auto encoded = columns(block, rows);
  if (!encoded) return false;
  std::vector<Values> values;
  for (const EncodedColumn& column : *encoded)
    if (fields_[column.field].target != nullptr) values.emplace_back(fields_[column.field], column);
  std::vector<std::byte> record(type_->size);
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::memcpy(record.data(), type_->blank, type_->size);
    for (Values& each : values) each.put(row, record.data(), batch.arena());
    batch.add(*type_, record.data(), {});
  }
  return true;
}

}  // namespace weir

#include "store/segment_columns.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <numeric>
#include <optional>

#include "core/assert.hpp"
#include "core/format.hpp"
#include "store/columns.hpp"

namespace weir {
namespace {

struct TextHash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return XXH3_64bits(text.data(), text.size());
  }
};

// The distinct values of a column as they are written in the segment, which they point into.
class Distinct {
 public:
  const std::vector<std::string_view>& values() const noexcept { return values_; }

  // Numbers begin with 0, in the order of appearance.
  std::uint32_t number_of(std::string_view encoded) {
    if (encoded.size() >= sizeof(std::uint64_t)) return number_in(long_, encoded, encoded);
    std::uint64_t packed = 0;
    std::memcpy(&packed, encoded.data(), encoded.size());
    packed |= std::uint64_t{encoded.size()} << 56;
    return number_in(short_, packed, encoded);
  }

 private:
  template <class Map, class Key>
  std::uint32_t number_in(Map& map, const Key& key, std::string_view encoded) {
    const auto [at, is_new] = map.try_emplace(key, static_cast<std::uint32_t>(values_.size()));
    if (is_new) values_.push_back(encoded);
    return at->second;
  }

  // IPv4 and MAC addresses, protocols, flags: as one number, with its length.
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> short_{};
  boost::unordered_flat_map<std::string_view, std::uint32_t, TextHash> long_{};
  std::vector<std::string_view> values_{};
};

bool has_dictionary(Kind kind) noexcept {
  return kind == Kind::text || kind == Kind::addr || kind == Kind::mac || kind == Kind::proto;
}

std::size_t width_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
    case Kind::u8: return 1;
    case Kind::u16: return 2;
    case Kind::text:
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: return sizeof(std::uint32_t);
    default: return 8;
  }
}

std::string text_of(Kind kind, std::string_view encoded) {
  if (kind == Kind::text) return stored_text(encoded);
  char buffer[value_text_max];
  const Addr address = kind == Kind::addr ? address_of(as_bytes(encoded)) : Addr{};
  const void* value = kind == Kind::addr ? static_cast<const void*>(&address) : encoded.data();
  return {buffer, write_value(buffer, kind, value, TimeStyle::rfc3339)};
}

class Filler {
 public:
  explicit Filler(const SegmentHolding& holding) : type_(*holding.type), most_(holding.summary.count) {
    for (std::size_t i = 0; i < type_.fields.size(); ++i) {
      if (!holding.present[i]) continue;
      const FieldInfo& field = type_.fields[i];
      SegmentColumn& column = out_.columns.emplace_back(&field, width_of(field.kind));
      column.valid.assign((most_ + 63) / 64, ~std::uint64_t{0});
      column.has_nulls = false;
      if (field.is_list)
        column.ends.resize(most_);
      else
        column.values.resize(most_ * column.width);
    }
    distinct_.resize(out_.columns.size());
    counts_.resize(out_.columns.size());
  }

  // The records of one frame, up to what is damaged.
  void add(const RecordDecoder& decoder, Bytes rows) {
    std::vector<std::size_t> at;  // by the decoder's fields: their column
    for (const RecordDecoder::Field& field : decoder.fields())
      at.push_back(static_cast<std::size_t>(
          std::ranges::find(out_.columns, field.target, &SegmentColumn::field) - out_.columns.begin()));
    for (ByteReader in(rows); !in.empty() && out_.rows < most_ && add(decoder, at, in);) ++out_.rows;
  }

  SegmentColumns finish() {
    for (std::size_t i = 0; i < out_.columns.size(); ++i)
      if (has_dictionary(out_.columns[i].field->kind)) number_by_text(out_.columns[i], distinct_[i].values());
    return std::move(out_);
  }

 private:
  bool add(const RecordDecoder& decoder, std::span<const std::size_t> at, ByteReader& in) {
    std::size_t next = 0;  // the first column that this record was not yet asked for
    const bool whole = decoder.walk(in, [&](std::size_t i) {
      const RecordDecoder::Field& field = decoder.fields()[i];
      if (at[i] == out_.columns.size()) return skip(in, field);
      for (; next < at[i]; ++next) set_null(out_.columns[next]);
      if (next > at[i])
        set_valid(out_.columns[at[i]]);  // another version wrote the fields in another order
      else
        ++next;
      if (!field.is_list) {
        put(at[i], out_.rows, read_encoded(in, field.kind));
        return in.ok();
      }
      std::vector<std::byte>& elements = out_.columns[at[i]].values;
      for (std::uint64_t left = read_list_size(in); left != 0 && in.ok(); --left) {
        elements.resize((counts_[at[i]] + 1) * out_.columns[at[i]].width);
        put(at[i], counts_[at[i]]++, read_encoded(in, field.kind));
      }
      return in.ok();
    });
    for (; next < out_.columns.size(); ++next) set_null(out_.columns[next]);
    for (std::size_t i = 0; i < out_.columns.size(); ++i)
      if (out_.columns[i].field->is_list) out_.columns[i].ends[out_.rows] = counts_[i];
    return whole;
  }

  void set_null(SegmentColumn& column) noexcept {
    column.valid[out_.rows / 64] &= ~(std::uint64_t{1} << (out_.rows % 64));
    column.has_nulls = true;
  }

  void set_valid(SegmentColumn& column) noexcept {
    column.valid[out_.rows / 64] |= std::uint64_t{1} << (out_.rows % 64);
  }

  static bool skip(ByteReader& in, const RecordDecoder::Field& field) {
    for (std::uint64_t left = field.is_list ? read_list_size(in) : 1; left != 0 && in.ok(); --left)
      read_encoded(in, field.kind);
    return in.ok();
  }

  template <class T>
  static void put(SegmentColumn& column, std::size_t at, T value) noexcept {
    std::memcpy(column.values.data() + at * sizeof value, &value, sizeof value);
  }

  void put(std::size_t number, std::size_t at, const EncodedValue& value) {
    SegmentColumn& column = out_.columns[number];
    const auto fixed = [&]<class T>(T) { return value.bytes.empty() ? T{} : load_le<T>(value.bytes.data()); };
    switch (column.field->kind) {
      case Kind::boolean:
      case Kind::u8: return put(column, at, fixed(std::uint8_t{}));
      case Kind::u16: return put(column, at, static_cast<std::uint16_t>(value.number));
      case Kind::u32:
      case Kind::u64: return put(column, at, value.number);
      case Kind::i64:
      case Kind::f64: return put(column, at, fixed(std::int64_t{}));
      case Kind::time: return put(column, at, stored_time(Time{fixed(std::int64_t{})}));
      case Kind::duration: return put(column, at, Duration{fixed(std::int64_t{})}.seconds());
      case Kind::text:
      case Kind::addr:
      case Kind::mac:
      case Kind::proto: return put(column, at, distinct_[number].number_of(as_text(value.bytes)));
    }
  }

  static void number_by_text(SegmentColumn& column, const std::vector<std::string_view>& values) {
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const std::string_view value : values) texts.push_back(text_of(column.field->kind, value));
    std::vector<std::uint32_t> order(texts.size()), place(texts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t i) -> const std::string& { return texts[i]; });
    for (const std::uint32_t i : order) {
      if (column.dictionary.empty() || column.dictionary.back() != texts[i])
        column.dictionary.push_back(std::move(texts[i]));
      place[i] = static_cast<std::uint32_t>(column.dictionary.size() - 1);
    }
    auto* numbers = reinterpret_cast<std::uint32_t*>(column.values.data());
    const std::size_t count = column.values.size() / sizeof *numbers;
    if (!place.empty())
      for (std::size_t i = 0; i < count; ++i) numbers[i] = place[numbers[i]];
  }

  const RecordType& type_;
  std::size_t most_;
  SegmentColumns out_{};
  std::vector<Distinct> distinct_{};   // by columns
  std::vector<std::size_t> counts_{};  // by columns: elements of lists so far
};

// Stable.
void sort_by(std::vector<std::uint32_t>& rows, const SegmentColumn& column) {
  if (!column.dictionary.empty()) {
    const auto* numbers = reinterpret_cast<const std::uint32_t*>(column.values.data());
    const auto nulls = static_cast<std::uint32_t>(column.dictionary.size());
    const auto number = [&](std::uint32_t row) {
      return column.has_nulls && column.is_null(row) ? nulls : numbers[row];
    };
    std::vector<std::uint32_t> starts(column.dictionary.size() + 2), sorted(rows.size());
    for (const std::uint32_t row : rows) ++starts[number(row) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    for (const std::uint32_t row : rows) sorted[starts[number(row)]++] = row;
    rows.swap(sorted);
    return;
  }
  WEIR_ASSERT(column.field->kind == Kind::time);
  const auto* values = reinterpret_cast<const std::int64_t*>(column.values.data());
  std::ranges::stable_sort(rows, [&](std::uint32_t a, std::uint32_t b) {
    if (column.has_nulls && column.is_null(a) != column.is_null(b)) return column.is_null(b);
    return values[a] < values[b];
  });
}

template <class T>
void gather(std::vector<std::byte>& values, std::span<const std::uint32_t> rows) {
  std::vector<std::byte> gathered(rows.size() * sizeof(T));
  const auto* from = reinterpret_cast<const T*>(values.data());
  auto* to = reinterpret_cast<T*>(gathered.data());
  for (const std::uint32_t row : rows) *to++ = from[row];
  values = std::move(gathered);
}

// A column as a whole, so that it stays in the cache.
void arrange(SegmentColumn& column, std::span<const std::uint32_t> rows) {
  std::vector<std::uint32_t> elements;
  if (column.field->is_list) {
    std::vector<std::uint64_t> ends(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint64_t begin = rows[i] == 0 ? 0 : column.ends[rows[i] - 1];
      for (std::uint64_t at = begin; at < column.ends[rows[i]]; ++at)
        elements.push_back(static_cast<std::uint32_t>(at));
      ends[i] = elements.size();
    }
    column.ends = std::move(ends);
  }
  const std::span<const std::uint32_t> order = column.field->is_list ? elements : rows;
  switch (column.width) {
    case 1: gather<std::uint8_t>(column.values, order); break;
    case 2: gather<std::uint16_t>(column.values, order); break;
    case 4: gather<std::uint32_t>(column.values, order); break;
    default: gather<std::uint64_t>(column.values, order);
  }
  if (!column.has_nulls) return;
  std::vector<std::uint64_t> valid(column.valid.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    valid[i / 64] |= std::uint64_t{!column.is_null(rows[i])} << (i % 64);
  column.valid = std::move(valid);
}

}  // namespace

SegmentColumns read_columns(const SegmentReader& reader, const SegmentHolding& holding) {
  Filler filler(holding);
  reader.for_each_frame(*holding.type,
                        [&](const RecordDecoder& decoder, Bytes rows) { filler.add(decoder, rows); });
  return filler.finish();
}

void sort_rows(SegmentColumns& columns, std::span<const std::string_view> fields) {
  std::vector<std::uint32_t> rows(columns.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  for (auto field = fields.rbegin(); field != fields.rend(); ++field)
    for (const SegmentColumn& column : columns.columns)
      if (column.field->name == *field) sort_by(rows, column);
  for (SegmentColumn& column : columns.columns) arrange(column, rows);
}

}  // namespace weir

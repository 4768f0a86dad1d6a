#include "store/segment_columns.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
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

// The distinct values of a column: numbers of up to 64 bits, or bytes, which are borrowed.
class Distinct {
 public:
  struct Value {
    std::uint64_t number = 0;
    std::string_view bytes{};  // with data: it is this
  };
  const std::vector<Value>& values() const noexcept { return values_; }

  // Places begin with 0, in the order of appearance.
  std::uint32_t place_of(std::uint64_t number) {
    const auto [at, is_new] = numbers_.try_emplace(number, static_cast<std::uint32_t>(values_.size()));
    if (is_new) values_.push_back({number});
    return at->second;
  }
  std::uint32_t place_of(std::string_view bytes) {
    const auto [at, is_new] = bytes_.try_emplace(bytes, static_cast<std::uint32_t>(values_.size()));
    if (is_new) values_.push_back({0, bytes});
    return at->second;
  }

 private:
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_{};
  boost::unordered_flat_map<std::string_view, std::uint32_t, TextHash> bytes_{};
  std::vector<Value> values_{};
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

std::string text_of(Kind kind, const Distinct::Value& value) {
  if (kind == Kind::text) return stored_text(value.bytes);
  Addr address;
  const void* from = &value.number;  // MAC addresses and protocols, lowest byte first
  if (kind == Kind::addr) {
    address = value.bytes.data() != nullptr ? Addr::v6(as_bytes(value.bytes).data())
                                            : Addr::v4(reinterpret_cast<const std::uint8_t*>(&value.number));
    from = &address;
  }
  char buffer[value_text_max];
  return {buffer, write_value(buffer, kind, from, TimeStyle::rfc3339)};
}

class Filler {
 public:
  Filler(const SegmentHolding& holding, ColumnBuffers& buffers)
      : type_(*holding.type), most_(holding.summary.count) {
    for (std::size_t i = 0; i < type_.fields.size(); ++i) {
      if (!holding.present[i]) continue;
      const FieldInfo& field = type_.fields[i];
      SegmentColumn& column = out_.columns.emplace_back(&field, width_of(field.kind));
      column.valid.resize((most_ + 63) / 64);
      if (field.is_list)
        column.ends.resize(most_);
      else
        column.values = buffers.take(most_ * column.width);
    }
    distinct_.resize(out_.columns.size());
    constants_.resize(out_.columns.size());
    counts_.resize(out_.columns.size());
  }

  // The records of one block; of a damaged one, none.
  void add(const BlockDecoder& decoder, Bytes block, std::uint32_t rows) {
    const auto encoded = decoder.columns(block, rows);
    if (!encoded || rows > most_ - out_.rows) return;
    for (const EncodedColumn& each : *encoded) {
      const auto column =
          std::ranges::find(out_.columns, decoder.fields()[each.field].target, &SegmentColumn::field);
      if (column == out_.columns.end()) continue;
      mark(*column, each, rows);
      const auto number = static_cast<std::size_t>(column - out_.columns.begin());
      // Texts and long addresses: their lengths say nothing about them.
      const bool is_constant = each.numbers.count != 0 && each.numbers.width == 0 && each.text.empty();
      if (out_.rows != 0 && constants_[number] != each.numbers.base) constants_[number].reset();
      if (out_.rows == 0 && is_constant) constants_[number] = each.numbers.base;
      if (!is_constant) constants_[number].reset();
      if (column->field->is_list)
        add_list(number, each);
      else
        put(number, out_.rows, each);
    }
    out_.rows += rows;
  }

  SegmentColumns finish() {
    for (std::size_t i = 0; i < out_.columns.size(); ++i) {
      SegmentColumn& column = out_.columns[i];
      std::size_t present = 0;
      for (const std::uint64_t word : column.valid) present += static_cast<std::size_t>(std::popcount(word));
      column.has_nulls = present != out_.rows;
      // Rows of blocks that do not have the list.
      for (std::size_t row = 1; row < column.ends.size(); ++row)
        column.ends[row] = std::max(column.ends[row], column.ends[row - 1]);
      const std::optional<std::uint64_t>& only = constants_[i];
      column.is_constant = !column.has_nulls && !column.field->is_list && only.has_value();
      if (has_dictionary(column.field->kind))
        number_by_text(column, column.field->is_list ? counts_[i] : out_.rows, distinct_[i].values());
    }
    return std::move(out_);
  }

 private:
  void mark(SegmentColumn& column, const EncodedColumn& from, std::uint32_t rows) const noexcept {
    for (std::uint32_t row = 0; row < rows;) {
      const std::size_t to = out_.rows + row;
      // Whole words where nothing is missing.
      if (from.valid.empty() && to % 64 == 0 && rows - row >= 64) {
        column.valid[to / 64] = ~std::uint64_t{0};
        row += 64;
        continue;
      }
      column.valid[to / 64] |= std::uint64_t{from.has(row)} << (to % 64);
      ++row;
    }
  }

  void add_list(std::size_t number, const EncodedColumn& from) {
    SegmentColumn& column = out_.columns[number];
    std::size_t& count = counts_[number];
    column.values.resize((count + from.count) * column.width);
    put(number, count, from);
    from.sizes.for_each(
        [&](std::size_t row, std::uint64_t size) { column.ends[out_.rows + row] = count += size; });
  }

  // The values behind those that are there.
  void put(std::size_t number, std::size_t at, const EncodedColumn& from) {
    SegmentColumn& column = out_.columns[number];
    const PackedNumbers& numbers = from.numbers;
    const auto as = [&]<class T>(T) { numbers.unpack(reinterpret_cast<T*>(column.values.data()) + at); };
    switch (column.field->kind) {
      case Kind::boolean:
      case Kind::u8: return as(std::uint8_t{});
      case Kind::u16: return as(std::uint16_t{});
      case Kind::u32:
      case Kind::u64:
      case Kind::i64:
      case Kind::f64: return as(std::uint64_t{});
      case Kind::time: {
        auto* to = reinterpret_cast<std::int64_t*>(column.values.data()) + at;
        return numbers.for_each([to](std::size_t i, std::uint64_t n) {
          to[i] = stored_time(Time{static_cast<std::int64_t>(n)});
        });
      }
      case Kind::duration: {
        auto* to = reinterpret_cast<double*>(column.values.data()) + at;
        return numbers.for_each([to](std::size_t i, std::uint64_t n) {
          to[i] = Duration{static_cast<std::int64_t>(n)}.seconds();
        });
      }
      default:
        put_places(*column.field, distinct_[number],
                   reinterpret_cast<std::uint32_t*>(column.values.data()) + at, from);
    }
  }

  // What rows without the field hold is no value, and gets no place.
  static void put_places(const FieldInfo& field, Distinct& distinct, std::uint32_t* to,
                         const EncodedColumn& from) {
    const auto has = [&](std::size_t i) { return field.is_list || from.has(i); };
    if (from.is_one_text) {
      if (from.count != 0) std::fill_n(to, from.count, distinct.place_of(as_text(from.text)));
    } else if (field.kind == Kind::text) {
      std::size_t at = 0;
      from.numbers.for_each([&](std::size_t i, std::uint64_t size) {
        if (has(i)) to[i] = distinct.place_of(as_text(from.text.subspan(at, size)));
        at += size;
      });
    } else if (from.numbers.count == 0) {
      for (std::size_t i = 0; i < from.count; ++i)
        if (has(i)) to[i] = distinct.place_of(as_text(from.text.subspan(i * sizeof(Addr), sizeof(Addr))));
    } else {
      std::optional<std::uint64_t> last;
      std::uint32_t place = 0;
      from.numbers.for_each([&](std::size_t i, std::uint64_t number) {
        if (!has(i)) return;
        if (number != last) place = distinct.place_of(number);
        last = number;
        to[i] = place;
      });
    }
  }

  static void number_by_text(SegmentColumn& column, std::size_t count,
                             const std::vector<Distinct::Value>& values) {
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const Distinct::Value& value : values) texts.push_back(text_of(column.field->kind, value));
    std::vector<std::uint32_t> order(texts.size()), place(texts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t i) -> const std::string& { return texts[i]; });
    for (const std::uint32_t i : order) {
      if (column.dictionary.empty() || column.dictionary.back() != texts[i])
        column.dictionary.push_back(std::move(texts[i]));
      place[i] = static_cast<std::uint32_t>(column.dictionary.size() - 1);
    }
    auto* numbers = reinterpret_cast<std::uint32_t*>(column.values.data());
    // Rows that have no value have no place either.
    if (place.empty()) return;
    for (std::size_t i = 0; i < count; ++i) numbers[i] = numbers[i] < place.size() ? place[numbers[i]] : 0;
  }

  const RecordType& type_;
  std::size_t most_;
  SegmentColumns out_{};
  std::vector<Distinct> distinct_{};   // by columns
  std::vector<std::size_t> counts_{};  // by columns: elements of lists so far
  // By columns: the number that all rows so far have.
  std::vector<std::optional<std::uint64_t>> constants_{};
};

const std::uint32_t* places(const SegmentColumn& column) noexcept {
  return reinterpret_cast<const std::uint32_t*>(column.values.data());
}

// The place of the row's value, behind all others where there is none.
std::uint32_t place_of(const SegmentColumn& column, std::uint32_t row) noexcept {
  return column.has_nulls && column.is_null(row) ? static_cast<std::uint32_t>(column.dictionary.size())
                                                 : places(column)[row];
}

// By a column with a dictionary. Stable.
void sort_by_place(std::vector<std::uint32_t>& rows, const SegmentColumn& column) {
  std::vector<std::uint32_t> starts(column.dictionary.size() + 2), sorted(rows.size());
  for (const std::uint32_t row : rows) ++starts[place_of(column, row) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  for (const std::uint32_t row : rows) sorted[starts[place_of(column, row)]++] = row;
  rows.swap(sorted);
}

// Rows that are alike in `before` go by their time. There are few of a kind, or they are in order already.
void sort_alike_by_time(std::vector<std::uint32_t>& rows, std::span<const SegmentColumn* const> before,
                        const SegmentColumn& time) {
  const auto* values = reinterpret_cast<const std::int64_t*>(time.values.data());
  const auto is_earlier = [&](std::uint32_t a, std::uint32_t b) {
    if (time.has_nulls && time.is_null(a) != time.is_null(b)) return time.is_null(b);
    return !(time.has_nulls && time.is_null(a)) && values[a] < values[b];
  };
  const auto is_alike = [&](std::uint32_t a, std::uint32_t b) {
    return std::ranges::all_of(before,
                               [&](const SegmentColumn* c) { return place_of(*c, a) == place_of(*c, b); });
  };
  for (auto begin = rows.begin(); begin != rows.end();) {
    auto end = begin + 1;
    while (end != rows.end() && is_alike(*begin, *end)) ++end;
    if (!std::is_sorted(begin, end, is_earlier)) std::stable_sort(begin, end, is_earlier);
    begin = end;
  }
}

template <class T>
void gather(std::vector<std::byte>& values, std::span<const std::uint32_t> rows, ColumnBuffers& buffers) {
  std::vector<std::byte> gathered = buffers.take(rows.size() * sizeof(T));
  const auto* from = reinterpret_cast<const T*>(values.data());
  auto* to = reinterpret_cast<T*>(gathered.data());
  for (const std::uint32_t row : rows) *to++ = from[row];
  values.swap(gathered);
  buffers.give(std::move(gathered));
}

// A column as a whole, so that it stays in the cache.
void arrange(SegmentColumn& column, std::span<const std::uint32_t> rows, ColumnBuffers& buffers) {
  if (column.is_constant) return;
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
    case 1: gather<std::uint8_t>(column.values, order, buffers); break;
    case 2: gather<std::uint16_t>(column.values, order, buffers); break;
    case 4: gather<std::uint32_t>(column.values, order, buffers); break;
    default: gather<std::uint64_t>(column.values, order, buffers);
  }
  if (!column.has_nulls) return;
  std::vector<std::uint64_t> valid(column.valid.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    valid[i / 64] |= std::uint64_t{!column.is_null(rows[i])} << (i % 64);
  column.valid = std::move(valid);
}

}  // namespace

std::vector<std::byte> ColumnBuffers::take(std::size_t bytes) {
  const auto fits = [bytes](const std::vector<std::byte>& buffer) { return buffer.size() >= bytes; };
  const auto found = std::ranges::find_if(free_, fits);
  if (found == free_.end()) return std::vector<std::byte>(bytes);
  std::vector<std::byte> buffer = std::move(*found);
  free_.erase(found);
  return buffer;
}

void ColumnBuffers::give(std::vector<std::byte> buffer) {
  // Small ones are cheap anyway; of large ones a segment's worth is kept.
  constexpr std::size_t least = std::size_t{1} << 16, most = 64;
  if (buffer.size() < least || buffer.size() > most * least || free_.size() == most) return;
  free_.push_back(std::move(buffer));
}

void ColumnBuffers::give(SegmentColumns columns) {
  for (SegmentColumn& column : columns.columns) give(std::move(column.values));
}

SegmentColumns read_columns(const SegmentReader& reader, const SegmentHolding& holding,
                            ColumnBuffers& buffers) {
  Filler filler(holding, buffers);
  reader.for_each_block(*holding.type, [&](const BlockDecoder& decoder, Bytes block, std::uint32_t rows) {
    filler.add(decoder, block, rows);
  });
  return filler.finish();
}

void sort_rows(SegmentColumns& columns, std::span<const std::string_view> fields, ColumnBuffers& buffers) {
  std::vector<const SegmentColumn*> by;
  for (const std::string_view field : fields)
    for (const SegmentColumn& column : columns.columns)
      if (column.field->name == field) by.push_back(&column);
  const SegmentColumn* time = nullptr;
  if (!by.empty() && by.back()->field->kind == Kind::time) {
    time = by.back();
    by.pop_back();
  }
  std::vector<std::uint32_t> rows(columns.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  for (auto column = by.rbegin(); column != by.rend(); ++column) {
    WEIR_ASSERT(has_dictionary((*column)->field->kind));
    sort_by_place(rows, **column);
  }
  if (time != nullptr) sort_alike_by_time(rows, by, *time);
  if (std::ranges::is_sorted(rows)) return;
  for (SegmentColumn& column : columns.columns) arrange(column, rows, buffers);
}

}  // namespace weir

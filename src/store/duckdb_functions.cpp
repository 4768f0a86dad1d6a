#include "store/duckdb_functions.hpp"

#include <optional>

#include "core/addr.hpp"
#include "store/duckdb_library.hpp"

namespace weir {
namespace {

const DuckLibrary& duck() {
  return **DuckLibrary::load();  // it is loaded: DuckDB calls
}

std::string_view text_of(const duckdb_string_t& s) noexcept {
  const std::size_t size = s.value.inlined.length;
  return {size <= 12 ? s.value.inlined.inlined : s.value.pointer.ptr, size};
}

bool is_valid(const std::uint64_t* validity, idx_t row) noexcept {
  return validity == nullptr || (validity[row / 64] >> (row % 64) & 1) != 0;
}

// One argument of a call.
struct Argument {
  const void* data;
  const std::uint64_t* validity;

  Argument(duckdb_data_chunk input, idx_t column) {
    duckdb_vector vector = duck().data_chunk_get_vector(input, column);
    data = duck().vector_get_data(vector);
    validity = duck().vector_get_validity(vector);
  }
  bool valid(idx_t row) const noexcept { return is_valid(validity, row); }
  std::string_view text(idx_t row) const noexcept {
    return text_of(static_cast<const duckdb_string_t*>(data)[row]);
  }
  std::int32_t number(idx_t row) const noexcept { return static_cast<const std::int32_t*>(data)[row]; }
};

class Answer {
 public:
  explicit Answer(duckdb_vector vector) : vector_(vector) {
    duck().vector_ensure_validity_writable(vector);
    validity_ = duck().vector_get_validity(vector);
  }
  void null(idx_t row) noexcept { validity_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  void put(idx_t row, std::string_view text) {
    duck().vector_assign_string_element_len(vector_, row, text.data(), text.size());
  }
  void put(idx_t row, bool value) { static_cast<bool*>(duck().vector_get_data(vector_))[row] = value; }

 private:
  duckdb_vector vector_;
  std::uint64_t* validity_;
};

std::optional<Addr> address(std::string_view text) {
  const auto parsed = parse_addr(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// Bits past the length become zero; the whole length is the address alone.
std::string network_of(const Addr& a, std::int32_t v4_length, std::int32_t v6_length) {
  const bool v4 = a.is_v4();
  const int whole = v4 ? 32 : 128, length = std::clamp<int>(v4 ? v4_length : v6_length, 0, whole);
  Addr masked = a;
  for (int bit = length + (v4 ? 96 : 0); bit < 128; ++bit)
    masked.bytes[static_cast<std::size_t>(bit) / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  std::string out = to_string(masked);
  if (length != whole) out += '/' + std::to_string(length);
  return out;
}

// The IPv4 address in dotted quads; nullopt for any other text.
std::optional<std::uint32_t> quick_v4(std::string_view text) noexcept {
  std::uint32_t address = 0, number = 0, dots = 0, digits = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<std::uint32_t>(c - '0');
      if (++digits > 3 || number > 255) return std::nullopt;
    } else if (c == '.' && digits != 0) {
      address = address << 8 | number;
      number = digits = 0;
      ++dots;
    } else {
      return std::nullopt;
    }
  }
  if (dots != 3 || digits == 0) return std::nullopt;
  return address << 8 | number;
}

// Writes the network's text and keeps the last one, as neighbours in a column are often of one network.
class NetworkText {
 public:
  // Empty for text that is no address. The view lives until the next call.
  std::string_view of(std::string_view text, std::int32_t v4_length, std::int32_t v6_length) {
    if (v4_length != v4_length_ || v6_length != v6_length_) *this = NetworkText(v4_length, v6_length);
    if (const auto v4 = quick_v4(text)) return of_v4(*v4);
    if (text == v6_text_) return v6_network_;
    v6_text_ = text;
    const std::optional<Addr> a = address(text);
    v6_network_ = a ? network_of(*a, v4_length, v6_length) : std::string{};
    return v6_network_;
  }

  NetworkText() = default;

 private:
  NetworkText(std::int32_t v4_length, std::int32_t v6_length)
      : v4_length_(v4_length),
        v6_length_(v6_length),
        v4_mask_(v4_length <= 0    ? 0
                 : v4_length >= 32 ? ~std::uint32_t{0}
                                   : ~std::uint32_t{0} << (32 - v4_length)) {}

  std::string_view of_v4(std::uint32_t address) {
    const std::uint32_t masked = address & v4_mask_;
    if (masked == v4_ && !v4_network_.empty()) return v4_network_;
    v4_ = masked;
    const std::uint8_t four[] = {static_cast<std::uint8_t>(masked >> 24),
                                 static_cast<std::uint8_t>(masked >> 16),
                                 static_cast<std::uint8_t>(masked >> 8), static_cast<std::uint8_t>(masked)};
    v4_network_ = network_of(Addr::v4(four), v4_length_, v6_length_);
    return v4_network_;
  }

  std::int32_t v4_length_ = -1, v6_length_ = -1;
  std::uint32_t v4_mask_ = 0, v4_ = 0;
  std::string v4_network_, v6_text_, v6_network_;
};

void prefix(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const Argument text(input, 0), v4(input, 1), v6(input, 2);
  Answer answer(output);
  NetworkText networks;
  const idx_t rows = duck().data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    const bool valid = text.valid(row) && v4.valid(row) && v6.valid(row);
    const std::string_view network =
        valid ? networks.of(text.text(row), v4.number(row), v6.number(row)) : std::string_view{};
    network.empty() ? answer.null(row) : answer.put(row, network);
  }
}

void between(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const Argument text(input, 0), low(input, 1), high(input, 2);
  Answer answer(output);
  std::string last, last_low, last_high;
  std::optional<Addr> a, from, to;
  const idx_t rows = duck().data_chunk_get_size(input);
  const auto refresh = [](std::string& kept, std::optional<Addr>& parsed, std::string_view now) {
    if (kept == now) return;
    kept = now;
    parsed = address(now);
  };
  for (idx_t row = 0; row < rows; ++row) {
    if (!text.valid(row) || !low.valid(row) || !high.valid(row)) {
      answer.null(row);
      continue;
    }
    refresh(last, a, text.text(row));
    refresh(last_low, from, low.text(row));
    refresh(last_high, to, high.text(row));
    if (a && from && to)
      answer.put(row, *from <= *a && *a <= *to);
    else
      answer.null(row);
  }
}

Result<void> add(const DuckLibrary& library, duckdb_connection connection, const char* name,
                 duckdb_type second_and_third, duckdb_type result, duckdb_scalar_function_t call) {
  duckdb_scalar_function function = library.create_scalar_function();
  library.scalar_function_set_name(function, name);
  for (const duckdb_type type : {DUCKDB_TYPE_VARCHAR, second_and_third, second_and_third}) {
    duckdb_logical_type logical = library.create_logical_type(type);
    library.scalar_function_add_parameter(function, logical);
    library.destroy_logical_type(&logical);
  }
  duckdb_logical_type logical = library.create_logical_type(result);
  library.scalar_function_set_return_type(function, logical);
  library.destroy_logical_type(&logical);
  library.scalar_function_set_function(function, call);
  const bool failed = library.register_scalar_function(connection, function) == DuckDBError;
  library.destroy_scalar_function(&function);
  if (failed) return fail(Code::environment, std::string("does not take the function ") + name, "DuckDB");
  return {};
}

}  // namespace

Result<void> add_address_functions(const DuckDatabase& database, const DuckConnection& connection) {
  auto handle = static_cast<duckdb_connection>(connection.handle());
  const DuckLibrary& library = database.library();
  WEIR_CHECK(add(library, handle, "weir_prefix", DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_VARCHAR, prefix));
  return add(library, handle, "weir_between", DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BOOLEAN, between);
}

}  // namespace weir

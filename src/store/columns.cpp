#include "store/columns.hpp"

#include <charconv>
#include <map>
#include <memory>
#include <mutex>

#include "core/format.hpp"

namespace weir {
namespace {

struct Sensor {
  Text sensor;
};

}  // namespace

template <>
inline constexpr auto schema<Sensor> = record("sensor", "What every stored record has besides its own fields",
                                              field("sensor", &Sensor::sensor, "The weir that stored it"));

const RecordType& stored_type(const RecordType& type) {
  static std::mutex mutex;
  static std::map<std::uint32_t, std::unique_ptr<const RecordType>> made;
  const std::lock_guard lock(mutex);
  auto& stored = made[type.id];
  if (stored == nullptr) {
    RecordType wider = type;
    wider.fields.push_back(record_type<Sensor>().fields.front());
    stored = std::make_unique<const RecordType>(std::move(wider));
  }
  return *stored;
}

std::string duckdb_type(const FieldInfo& field) {
  const auto element = [&]() -> std::string {
    switch (field.kind) {
      case Kind::boolean: return "BOOLEAN";
      case Kind::u8: return "UTINYINT";
      case Kind::u16: return "USMALLINT";
      // DuckDB 1.5 writes a UINTEGER of 2^31 or more that begins a delta-encoded page of Parquet in 33 bits,
      // of which readers of 32-bit columns take 32.
      case Kind::u32:
      case Kind::u64: return "UBIGINT";
      case Kind::i64: return "BIGINT";
      case Kind::duration:
      case Kind::f64: return "DOUBLE";
      case Kind::time: return "TIMESTAMP";
      case Kind::text:
      case Kind::addr:
      case Kind::mac:
      case Kind::proto: return "VARCHAR";
    }
    return {};
  };
  return field.is_list ? element() + "[]" : element();
}

std::string stored_text(std::string_view text) {
  if (is_stored_as_is(text)) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length != 0 && !looks_like_hex_escape(text, at)) {
      out.append(text, at, length);
      at += length;
      continue;
    }
    char buffer[4];
    out.append(buffer, write_hex_escape(buffer, static_cast<unsigned char>(text[at++])));
  }
  return out;
}

std::string original_text(std::string_view stored) {
  std::string out;
  for (std::size_t at = 0; at < stored.size();) {
    unsigned char byte = 0;
    if (looks_like_hex_escape(stored, at)) {
      std::from_chars(stored.data() + at + 2, stored.data() + at + 4, byte, 16);
      out += static_cast<char>(byte);
      at += 4;
    } else {
      out += stored[at++];
    }
  }
  return out;
}

bool is_stored_as_is(std::string_view text) noexcept {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80 || c == '\\') return false;
  return true;
}

std::int64_t stored_time(Time t) noexcept {
  return t.ns / 1000 - (t.ns % 1000 < 0 ? 1 : 0);
}

}  // namespace weir

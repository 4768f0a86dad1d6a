#include "store/record_codec.hpp"

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t varint_max = 10;

char* write_varint(char* out, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}
void append_varint(std::string& out, std::uint64_t value) {
  char buffer[varint_max];
  out.append(buffer, write_varint(buffer, value));
}
// IPv4 as four bytes: most addresses are.
constexpr std::size_t v4_at = 12;

// Counts and numbers are small more often than not.
std::optional<std::uint64_t> as_number(Kind kind, const void* value) noexcept {
  switch (kind) {
    case Kind::u16: return *static_cast<const std::uint16_t*>(value);
    case Kind::u32: return *static_cast<const std::uint32_t*>(value);
    case Kind::u64: return *static_cast<const std::uint64_t*>(value);
    default: return std::nullopt;
  }
}

char* write_short(char* out, const FieldInfo& field, const void* value) noexcept {
  if (const auto number = as_number(field.kind, value)) return write_varint(out, *number);
  if (field.kind == Kind::addr) {
    const Addr& a = *static_cast<const Addr*>(value);
    const bool v4 = a.is_v4();
    *out++ = v4 ? 4 : 16;
    std::memcpy(out, a.bytes.data() + (v4 ? v4_at : 0), v4 ? 4 : 16);
    return out + (v4 ? 4 : 16);
  }
  std::memcpy(out, value, field.size);
  return out + field.size;
}

void append_value(std::string& out, const FieldInfo& field, const void* value) {
  if (field.kind == Kind::text) {
    const Text text = *static_cast<const Text*>(value);
    append_varint(out, text.size());
    out += text;
  } else {
    char buffer[32];
    out.append(buffer, write_short(buffer, field, value));
  }
}

// In a record.
std::size_t size_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::u16: return 2;
    case Kind::u32: return 4;
    case Kind::u64: return 8;
    case Kind::addr: return sizeof(Addr);
    case Kind::text: return sizeof(Text);
    default: return fixed_size(kind);
  }
}

// One value of the kind, in the form that the records hold.
bool read_value(ByteReader& in, Kind kind, std::byte* out, Arena& arena) {
  const EncodedValue value = read_encoded(in, kind);
  if (!in.ok()) return false;
  if (kind == Kind::text) {
    const Text text = arena.copy(as_text(value.bytes));
    std::memcpy(out, &text, sizeof text);
  } else if (kind == Kind::addr) {
    const Addr a = address_of(value.bytes);
    std::memcpy(out, &a, sizeof a);
  } else if (value.bytes.empty()) {
    std::memcpy(out, &value.number, size_of(kind));  // little-endian, as all machines weir runs on
  } else {
    std::memcpy(out, value.bytes.data(), value.bytes.size());
  }
  return true;
}

}  // namespace

std::uint64_t read_list_size(ByteReader& in) noexcept {
  const std::uint64_t count = read_varint(in);
  if (count > in.remaining()) in.fail();  // every element takes a byte at least
  return in.ok() ? count : 0;
}

Addr address_of(Bytes encoded) noexcept {
  return encoded.size() == 4 ? Addr::v4(encoded.data()) : Addr::v6(encoded.data());
}

void encode_record(std::string& out, const RecordType& type, const void* record) {
  const std::size_t count = type.fields.size(), bitmap = (count + 7) / 8, start = out.size();
  // Most fields fit a buffer; texts and lists that may not are appended behind a flush of it.
  char buffer[256];
  char* at = buffer;
  out.append(bitmap, '\0');
  const auto flush = [&] {
    out.append(buffer, at);
    at = buffer;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const FieldInfo& field = type.fields[i];
    if (field.is_list) {
      const ListView list = field.list(record);
      if (list.data == nullptr) continue;
      flush();
      append_varint(out, list.size);
      for (std::size_t k = 0; k < list.size; ++k) append_value(out, field, list.data + k * list.stride);
    } else {
      const void* value = field.value(record);
      if (value == nullptr) continue;
      constexpr std::size_t room = 32;
      if (buffer + sizeof buffer - at < static_cast<std::ptrdiff_t>(room)) flush();
      if (field.kind == Kind::text) {
        const Text text = *static_cast<const Text*>(value);
        at = write_varint(at, text.size());
        if (buffer + sizeof buffer - at < static_cast<std::ptrdiff_t>(text.size())) {
          flush();
          out += text;
        } else {
          std::memcpy(at, text.data(), text.size());
          at += text.size();
        }
      } else {
        at = write_short(at, field, value);
      }
    }
    out[start + i / 8] = static_cast<char>(out[start + i / 8] | 1 << (i % 8));
  }
  flush();
}

void EncodedSummary::add(const RecordType& type, std::string_view encoded) {
  const std::size_t bitmap = (type.fields.size() + 7) / 8;
  present.resize(bitmap);
  for (std::size_t i = 0; i < bitmap; ++i) present[i] = static_cast<char>(present[i] | encoded[i]);
  ++count;
  timed &= type.fields.front().kind == Kind::time && (encoded.front() & 1) != 0;
  if (!timed) return;
  const auto time = load_le<Time>(as_bytes(encoded).data() + bitmap);
  earliest = std::min(earliest, time);
  latest = std::max(latest, time);
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

std::string_view RecordDecoder::name_in(Bytes schema) noexcept {
  ByteReader in(schema);
  const std::uint64_t size = read_varint(in);
  return size > in.remaining() ? std::string_view{} : in.text(size);
}

std::optional<RecordDecoder> RecordDecoder::make(Bytes schema, const RecordType& type) {
  constexpr std::uint64_t most_fields = 4096;
  ByteReader in(schema);
  const auto text = [&]() -> std::string_view {
    const std::uint64_t size = read_varint(in);
    if (size > in.remaining()) in.fail();
    return in.text(in.ok() ? size : 0);
  };
  RecordDecoder decoder(type);
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

std::vector<bool> RecordDecoder::fields_in(Bytes present) const {
  std::vector<bool> out(type_->fields.size());
  for (std::size_t i = 0; i < fields_.size() && i / 8 < present.size(); ++i)
    if ((present[i / 8] >> (i % 8) & 1) != 0 && fields_[i].target != nullptr)
      out[static_cast<std::size_t>(fields_[i].target - type_->fields.data())] = true;
  return out;
}

bool RecordDecoder::value(ByteReader& in, const Field& field, std::byte* record, Arena& arena) {
  alignas(16) std::byte one[sizeof(Addr)];
  if (!field.is_list) {
    if (!read_value(in, field.kind, one, arena)) return false;
    if (field.target != nullptr) field.target->store(record + field.target->offset, one, 1);
    return true;
  }
  const std::uint64_t count = read_list_size(in);
  if (!in.ok()) return false;
  const std::size_t size = size_of(field.kind);
  std::byte* items = arena.allocate(count * size + 1, alignof(std::max_align_t));
  for (std::uint64_t i = 0; i < count; ++i)
    if (!read_value(in, field.kind, items + i * size, arena)) return false;
  if (field.target != nullptr) field.target->store(record + field.target->offset, items, count);
  return true;
}

bool RecordDecoder::decode(ByteReader& in, Batch& batch) {
  scratch_.resize(type_->size);
  std::memcpy(scratch_.data(), type_->blank, type_->size);
  const auto take = [&](std::size_t i) { return value(in, fields_[i], scratch_.data(), batch.arena()); };
  if (!walk(in, take)) return false;
  batch.add(*type_, scratch_.data(), {});
  return true;
}

}  // namespace weir

// NDJSON: one object per line, "type" first, then the fields in schema order; nulls are left out.
#include "core/json.hpp"

#include <array>

#include "os/output_file.hpp"
#include "plugin/columns.hpp"

namespace weir {
namespace {

// ,"name": in a fixed size, so that copying it is three moves and no call. What does not fit (names come from
// SQL, too) is in `lengthy`, and the fixed part empty.
struct Key {
  static constexpr std::size_t room = 48;
  std::array<char, room> text{};
  std::size_t size = 0;
  std::string lengthy{};
};
struct Column {
  FieldInfo field;
  Key key;
};
struct Plan {
  std::string start;  // {"type":"dns"
  std::vector<Column> columns;
};

// Characters on their way into a std::string, in memory that grows but is never cleared: appending to the
// string itself would fill every byte twice.
class Scratch {
 public:
  // Room for `size` more characters.
  char* room(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) grow(size);
    return at_;
  }
  void advance(char* to) noexcept { at_ = to; }
  void copy(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  std::string_view text() const noexcept {
    return {memory_.get(), static_cast<std::size_t>(at_ - memory_.get())};
  }
  void clear() noexcept { at_ = memory_.get(); }

 private:
  void grow(std::size_t size) {
    const std::size_t used = text().size();
    const std::size_t capacity = 2 * (used + size) + 4096;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (used != 0) std::memcpy(larger.get(), memory_.get(), used);
    memory_ = std::move(larger);
    at_ = memory_.get() + used;
    end_ = memory_.get() + capacity;
  }
  std::unique_ptr<char[]> memory_;
  char *at_ = nullptr, *end_ = nullptr;
};

char* write_key(char* out, const Key& key) noexcept {
  std::memcpy(out, key.text.data(), Key::room);
  return out + key.size;
}

// The value after the key, or alone in a list (an empty key).
void put_value(Scratch& out, const Key& key, Kind kind, const void* value, TimeStyle time) {
  if (!key.lengthy.empty()) out.copy(key.lengthy);
  if (kind == Kind::text) {
    const Text text = *static_cast<const Text*>(value);
    char* at = write_key(out.room(Key::room + json_text_max(text.size())), key);
    out.advance(write_json_text(at, text));
  } else {
    char* at = write_key(out.room(Key::room + value_text_max), key);
    out.advance(write_json_value(at, kind, value, time));
  }
}

void put_list(Scratch& out, const Column& column, const ListView& list, TimeStyle time) {
  static const Key none{};
  out.copy(column.key.lengthy);
  out.advance(write_key(out.room(Key::room), column.key));
  out.copy("[");
  for (std::size_t i = 0; i < list.size; ++i) {
    if (i != 0) out.copy(",");
    put_value(out, none, column.field.kind, list.data + i * list.stride, time);
  }
  out.copy("]");
}

class JsonSink final : public Sink {
 public:
  JsonSink(std::vector<Plan> plans, TimeStyle time, OutputSet outputs)
      : plans_(std::move(plans)), time_(time), outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    const Plan& plan = plans_[type.id];
    if (plan.columns.empty()) return;
    thread_local Scratch scratch;
    scratch.clear();
    scratch.copy(plan.start);
    for (const Column& column : plan.columns) {
      if (column.field.is_list) {
        const ListView list = column.field.list(record);
        if (list.data == nullptr) continue;
        put_list(scratch, column, list, time_);
      } else if (const void* value = column.field.value(record)) {
        put_value(scratch, column.key, column.field.kind, value, time_);
      }
    }
    scratch.copy("}\n");
    out.append(scratch.text());
  }

  Result<void> consume(const RecordType& type, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, type.name));
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override { return outputs_.close(); }

 private:
  std::vector<Plan> plans_;  // by RecordType::id
  TimeStyle time_;
  OutputSet outputs_;
};

Key key_of(std::string_view name) {
  std::string text = ",";
  append_json_text(text, name);
  text += ':';
  Key key;
  if (text.size() > Key::room) {
    key.lengthy = std::move(text);
  } else {
    key.size = text.size();
    std::copy(text.begin(), text.end(), key.text.begin());
  }
  return key;
}

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_TRY(const auto selected, select_columns(options));
  std::vector<Plan> plans(record_type_max);
  for (const RecordType* type : options.types) {
    Plan& plan = plans[type->id];
    plan.start = "{\"type\":\"" + std::string(type->name) + "\"";
    for (const FieldInfo* field : selected[type->id]) plan.columns.push_back({*field, key_of(field->name)});
  }
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "json"));
  return std::make_unique<JsonSink>(std::move(plans), options.time, std::move(outputs));
}

constexpr SinkSpec spec{
    .name = "json",
    .doc = "NDJSON: one object per line, its type first",
    .mixes_types = true,
    .open = open,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

// Results of weir scan as its json output wrote them: a line for each host, port and service, and one for the
// scan. Lines of other records are passed over.
#include <cmath>

#include "packet/input.hpp"
#include "plugin/record_file.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"
#include "sources/json_line.hpp"

namespace weir {
namespace {

constexpr std::size_t line_most = std::size_t{4} << 20U, line_usual = 4096;
constexpr std::size_t damages_max = 16;

std::optional<double> parse_decimals(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value as one of the member's type; nullopt: it is none.
template <class T>
std::optional<T> as(const JsonValue& v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v.kind == JsonValue::Kind::boolean ? std::optional(v.text == "true") : std::nullopt;
  } else if constexpr (std::is_same_v<T, Time>) {
    const auto time = parse_time(v.text);
    return time ? std::optional(*time) : std::nullopt;
  } else if constexpr (std::is_same_v<T, Duration>) {
    const auto seconds = parse_decimals(v.text);
    constexpr double most = 9.2e9;
    if (!seconds || !(std::abs(*seconds) < most)) return std::nullopt;
    return Duration{std::llround(*seconds * 1e9)};
  } else if constexpr (std::is_same_v<T, Addr>) {
    const auto addr = parse_addr(v.text);
    return addr ? std::optional(*addr) : std::nullopt;
  } else if constexpr (std::is_same_v<T, Mac>) {
    const auto mac = parse_mac(v.text);
    return mac ? std::optional(*mac) : std::nullopt;
  } else if constexpr (std::is_same_v<T, IpProto>) {
    return parse_ip_proto(v.text);
  } else if constexpr (std::is_same_v<T, double>) {
    return parse_decimals(v.text);
  } else {
    return parse_digits<T>(v.text);
  }
}

// False when the value does not fit the field.
bool store(const FieldInfo& field, std::byte* member, const JsonValue& v, Emitter& out) {
  if (v.kind == JsonValue::Kind::other) return true;
  if ((v.kind == JsonValue::Kind::list) != field.is_list) return false;
  if (field.is_list) {
    if (field.kind != Kind::text) return true;
    std::vector<Text> texts;
    for (const std::string& item : v.items) texts.push_back(out.text(item));
    const List<Text> kept = out.list(std::span<const Text>(texts));
    field.store(member, kept.data(), kept.size());
    return true;
  }
  const auto put = [&]<class T>() {
    const std::optional<T> value = as<T>(v);
    if (value) field.store(member, &*value, 1);
    return value.has_value();
  };
  switch (field.kind) {
    case Kind::text: {
      const Text text = out.text(v.text);
      field.store(member, &text, 1);
      return v.kind == JsonValue::Kind::text;
    }
    case Kind::boolean: return put.template operator()<bool>();
    case Kind::u8: return put.template operator()<std::uint8_t>();
    case Kind::u16: return put.template operator()<std::uint16_t>();
    case Kind::u32: return put.template operator()<std::uint32_t>();
    case Kind::u64: return put.template operator()<std::uint64_t>();
    case Kind::i64: return put.template operator()<std::int64_t>();
    case Kind::f64: return put.template operator()<double>();
    case Kind::time: return put.template operator()<Time>();
    case Kind::duration: return put.template operator()<Duration>();
    case Kind::addr: return put.template operator()<Addr>();
    case Kind::mac: return put.template operator()<Mac>();
    case Kind::proto: return put.template operator()<IpProto>();
  }
  return false;
}

class ScanJsonFile final : public RecordFile {
 public:
  ScanJsonFile(std::unique_ptr<Input> input, std::string name)
      : input_(std::move(input)), name_(std::move(name)) {}

  Result<bool> read(Emitter& out, std::size_t most) override {
    std::size_t records = 0;
    while (records < most && next_line()) records += take_line(out) ? 1U : 0U;
    return records != 0;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return input_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return input_->bytes_total(); }

 private:
  bool next_line() {
    if (ended_) return false;
    input_->advance(done_, line_usual);
    for (std::size_t searched = 0;;) {
      const std::string_view window = as_text(input_->window());
      const std::size_t feed = window.find('\n', searched);
      if (feed != window.npos) {
        line_ = window.substr(0, feed);
        done_ = feed + 1;
        return true;
      }
      searched = window.size();
      if (searched >= line_most) {
        ended_ = true;
        damaged("corrupt_record", "a line is longer than 4 MiB; nothing after it is read");
        return false;
      }
      input_->advance(0, searched * 2 + line_usual);
      if (input_->window().size() != searched) continue;
      ended_ = true;
      if (!input_->broken().empty()) damaged("unreadable_file", input_->broken());
      line_ = as_text(input_->window());
      return !line_.empty();
    }
  }

  // True when it was a record.
  bool take_line(Emitter& out) {
    if (trim(line_).empty()) return false;
    const auto members = JsonLine::parse(line_);
    if (!members) {
      damaged(ended_ ? "truncated_file" : "corrupt_record",
              ended_ ? "the file ends inside a line" : "a line is no JSON object");
      return false;
    }
    std::string_view type;
    for (const JsonMember& m : *members)
      if (m.name == "type") type = m.value.text;
    return take<Host>(type, *members, out) || take<Port>(type, *members, out) ||
           take<Service>(type, *members, out) || take<Scan>(type, *members, out);
  }

  template <Record R>
  bool take(std::string_view name, const std::vector<JsonMember>& members, Emitter& out) {
    const RecordType& type = record_type<R>();
    if (name != type.name) return false;
    R record{};
    bool good = true;
    for (const JsonMember& m : members)
      if (const FieldInfo* field = type.find(m.name))
        good = store(*field, reinterpret_cast<std::byte*>(&record) + field->offset, m.value, out) && good;
    if (!good) damaged("corrupt_record", "a field of a " + std::string(name) + " is not what it should be");
    if (good) out.emit(record);
    return good;
  }

  void damaged(std::string_view name, std::string what) {
    if (damages_.size() < damages_max)
      damages_.push_back({name_, input_->offset(), name, std::move(what)});
    else if (damages_.size() == damages_max)
      damages_.push_back({name_, input_->offset(), "damaged_file", "more damage from here on, not listed"});
  }

  std::unique_ptr<Input> input_;
  std::string name_;
  std::size_t done_ = 0;  // of the window: the line
  std::string_view line_;
  std::vector<Damage> damages_;
  bool ended_ = false;
};

// {"type":"port", with spaces or without.
bool is_scan_json(Bytes head) {
  std::string text;
  for (const char c : as_text(head))
    if (c != ' ') text += c;
  for (const std::string_view type : {"host", "port", "service", "scan"})
    if (text.starts_with("{\"type\":\"" + std::string(type) + "\"")) return true;
  return false;
}

Result<std::unique_ptr<RecordFile>> open(std::unique_ptr<Input> input, std::string name) {
  return std::make_unique<ScanJsonFile>(std::move(input), std::move(name));
}

constexpr RecordTypeOf records[] = {record_type<Host>, record_type<Port>, record_type<Service>,
                                    record_type<Scan>};
constexpr RecordFileSpec spec{.name = "scan-json",
                              .doc = "What weir scan -o json wrote: hosts, ports and services",
                              .recognises = is_scan_json,
                              .open = open,
                              .records = records};

}  // namespace
WEIR_REGISTER(RecordFileSpec, spec);
}  // namespace weir

// What the two forms of Zeek's logs, TSV and JSON, have in common: a row's values, made from a record as
// zeek_logs.hpp says. Records without a log of Zeek's are left out.
#pragma once

#include <array>

#include "os/output_file.hpp"
#include "plugin/columns.hpp"
#include "sinks/zeek_logs.hpp"

namespace weir::zeek {

// One column bound to a record type.
struct Cell {
  const Column* column;
  const FieldInfo* field = nullptr;   // nullptr: unset, or a constant
  const FieldInfo* second = nullptr;  // of conversions that read two fields
  bool is_list() const noexcept { return column->type.ends_with(']'); }
  std::string_view element_type() const noexcept {
    const std::size_t open = column->type.find('[');
    return open == std::string_view::npos ? column->type
                                          : column->type.substr(open + 1, column->type.size() - open - 2);
  }
};
struct Plan {
  const Log* log = nullptr;
  std::vector<Cell> cells;
};

inline Plan plan_for(const RecordType& type) {
  Plan plan;
  for (const Log& log : logs)
    if (log.record == type.name) plan.log = &log;
  if (plan.log == nullptr) return plan;
  for (const Column& column : plan.log->columns) {
    Cell cell{&column};
    if (column.convert != Convert::constant) cell.field = type.find(column.source);
    if (column.convert == Convert::missed_bytes) cell.second = type.find("dst_missed");
    if (column.convert == Convert::when_several) cell.second = type.find("packets");
    if (column.convert == Convert::reply) cell.second = type.find("last_reply");
    plan.cells.push_back(cell);
  }
  return plan;
}

// The values of one cell, as text without any escaping; booleans are T and F, times and intervals have six
// decimals. Reused from cell to cell.
class Values {
 public:
  // False when the cell is unset.
  bool read(const Cell& cell, const void* record) {
    size_ = 0;
    if (cell.column->convert == Convert::constant) {
      if (!cell.column->source.empty()) next() = cell.column->source;
      return true;
    }
    if (cell.field == nullptr) return false;
    if (cell.field->is_list) return read_list(cell, record);
    const void* value = cell.field->value(record);
    return value != nullptr && convert(cell, record, value);
  }
  std::size_t size() const noexcept { return size_; }
  const std::string& operator[](std::size_t i) const noexcept { return texts_[i]; }

 private:
  std::string& next() {
    if (size_ == texts_.size()) texts_.emplace_back();
    texts_[size_].clear();
    return texts_[size_++];
  }

  bool read_list(const Cell& cell, const void* record) {
    const ListView list = cell.field->list(record);
    if (list.data == nullptr) return false;
    const std::size_t size = cell.is_list() ? list.size : std::min<std::size_t>(list.size, 1);
    for (std::size_t i = 0; i < size; ++i) put(cell, next(), list.data + i * list.stride);
    return cell.is_list() || size != 0;
  }

  // Microseconds, as Zeek prints times and intervals.
  static void put_micros(std::string& out, std::int64_t ns) {
    const bool negative = ns < 0;
    const std::uint64_t micros =
        (negative ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns)) / 1000;
    const std::string fraction = std::to_string(micros % 1'000'000);
    if (negative && micros != 0) out += '-';
    out += std::to_string(micros / 1'000'000) + "." + std::string(6 - fraction.size(), '0') + fraction;
  }

  static void put(const Cell& cell, std::string& out, const void* value) {
    switch (cell.field->kind) {
      case Kind::time: return put_micros(out, static_cast<const Time*>(value)->ns);
      case Kind::duration: return put_micros(out, static_cast<const Duration*>(value)->ns);
      case Kind::boolean: return void(out += *static_cast<const bool*>(value) ? 'T' : 'F');
      default: break;
    }
    append_value(out, cell.field->kind, value, TimeStyle::epoch);
    if (cell.element_type() == "interval") out += ".000000";  // whole seconds
  }

  static std::uint64_t number(const FieldInfo& field, const void* value) {
    return visit_value(field.kind, value, [](const auto& v) -> std::uint64_t {
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(v)>>)
        return static_cast<std::uint64_t>(v);
      return 0;
    });
  }

  bool convert(const Cell& cell, const void* record, const void* value) {
    const auto text = [&] { return *static_cast<const Text*>(value); };
    switch (cell.column->convert) {
      case Convert::plain:
      case Convert::constant: break;
      case Convert::uid: put_uid(next(), number(*cell.field, value)); return true;
      case Convert::proto: next() = proto_name(*static_cast<const IpProto*>(value)); return true;
      case Convert::proto_number:
        next() = std::to_string(static_cast<unsigned>(*static_cast<const IpProto*>(value)));
        return true;
      case Convert::service: next() = text() == "tls" ? "ssl" : text(); return true;
      case Convert::is_local: next() = static_cast<const Addr*>(value)->is_private() ? "T" : "F"; return true;
      case Convert::missed_bytes:
        next() =
            std::to_string(number(*cell.field, value) + number(*cell.second, cell.second->value(record)));
        return true;
      case Convert::when_several:
        if (number(*cell.second, cell.second->value(record)) == 1) return false;
        break;
      case Convert::unless_empty:
        if (text().empty()) return false;
        break;
      case Convert::without_dots:
        for (std::string& out = next(); const char c : text())
          if (c != '.') out += c;
        return true;
      case Convert::upper_case:
        for (std::string& out = next(); const char c : text())
          out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        return true;
      case Convert::ntp_mode: return put_ntp_mode(text());
      case Convert::key_algorithm:
        next() = text() == "rsa" ? "rsaEncryption" : text() == "ecdsa" ? "id-ecPublicKey" : text();
        return true;
      case Convert::reply: {
        std::string& out = next();
        put(cell, out, value);
        if (const void* more = cell.second->value(record))
          out.append(" ").append(*static_cast<const Text*>(more));
        return true;
      }
      case Convert::refusal: next() = *static_cast<const bool*>(value) ? "F" : "T"; return true;
    }
    put(cell, next(), value);
    return true;
  }

  static void put_uid(std::string& out, std::uint64_t id) {
    static constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    out += 'C';
    do {
      out += digits[id % 62];
      id /= 62;
    } while (id != 0);
  }
  static std::string_view proto_name(IpProto proto) {
    switch (proto) {
      case IpProto::tcp: return "tcp";
      case IpProto::udp: return "udp";
      case IpProto::icmp:
      case IpProto::icmpv6: return "icmp";
      default: return "unknown_transport";
    }
  }
  // RFC 5905 §7.3: the association modes.
  bool put_ntp_mode(std::string_view name) {
    static constexpr std::string_view modes[] = {"reserved", "symmetric_active", "symmetric_passive",
                                                 "client",   "server",           "broadcast",
                                                 "control",  "private"};
    const auto mode = std::find(std::begin(modes), std::end(modes), name);
    if (mode == std::end(modes)) return false;
    next() = std::to_string(mode - std::begin(modes));
    return true;
  }

  std::vector<std::string> texts_;
  std::size_t size_ = 0;
};

// By RecordType::id, for the types that will come.
inline Result<std::vector<Plan>> plans_for(const SinkOptions& options) {
  if (!options.fields.empty())
    return fail(Code::usage, "Zeek's logs have their own fields", "-f",
                "leave -f out, or take the json, csv or tsv output");
  std::vector<Plan> plans(record_type_max);
  for (const RecordType* type : options.types) plans[type->id] = plan_for(*type);
  return plans;
}

}  // namespace weir::zeek

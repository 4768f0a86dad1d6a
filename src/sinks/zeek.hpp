// What the two forms of Zeek's logs, TSV and JSON, have in common: a row's values, made from a record as
// zeek_logs.hpp says. Records without a log of Zeek's are left out.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <tuple>

#include "os/output_file.hpp"
#include "plugin/columns.hpp"
#include "sinks/zeek_logs.hpp"
#include "sinks/zeek_values.hpp"

namespace weir::zeek {

// One column bound to a record type.
struct Cell {
  const Column* column;
  const FieldInfo* field = nullptr;  // nullptr: unset, or a constant
  std::array<const FieldInfo*, std::tuple_size_v<decltype(Column::others)>> others{};
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
    for (std::size_t i = 0; i < column.others.size() && !column.others[i].empty(); ++i)
      cell.others[i] = type.find(column.others[i]);
    plan.cells.push_back(cell);
  }
  return plan;
}

// The fields of one record that a cell is made of.
struct Source {
  const Cell& cell;
  const void* record;

  static std::optional<std::uint64_t> number(const FieldInfo& field, const void* value) {
    if (value == nullptr) return std::nullopt;
    return visit_value(field.kind, value, [](const auto& v) -> std::uint64_t {
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(v)>>)
        return static_cast<std::uint64_t>(v);
      return 0;
    });
  }
  const void* value(std::size_t i) const { return cell.others[i]->value(record); }
  std::optional<std::uint64_t> number(std::size_t i) const { return number(*cell.others[i], value(i)); }
  Text text(std::size_t i) const {
    const void* v = value(i);
    return v == nullptr ? Text{} : *static_cast<const Text*>(v);
  }
};

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
    const Source source{cell, record};
    if (cell.field->is_list) return read_list(source);
    const void* value = cell.field->value(record);
    return value == nullptr ? convert_unset(source) : convert(source, value);
  }
  std::size_t size() const noexcept { return size_; }
  const std::string& operator[](std::size_t i) const noexcept { return texts_[i]; }

 private:
  std::string& next() {
    if (size_ == texts_.size()) texts_.emplace_back();
    texts_[size_].clear();
    return texts_[size_++];
  }

  bool read_list(const Source& source) {
    const Cell& cell = source.cell;
    const ListView list = cell.field->list(source.record);
    if (list.data == nullptr)
      return cell.column->convert == Convert::chain && cell.others[0]->list(source.record).data != nullptr;
    const std::size_t size = cell.is_list() ? list.size : std::min<std::size_t>(list.size, 1);
    for (std::size_t i = 0; i < size; ++i) {
      const std::byte* element = list.data + i * list.stride;
      if (cell.column->convert != Convert::dns_answers) {
        put(cell, next(), element);
        continue;
      }
      const ListView types = cell.others[0]->list(source.record);
      put_dns_answer(next(), *reinterpret_cast<const Text*>(types.data + i * types.stride),
                     *reinterpret_cast<const Text*>(element), source.text(1));
    }
    return cell.is_list() || size != 0;
  }

  // Rounded to microseconds as Zeek does it, from a double.
  static void put_seconds(std::string& out, std::int64_t ns) {
    constexpr std::int64_t second = 1'000'000'000;
    const double value = static_cast<double>(ns / second) + static_cast<double>(ns % second) / 1e9;
    char text[32];
    out.append(text, std::to_chars(text, std::end(text), value, std::chars_format::fixed, 6).ptr);
  }

  static void put(const Cell& cell, std::string& out, const void* value) {
    switch (cell.field->kind) {
      case Kind::time: return put_seconds(out, static_cast<const Time*>(value)->ns);
      case Kind::duration: return put_seconds(out, static_cast<const Duration*>(value)->ns);
      case Kind::boolean: return void(out += *static_cast<const bool*>(value) ? 'T' : 'F');
      default: break;
    }
    append_value(out, cell.field->kind, value, TimeStyle::epoch);
    if (cell.element_type() == "interval") out += ".000000";  // whole seconds
  }

  // What Zeek has where our field is null.
  bool convert_unset(const Source& source) {
    switch (source.cell.column->convert) {
      case Convert::or_other: {
        const FieldInfo& other = *source.cell.others[0];
        if (source.value(0) == nullptr) return false;
        append_value(next(), other.kind, source.value(0), TimeStyle::epoch);
        return true;
      }
      case Convert::ntp_time:
        if (!source.number(0)) return false;
        next() = "0.000000";
        return true;
      case Convert::ntp_reference: {
        const auto stratum = source.number(0);
        if (!stratum) return false;
        next() = *stratum < 2 ? std::string(4, '\0') : "0.0.0.0";
        return true;
      }
      case Convert::ftp_argument:
        if (is_ftp_file_command(source.text(0))) return put_ftp_file(source, {});
        return source.text(0) == "PASS" && put_ftp_password(source.text(3), source.text(4), "PASS");
      case Convert::ftp_password: return put_ftp_password(source.text(1), {}, source.text(0));
      default: return false;
    }
  }

  bool convert(const Source& source, const void* value) {
    const FieldInfo& field = *source.cell.field;
    switch (source.cell.column->convert) {
      case Convert::uid: put_uid(next(), *Source::number(field, value)); return true;
      case Convert::proto: next() = proto_name(*static_cast<const IpProto*>(value)); return true;
      case Convert::proto_number:
        next() = std::to_string(static_cast<unsigned>(*static_cast<const IpProto*>(value)));
        return true;
      case Convert::is_local: next() = is_local(*static_cast<const Addr*>(value)) ? "T" : "F"; return true;
      case Convert::sum:
        next() = std::to_string(*Source::number(field, value) + source.number(0).value_or(0));
        return true;
      case Convert::when_several:
        if (source.number(0) == 1U) return false;
        break;
      case Convert::dns_class: put_dns_class(next(), *Source::number(field, value)); return true;
      case Convert::dns_rcode:
        put_dns_rcode(next(), *Source::number(field, value), source.text(0));
        return true;
      case Convert::dns_opcode:
        put_dns_opcode(next(), *Source::number(field, value), source.text(0) == "netbios");
        return true;
      case Convert::host_certificate:
      case Convert::client_certificate: {
        const bool is_own =
            Source::number(field, value) == 0U &&
            source.number(0) == (source.cell.column->convert == Convert::client_certificate ? 1U : 0U);
        next() = is_own ? "T" : "F";
        return true;
      }
      case Convert::reply:
        put(source.cell, next(), value);
        if (source.value(0) != nullptr) texts_[0].append(" ").append(source.text(0));
        return true;
      default: break;
    }
    if (field.kind == Kind::text) return convert_text(source, *static_cast<const Text*>(value));
    put(source.cell, next(), value);
    return true;
  }

  bool convert_text(const Source& source, Text text) {
    switch (source.cell.column->convert) {
      case Convert::service: next() = text == "tls" ? "ssl" : text; return true;
      case Convert::unless_empty:
        if (text.empty()) return false;
        break;
      case Convert::empty_word: next() = text.empty() ? "<empty>" : text; return true;
      case Convert::without_dots:
        for (std::string& out = next(); const char c : text)
          if (c != '.') out += c;
        return true;
      case Convert::upper_case:
        for (std::string& out = next(); const char c : text) out += to_upper(c);
        return true;
      case Convert::dns_name:
        if (source.text(0) == "netbios")
          put_netbios_name(next(), text);
        else
          put_dns_name(next(), text);
        return true;
      case Convert::dns_type: put_dns_type(next(), text); return true;
      case Convert::host: put_host(next(), text, source.number(0)); return true;
      case Convert::unescaped_uri: put_unescaped_uri(next(), text); return true;
      case Convert::media_type: put_media_type(next(), text); return true;
      case Convert::first_address: return put_first_address(next(), text);
      case Convert::from_client: return is_dhcp_client(source.text(0)) && put_text(text);
      case Convert::from_server: return !is_dhcp_client(source.text(0)) && put_text(text);
      case Convert::ftp_argument:
        return is_ftp_file_command(source.text(0)) ? put_ftp_file(source, text) : put_text(text);
      case Convert::ntp_mode: return put_ntp_mode(text);
      case Convert::ntp_reference:
        next() = text;
        if (source.number(0).value_or(2) < 2 && text.size() < 4) texts_[0].resize(4, '\0');
        return true;
      case Convert::quic_version: next() = text == "v1" ? "1" : text == "v2" ? "quicv2" : text; return true;
      case Convert::key_algorithm:
        next() = text == "rsa" ? "rsaEncryption" : text == "ecdsa" ? "id-ecPublicKey" : text;
        return true;
      case Convert::curve:
        next() = text == "secp256r1" ? "prime256v1" : text == "secp192r1" ? "prime192v1" : text;
        return true;
      default: break;
    }
    return put_text(text);
  }

  bool put_text(Text text) {
    next() = text;
    return true;
  }
  static bool is_dhcp_client(Text message) {
    return message == "discover" || message == "request" || message == "decline" || message == "release" ||
           message == "inform" || message == "bootp_request";
  }
  bool put_ftp_file(const Source& source, Text name) {
    put_ftp_url(next(), *static_cast<const Addr*>(source.value(2)), source.text(1), name);
    return true;
  }
  // Passwords of those who are not guests are neither kept here nor logged by Zeek. Every command but USER
  // and AUTH comes after one.
  bool put_ftp_password(Text user, Text password, Text command) {
    if (!password.empty()) return put_text(password);
    const bool is_guest =
        equal_nocase(user, "anonymous") || equal_nocase(user, "ftp") || equal_nocase(user, "guest");
    if (user.empty() || is_guest || command == "USER") return false;
    next() = "<hidden>";
    return true;
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

inline bool takes(const RecordType& type) {
  return plan_for(type).log != nullptr;
}

// By RecordType::id, for the types that will come.
inline Result<std::vector<Plan>> plans_for(const SinkOptions& options) {
  if (!options.fields.empty())
    return fail(Code::usage, "Zeek's logs have their own fields", "-f",
                "leave -f out, or take the json, csv or tsv output");
  if (std::ranges::none_of(options.types, [](const RecordType* type) { return takes(*type); }))
    return fail(Code::usage, "Zeek has no log of such records", "--output", "take the json output");
  std::vector<Plan> plans(record_type_max);
  for (const RecordType* type : options.types) plans[type->id] = plan_for(*type);
  return plans;
}

}  // namespace weir::zeek

// Suricata's EVE: one JSON object per line, keys as eve_events.hpp says. Records without an event type are
// left out.
#include "core/json.hpp"
#include "os/output_file.hpp"
#include "plugin/columns.hpp"
#include "plugin/parser.hpp"
#include "sinks/eve_events.hpp"

namespace weir {
namespace {

using eve::Convert;

struct Bound {
  std::vector<std::string_view> path;  // "tls", "ja3", "hash"
  std::string_view source;
  Convert convert;
  const FieldInfo* field;  // nullptr for constants
};
struct Plan {
  const eve::Event* event = nullptr;
  const RecordType* type = nullptr;
  std::vector<Bound> keys;
};

std::vector<std::string_view> split(std::string_view name) {
  std::vector<std::string_view> path;
  for (std::size_t dot = 0; (dot = name.find('.')) != std::string_view::npos; name.remove_prefix(dot + 1))
    path.push_back(name.substr(0, dot));
  path.push_back(name);
  return path;
}

Plan plan_for(const RecordType& type) {
  Plan plan{.type = &type};
  for (const eve::Event& event : eve::events)
    if (event.record == type.name) plan.event = &event;
  if (plan.event == nullptr) return plan;
  const auto add = [&](const eve::Key& key) {
    const FieldInfo* field = key.convert == Convert::constant ? nullptr : type.find(key.source);
    if (field != nullptr || key.convert == Convert::constant)
      plan.keys.push_back({split(key.name), key.source, key.convert, field});
  };
  add(eve::shared[0]);
  add({"event_type", plan.event->type, Convert::constant});
  for (const eve::Key& key : std::span(eve::shared).subspan(1)) add(key);
  for (const eve::Key& key : plan.event->keys) add(key);
  return plan;
}

// A nested object whose parts are opened as keys need them.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void put(const std::vector<std::string_view>& path, std::string_view json) {
    std::size_t same = 0;
    while (same < open_.size() && same + 1 < path.size() && open_[same] == path[same]) ++same;
    close_to(same);
    for (std::size_t i = same; i < path.size(); ++i) {
      if (!first_) out_ += ',';
      first_ = i + 1 < path.size();
      out_.append("\"").append(path[i]).append(first_ ? "\":{" : "\":");
      if (first_) open_.push_back(path[i]);
    }
    out_ += json;
  }
  void finish() {
    close_to(0);
    out_ += "}\n";
  }

 private:
  void close_to(std::size_t depth) {
    for (; open_.size() > depth; open_.pop_back()) out_ += '}';
  }
  std::string& out_;
  std::vector<std::string_view> open_;
  bool first_ = true;
};

void append_value(std::string& out, Kind kind, const void* value) {
  if (kind == Kind::text) return append_json_text(out, *static_cast<const Text*>(value));
  char buffer[value_text_max];
  out.append(buffer, write_json_value(buffer, kind, value, TimeStyle::rfc3339));
}

void append_list(std::string& out, const FieldInfo& field, const ListView& list) {
  for (std::size_t i = 0; i < list.size; ++i) {
    out += i == 0 ? '[' : ',';
    append_value(out, field.kind, list.data + i * list.stride);
  }
  if (list.size != 0) out += ']';
}

std::string rfc3339(Time time) {
  char buffer[time_text_max];
  return {buffer, write_rfc3339(buffer, time)};
}
std::string timestamp(Time time) {
  std::string text = rfc3339(time);
  text.resize(text.find_first_of(".Z"));
  const std::string micros = std::to_string((time.ns % 1'000'000'000 + 1'000'000'000) % 1'000'000'000 / 1000);
  return "\"" + text + "." + std::string(6 - micros.size(), '0') + micros + "+0000\"";
}

std::string_view proto_name(IpProto proto) {
  switch (proto) {
    case IpProto::tcp: return "TCP";
    case IpProto::udp: return "UDP";
    case IpProto::icmp: return "ICMP";
    case IpProto::icmpv6: return "IPv6-ICMP";
    case IpProto::sctp: return "SCTP";
    case IpProto::gre: return "GRE";
    default: return name_of(proto);
  }
}

std::string tcp_flags(std::string_view letters) {
  static constexpr std::string_view order = "FSRPAUEC";  // bit 0 first
  unsigned bits = 0;
  for (const char c : letters)
    if (const std::size_t bit = order.find(c); bit != std::string_view::npos) bits |= 1U << bit;
  char buffer[4];
  write_hex_escape(buffer, static_cast<unsigned char>(bits));
  return {buffer + 2, 2};  // behind the \\x
}

std::string colons(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i != 0 && i % 2 == hex.size() % 2) out += ':';
    out += hex[i];
  }
  return out;
}

std::string tls_version(std::string_view name) {
  if (name == "TLSv1.0") return "TLSv1";
  return name.starts_with("TLSv1.") ? "TLS " + std::string(name.substr(4)) : std::string(name);
}

std::string_view flow_state(std::string_view zeek) {
  if (zeek == "S0" || zeek == "SH") return "new";
  return zeek == "S1" || zeek == "S2" || zeek == "S3" || zeek == "OTH" ? "established" : "closed";
}
std::string_view end_reason(std::string_view reason) {
  return reason == "end" ? "shutdown" : reason == "evicted" ? "forced" : "timeout";
}
bool is_reply(std::string_view dhcp) {
  return dhcp == "offer" || dhcp == "ack" || dhcp == "nak" || dhcp == "bootp_reply" ||
         dhcp.starts_with("lease_");
}

const void* value_of(const RecordType& type, std::string_view name, const void* record) {
  const FieldInfo* field = type.find(name);
  return field == nullptr || field->is_list ? nullptr : field->value(record);
}
Text text_of(const RecordType& type, std::string_view name, const void* record) {
  const void* value = value_of(type, name, record);
  return value == nullptr ? Text{} : *static_cast<const Text*>(value);
}

void append_dns_queries(std::string& out, const RecordType& type, const void* record) {
  out += "[{\"rrname\":";
  append_json_text(out, text_of(type, "query", record));
  out += ",\"rrtype\":";
  append_json_text(out, text_of(type, "qtype_name", record));
  out += "}]";
}

// The parallel lists of a dns record as objects; answer_names is null when all are the name asked for.
void append_dns_answers(std::string& out, const RecordType& type, const void* record) {
  const auto list = [&](std::string_view name) {
    const FieldInfo* field = type.find(name);
    return field == nullptr ? ListView{} : field->list(record);
  };
  const ListView answers = list("answers"), types = list("answer_types"), names = list("answer_names"),
                 ttls = list("ttls");
  const auto text = [](const ListView& l, std::size_t i) {
    return *reinterpret_cast<const Text*>(l.data + i * l.stride);
  };
  for (std::size_t i = 0; i < answers.size; ++i) {
    out += i == 0 ? "[{\"rrname\":" : ",{\"rrname\":";
    append_json_text(out, i < names.size ? text(names, i) : text_of(type, "query", record));
    if (i < types.size) append_json_text(out += ",\"rrtype\":", text(types, i));
    if (i < ttls.size) append_value(out += ",\"ttl\":", type.find("ttls")->kind, ttls.data + i * ttls.stride);
    append_json_text(out += ",\"rdata\":", text(answers, i));
    out += '}';
  }
  if (answers.size != 0) out += ']';
}

// Appends the key's value as JSON; nothing when there is none.
void append_key(std::string& out, const RecordType& type, const Bound& key, const void* record) {
  const FieldInfo* field = key.field;
  if (key.convert == Convert::constant) {
    if (key.source.size() == 1) return void(out += key.source);  // a number
    return append_json_text(out, key.source);
  }
  if (key.convert == Convert::dns_answers) return append_dns_answers(out, type, record);
  if (field->is_list) return append_list(out, *field, field->list(record));
  const void* value = field->value(record);
  if (key.convert == Convert::dns_type)
    return append_json_text(out, value == nullptr ? "request" : "response");
  if (value == nullptr) return;
  const auto text = [&] { return *static_cast<const Text*>(value); };
  const auto duration = [&] { return *static_cast<const Duration*>(value); };
  switch (key.convert) {
    case Convert::plain: return append_value(out, field->kind, value);
    case Convert::timestamp: return void(out += timestamp(*static_cast<const Time*>(value)));
    case Convert::end:
      return void(out += timestamp(*static_cast<const Time*>(value_of(type, "time", record)) + duration()));
    case Convert::seconds: return void(out += std::to_string(duration().ns / 1'000'000'000));
    case Convert::date: return append_json_text(out, rfc3339(*static_cast<const Time*>(value)).substr(0, 19));
    case Convert::proto: return append_json_text(out, proto_name(*static_cast<const IpProto*>(value)));
    case Convert::one: append_value(out += '[', field->kind, value); return void(out += ']');
    case Convert::one_text: {
      std::string number;
      append_value(number, field->kind, value);
      return void(out.append("[\"").append(number).append("\"]"));
    }
    case Convert::flow_state: return append_json_text(out, flow_state(text()));
    case Convert::end_reason: return append_json_text(out, end_reason(text()));
    case Convert::tcp_flags: return append_json_text(out, tcp_flags(text()));
    case Convert::dns_queries: return append_dns_queries(out, type, record);
    case Convert::http_version: return append_json_text(out, "HTTP/" + std::string(text()));
    case Convert::tls_version: return append_json_text(out, tls_version(text()));
    case Convert::colons: return append_json_text(out, colons(text()));
    case Convert::ssh_version: {
      append_value(out += '"', field->kind, value);
      return void(out += ".0\"");
    }
    case Convert::dhcp_side: return append_json_text(out, is_reply(text()) ? "reply" : "request");
    case Convert::ftp_mode:
      return append_json_text(out, *static_cast<const bool*>(value) ? "passive" : "active");
    case Convert::oddity_layer:
      return append_json_text(out, find_plugin<ParserSpec>(text()) != nullptr ? "applayer" : "decode");
    case Convert::constant:
    case Convert::dns_type:
    case Convert::dns_answers: break;
  }
}

class EveSink final : public Sink {
 public:
  EveSink(std::vector<Plan> plans, OutputSet outputs)
      : plans_(std::move(plans)), outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    const Plan& plan = plans_[type.id];
    if (plan.event == nullptr) return;
    thread_local std::string json;
    Object object(out);
    for (const Bound& key : plan.keys) {
      json.clear();
      append_key(json, type, key, record);
      if (!json.empty()) object.put(key.path, json);
    }
    object.finish();
  }

  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, outputs_.file(0, "eve"));  // one file for all events, as Suricata has it
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override { return outputs_.close(); }

 private:
  std::vector<Plan> plans_;  // by RecordType::id
  OutputSet outputs_;
};

bool takes(const RecordType& type) {
  return std::ranges::any_of(eve::events, [&](const eve::Event& event) { return event.record == type.name; });
}

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  if (!options.fields.empty())
    return fail(Code::usage, "EVE has its own keys", "-f",
                "leave -f out, or take the json, csv or tsv output");
  if (std::ranges::none_of(options.types, [](const RecordType* type) { return takes(*type); }))
    return fail(Code::usage, "EVE has no event for such records", "--output", "take the json output");
  std::vector<Plan> plans(record_type_max);
  for (const RecordType* type : options.types) plans[type->id] = plan_for(*type);
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "json"));
  return std::make_unique<EveSink>(std::move(plans), std::move(outputs));
}

constexpr SinkSpec spec{
    .name = "eve",
    .doc = "Suricata's EVE: flow, dns, http, tls, ... events as JSON lines",
    .mixes_types = true,
    .open = open,
    .takes = takes,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

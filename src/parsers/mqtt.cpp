// MQTT 3.1, 3.1.1 and 5 (OASIS mqtt-v3.1.1, mqtt-v5.0): one record per control packet, pings left out.
#include "records/mqtt.hpp"

#include <algorithm>
#include <array>

#include "plugin/parser.hpp"

namespace weir {
namespace {

// Longest packet read whole, and longest head of a publish; of longer ones only the size is known:
// "mqtt_long_packet".
constexpr std::size_t packet_max = 32 * 1024;
// Topic filters kept per packet.
constexpr std::size_t topics_max = 64;

enum Type : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth
};
constexpr std::string_view type_names[] = {
    "",          "connect", "connack",     "publish",  "puback",  "pubrec",   "pubrel",     "pubcomp",
    "subscribe", "suback",  "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"};

std::string_view connack_name(std::uint8_t code) noexcept {  // v3.1.1 §3.2.2.3
  constexpr std::string_view names[] = {
      "accepted",           "unacceptable_protocol_version", "identifier_rejected",
      "server_unavailable", "bad_user_name_or_password",     "not_authorized"};
  return code < std::size(names) ? names[code] : "unknown";
}

std::string_view reason_name(std::uint8_t code) noexcept {  // v5.0 §2.4
  switch (code) {
    case 0x00: return "success";
    case 0x04: return "disconnect_with_will";
    case 0x10: return "no_matching_subscribers";
    case 0x11: return "no_subscription_existed";
    case 0x18: return "continue_authentication";
    case 0x19: return "reauthenticate";
    case 0x80: return "unspecified_error";
    case 0x81: return "malformed_packet";
    case 0x82: return "protocol_error";
    case 0x83: return "implementation_specific_error";
    case 0x84: return "unsupported_protocol_version";
    case 0x85: return "client_identifier_not_valid";
    case 0x86: return "bad_user_name_or_password";
    case 0x87: return "not_authorized";
    case 0x88: return "server_unavailable";
    case 0x89: return "server_busy";
    case 0x8a: return "banned";
    case 0x8b: return "server_shutting_down";
    case 0x8c: return "bad_authentication_method";
    case 0x8d: return "keep_alive_timeout";
    case 0x8e: return "session_taken_over";
    case 0x8f: return "topic_filter_invalid";
    case 0x90: return "topic_name_invalid";
    case 0x91: return "packet_identifier_in_use";
    case 0x92: return "packet_identifier_not_found";
    case 0x93: return "receive_maximum_exceeded";
    case 0x94: return "topic_alias_invalid";
    case 0x95: return "packet_too_large";
    case 0x96: return "message_rate_too_high";
    case 0x97: return "quota_exceeded";
    case 0x98: return "administrative_action";
    case 0x99: return "payload_format_invalid";
    case 0x9a: return "retain_not_supported";
    case 0x9b: return "qos_not_supported";
    case 0x9c: return "use_another_server";
    case 0x9d: return "server_moved";
    case 0x9e: return "shared_subscriptions_not_supported";
    case 0x9f: return "connection_rate_exceeded";
    case 0xa0: return "maximum_connect_time";
    case 0xa1: return "subscription_identifiers_not_supported";
    case 0xa2: return "wildcard_subscriptions_not_supported";
    default: return "unknown";
  }
}

// Seven bits per octet, at most four octets (§1.5.5).
std::size_t read_varint(ByteReader& r) noexcept {
  std::size_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t b = r.u8();
    value |= std::size_t{b & 0x7fu} << shift;
    if ((b & 0x80) == 0) return value;
  }
  r.fail();
  return 0;
}

std::string_view read_string(ByteReader& r) noexcept {
  const std::size_t length = r.u16();
  return r.text(length);
}

// Properties of version 5 that end up in a record.
struct Properties {
  std::string_view assigned_client;
  std::optional<std::uint16_t> topic_alias;
};

Properties read_properties(ByteReader& r) {  // §2.2.2
  Properties p;
  ByteReader list(r.bytes(read_varint(r)));
  while (r.ok() && list.ok() && !list.empty()) {
    const std::uint8_t id = list.u8();
    switch (id) {
      case 0x01:
      case 0x17:
      case 0x19:
      case 0x24:
      case 0x25:
      case 0x28:
      case 0x29:
      case 0x2a: list.skip(1); break;
      case 0x13:
      case 0x21:
      case 0x22: list.skip(2); break;
      case 0x23: p.topic_alias = list.u16(); break;
      case 0x02:
      case 0x11:
      case 0x18:
      case 0x27: list.skip(4); break;
      case 0x0b: read_varint(list); break;
      case 0x12: p.assigned_client = read_string(list); break;
      case 0x03:
      case 0x08:
      case 0x09:
      case 0x15:
      case 0x16:
      case 0x1a:
      case 0x1c:
      case 0x1f: read_string(list); break;
      case 0x26:
        read_string(list);
        read_string(list);
        break;
      default: list.fail();
    }
  }
  if (!list.ok()) r.fail();
  return p;
}

// The fixed header (§2.1).
struct Head {
  std::uint8_t type = 0, flags = 0;
  std::size_t size = 0, remaining = 0;
};
enum class HeadState : std::uint8_t { whole, more, bad };

HeadState read_head(Bytes bytes, Head& h) noexcept {
  ByteReader r(bytes);
  const std::uint8_t first = r.u8();
  h.type = first >> 4;
  h.flags = first & 15;
  h.remaining = read_varint(r);
  if (!r.ok()) return bytes.size() < 5 ? HeadState::more : HeadState::bad;
  h.size = r.position();
  if (h.type == 0) return HeadState::bad;
  const bool two = h.type == pubrel || h.type == subscribe || h.type == unsubscribe;
  if (h.type == publish ? (h.flags & 6) == 6 : h.flags != (two ? 2 : 0)) return HeadState::bad;
  return HeadState::whole;
}

Match match(Bytes data, Side side) {
  Head h;
  switch (read_head(data, h)) {
    case HeadState::bad: return Match::no;
    case HeadState::more: return Match::maybe;
    case HeadState::whole: break;
  }
  if (h.type != connect) return side == Side::resp || h.type == publish ? Match::maybe : Match::no;
  constexpr std::string_view v4{"\0\4MQTT", 6}, v3{"\0\6MQIsdp", 8};
  const std::string_view body = as_text(data.subspan(h.size));
  const auto begins = [&](std::string_view name) { return body.starts_with(name.substr(0, body.size())); };
  if (body.starts_with(v4) || body.starts_with(v3)) return Match::yes;
  return begins(v4) || begins(v3) ? Match::maybe : Match::no;
}

class MqttParser {
 public:
  Step data(Context& c, Bytes bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const Step step = one(c, bytes.subspan(used));
      used += step.consumed;
      if (step.parse != Parse::more) return {used, step.parse};
      if (step.consumed == 0) break;
    }
    return {used, Parse::more};
  }

 private:
  // The next message; nothing consumed when it is not whole.
  Step one(Context& c, Bytes bytes) {
    Head h;
    switch (read_head(bytes, h)) {
      case HeadState::more: return {0, Parse::more};
      case HeadState::bad: c.oddity("mqtt_bad_header"); return {bytes.size(), Parse::malformed};
      case HeadState::whole: break;
    }
    const std::size_t size = h.size + h.remaining;
    std::size_t needed = h.remaining;
    if (h.type == publish) {
      if (bytes.size() < h.size + 2 && h.remaining >= 2) return {0, Parse::more};
      // Topic, packet identifier, and room for the properties; the payload is skipped unseen.
      const std::size_t topic = h.remaining >= 2 ? load_be16(&bytes[h.size]) : 0;
      needed = std::min(needed, topic + 4 + (version_ == 5 ? packet_max / 2 : 0));
    }
    if (needed > packet_max) {
      c.oddity("mqtt_long_packet", type_names[h.type]);
      return {size, Parse::more};
    }
    if (bytes.size() < h.size + needed) return {0, Parse::more};
    if (!packet(c, h, bytes.subspan(h.size, needed))) {
      c.oddity("mqtt_malformed", type_names[h.type]);
      return {bytes.size(), Parse::malformed};
    }
    return {size, Parse::more};
  }

  bool packet(Context& c, const Head& h, Bytes body) {
    if (h.type == pingreq || h.type == pingresp) return true;
    Mqtt m{.time = c.time, .flow = c.flow};
    m.sender_ip = c.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    m.message = type_names[h.type];
    ByteReader r(body);
    switch (h.type) {
      case connect: read_connect(c, m, r); break;
      case connack: read_connack(c, m, r); break;
      case publish: read_publish(c, m, h, r); break;
      case subscribe:
      case unsubscribe: read_topics(c, m, h.type, r); break;
      case suback:
      case unsuback: read_codes(c, m, r); break;
      case disconnect:
      case auth: read_reason(m, r); break;
      default: m.packet_id = r.u16(); read_reason(m, r);
    }
    m.version = version_ == 3 ? "3.1" : version_ == 4 ? "3.1.1" : version_ == 5 ? "5" : Text{};
    if (!r.ok()) return false;
    c.emit(m);
    return true;
  }

  void read_connect(Context& c, Mqtt& m, ByteReader& r) {  // §3.1
    read_string(r);
    version_ = r.u8() & 0x7f;  // bridges of one server set the top bit
    const std::uint8_t flags = r.u8();
    m.is_clean = (flags & 2) != 0;
    m.has_password = (flags & 0x40) != 0;
    m.keep_alive = seconds(r.u16());
    if (version_ == 5) read_properties(r);
    m.client_id = c.text(read_string(r));
    if ((flags & 4) != 0) {
      if (version_ == 5) read_properties(r);
      m.will_topic = c.text(read_string(r));
      read_string(r);
      m.qos = static_cast<std::uint8_t>(flags >> 3 & 3);
      m.is_retained = (flags & 0x20) != 0;
    }
    if ((flags & 0x80) != 0) m.user = c.text(read_string(r));
    if ((flags & 0x40) != 0) read_string(r);
  }

  void read_connack(Context& c, Mqtt& m, ByteReader& r) {  // §3.2
    m.is_session_present = (r.u8() & 1) != 0;
    m.reason_code = r.u8();
    m.reason =
        version_ == 5 && *m.reason_code != 0 ? reason_name(*m.reason_code) : connack_name(*m.reason_code);
    if (version_ != 5 || r.empty()) return;
    const Properties p = read_properties(r);
    if (!p.assigned_client.empty()) m.client_id = c.text(p.assigned_client);
  }

  void read_publish(Context& c, Mqtt& m, const Head& h, ByteReader& r) {  // §3.3
    m.qos = static_cast<std::uint8_t>(h.flags >> 1 & 3);
    m.is_retained = (h.flags & 1) != 0;
    m.is_duplicate = (h.flags & 8) != 0;
    m.topic = c.text(read_string(r));
    if (*m.qos > 0) m.packet_id = r.u16();
    if (version_ == 5) m.topic_alias = read_properties(r).topic_alias;
    m.payload = static_cast<std::uint32_t>(h.remaining - r.position());
  }

  void read_topics(Context& c, Mqtt& m, std::uint8_t type, ByteReader& r) {  // §3.8, §3.10
    m.packet_id = r.u16();
    if (version_ == 5) read_properties(r);
    std::array<Text, topics_max> topics;
    std::array<std::uint16_t, topics_max> codes;
    std::size_t count = 0;
    while (r.ok() && !r.empty()) {
      const std::string_view topic = read_string(r);
      const std::uint16_t qos = type == subscribe ? r.u8() & 3 : 0;
      if (!r.ok() || count == topics_max) break;
      topics[count] = c.text(topic);
      codes[count++] = qos;
    }
    m.topics = c.out.list(std::span<const Text>(topics).first(count));
    if (type == subscribe) m.codes = c.out.list(std::span<const std::uint16_t>(codes).first(count));
  }

  void read_codes(Context& c, Mqtt& m, ByteReader& r) {  // §3.9, §3.11
    m.packet_id = r.u16();
    if (version_ == 5) read_properties(r);
    std::array<std::uint16_t, topics_max> codes;
    std::size_t count = 0;
    while (!r.empty() && count < topics_max) codes[count++] = r.u8();
    if (count > 0) m.codes = c.out.list(std::span<const std::uint16_t>(codes).first(count));
  }

  // Absent means success in version 5, and always before it.
  static void read_reason(Mqtt& m, ByteReader& r) {
    if (r.empty()) return;
    m.reason_code = r.u8();
    m.reason = reason_name(*m.reason_code);
  }

  std::uint8_t version_ = 0;  // protocol level of the connect: 3, 4, 5; 0 when it was not seen
};

constexpr std::uint16_t ports[] = {1883};
constexpr RecordTypeOf records[] = {record_type<Mqtt>};
constexpr ParserSpec spec{.name = "mqtt",
                          .doc = "MQTT 3.1, 3.1.1 and 5",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<MqttParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir

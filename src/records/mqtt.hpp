// One MQTT control packet.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Mqtt {
  Time time;
  FlowRef flow;
  Addr sender_ip;
  Text message, version, client_id, user;
  std::optional<bool> has_password, is_clean;
  std::optional<Duration> keep_alive;
  Text will_topic;
  std::optional<bool> is_session_present;
  std::optional<std::uint8_t> reason_code;
  Text reason;
  Text topic;
  std::optional<std::uint16_t> topic_alias;
  std::optional<std::uint8_t> qos;
  std::optional<bool> is_retained, is_duplicate;
  std::optional<std::uint32_t> payload;
  std::optional<std::uint16_t> packet_id;
  List<Text> topics;
  List<std::uint16_t> codes;
};
template <>
inline constexpr auto schema<Mqtt> = record(
    "mqtt", "One MQTT control packet", field("time", &Mqtt::time, "When it was seen"),
    field("flow", &Mqtt::flow, "The flow that carried it"),
    field("sender_ip", &Mqtt::sender_ip, "Who sent this packet"),
    field("message", &Mqtt::message,
          "connect, connack, publish, puback, pubrec, pubrel, pubcomp, subscribe, suback, unsubscribe, "
          "unsuback, disconnect, auth; pings are left out"),
    field("version", &Mqtt::version, "3.1, 3.1.1 or 5, as the connection began"),
    field("client_id", &Mqtt::client_id, "Client identifier of a connect, or the one a connack assigns"),
    field("user", &Mqtt::user, "User name of a connect"),
    field("password", &Mqtt::has_password, "Whether a connect carries a password; it is not kept"),
    field("clean", &Mqtt::is_clean, "Whether a connect starts a new session"),
    field("keep_alive", &Mqtt::keep_alive, Unit::seconds, "Longest silence a connect announces; 0: no bound"),
    field("will_topic", &Mqtt::will_topic, "Topic of the message left for the case that the client is lost"),
    field("session_present", &Mqtt::is_session_present, "Whether a connack resumes a session"),
    field("reason_code", &Mqtt::reason_code,
          "Return or reason code of a connack, acknowledgement or disconnect"),
    field("reason", &Mqtt::reason, "Reason code by name: accepted, not_authorized, …"),
    field("topic", &Mqtt::topic, "Topic of a publish"),
    field("topic_alias", &Mqtt::topic_alias, "Number that stands for a topic, version 5"),
    field("qos", &Mqtt::qos, "Quality of service of a publish or will"),
    field("retain", &Mqtt::is_retained, "Whether a publish or will is retained"),
    field("duplicate", &Mqtt::is_duplicate, "Whether a publish is sent again"),
    field("payload", &Mqtt::payload, Unit::bytes, "Size of the message published"),
    field("packet_id", &Mqtt::packet_id, "Packet identifier, the same in a packet and its acknowledgement"),
    field("topics", &Mqtt::topics, "Topic filters of a subscribe or unsubscribe"),
    field("codes", &Mqtt::codes,
          "Quality of service asked for per filter (subscribe), or the code granted (suback, unsuback)"));

}  // namespace weir

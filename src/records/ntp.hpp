// One NTP packet.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Ntp {
  Time time;
  FlowRef flow;
  Addr sender_ip;
  std::uint8_t version = 0;
  Text mode;
  std::optional<std::uint8_t> leap, stratum;
  std::optional<Duration> poll, precision, root_delay, root_dispersion;
  Text reference_id;
  std::optional<Time> reference_time, origin_time, receive_time, transmit_time;
  std::optional<Duration> rtt;
  std::optional<std::uint8_t> extensions;
  std::optional<std::uint32_t> key_id;
  Text operation;
  std::optional<bool> is_response;
  std::optional<std::uint16_t> sequence, status, association, items;
};
template <>
inline constexpr auto schema<Ntp> = record(
    "ntp", "One NTP packet: time, control or private (monlist)",
    field("time", &Ntp::time, "When it was seen"), field("flow", &Ntp::flow, "The flow that carried it"),
    field("sender_ip", &Ntp::sender_ip, "Who sent this packet"),
    field("version", &Ntp::version, "NTP version"),
    field("mode", &Ntp::mode,
          "symmetric_active, symmetric_passive, client, server, broadcast, control, private, reserved"),
    field("leap", &Ntp::leap,
          "Leap indicator: 1 last minute has 61 s, 2 it has 59 s, 3 clock not synchronised"),
    field("stratum", &Ntp::stratum,
          "Distance from a reference clock; 0: kiss-o'-death or unspecified, 16: not synchronised"),
    field("poll", &Ntp::poll, Unit::seconds, "Longest interval between packets"),
    field("precision", &Ntp::precision, Unit::seconds, "Precision of the sender's clock"),
    field("root_delay", &Ntp::root_delay, Unit::seconds, "Round trip to the reference clock"),
    field("root_dispersion", &Ntp::root_dispersion, Unit::seconds, "Error bound to the reference clock"),
    field("reference_id", &Ntp::reference_id,
          "Reference clock or kiss code for stratum 0 and 1, else the upstream server's IPv4 address or "
          "identifier"),
    field("reference_time", &Ntp::reference_time, "When the sender's clock was last set"),
    field("origin_time", &Ntp::origin_time, "When the request left the client, by the client's clock"),
    field("receive_time", &Ntp::receive_time, "When the request reached the server, by the server's clock"),
    field("transmit_time", &Ntp::transmit_time, "When this packet left, by the sender's clock"),
    field("rtt", &Ntp::rtt, Unit::seconds,
          "In an answer: time since the request it answers passed the capture"),
    field("extensions", &Ntp::extensions, "Extension fields"),
    field("key_id", &Ntp::key_id, "Key of the message authentication code"),
    field("operation", &Ntp::operation,
          "Control or private request: read_variables, monlist, …, or its number"),
    field("response", &Ntp::is_response, "Control or private: whether this is the answer"),
    field("sequence", &Ntp::sequence, "Control or private: sequence number"),
    field("status", &Ntp::status, "Control: status word; private: error code"),
    field("association", &Ntp::association, "Control: peer it is about, 0 the system"),
    field("items", &Ntp::items, "Private: data items in this packet"));

}  // namespace weir

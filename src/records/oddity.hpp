// Malformed or surprising input, as data.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Oddity {
  Time time;
  std::optional<std::uint64_t> flow_id;
  std::optional<Addr> src_ip, dst_ip;
  std::optional<std::uint16_t> src_port, dst_port;
  std::optional<IpProto> proto;
  Text name, detail, source;
};
template <>
inline constexpr auto schema<Oddity> = record(
    "oddity", "Malformed or surprising input", field("time", &Oddity::time, "When it was seen"),
    field("flow_id", &Oddity::flow_id, "The flow it was seen in"),
    field("src_ip", &Oddity::src_ip, "Originator"), field("src_port", &Oddity::src_port, "Originator's port"),
    field("dst_ip", &Oddity::dst_ip, "Responder"), field("dst_port", &Oddity::dst_port, "Responder's port"),
    field("proto", &Oddity::proto, "Transport protocol"),
    field("name", &Oddity::name, "What is odd, one of a fixed set of words"),
    field("detail", &Oddity::detail, "The value or place concerned"),
    field("source", &Oddity::source, "The decoder or parser that noticed"));

}  // namespace weir

// One SNMP message.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Snmp {
  Time time;
  FlowRef flow;
  Addr sender_ip;
  Text version, community, user, security, engine_id, context, pdu;
  std::optional<std::int64_t> request_id;
  Text error;
  std::optional<std::uint32_t> error_index, non_repeaters, max_repetitions;
  List<Text> oids, values;
  std::optional<Duration> rtt;
  Text enterprise, trap;
  std::optional<Addr> agent_ip;
  std::optional<std::int64_t> specific_trap;
  std::optional<Duration> uptime;
  bool is_encrypted = false;
};
template <>
inline constexpr auto schema<Snmp> = record(
    "snmp", "One SNMP message", field("time", &Snmp::time, "When it was seen"),
    field("flow", &Snmp::flow, "The flow that carried it"),
    field("sender_ip", &Snmp::sender_ip, "Who sent this message"),
    field("version", &Snmp::version, "1, 2c or 3"),
    field("community", &Snmp::community, "Community, versions 1 and 2c"),
    field("user", &Snmp::user, "User name, version 3"),
    field("security", &Snmp::security, "Security level, version 3: none, auth, auth_priv"),
    field("engine_id", &Snmp::engine_id, "Authoritative engine, version 3, hexadecimal"),
    field("context", &Snmp::context, "Context name, version 3"),
    field("pdu", &Snmp::pdu,
          "get, get_next, response, set, trap_v1, get_bulk, inform, trap, report; null when encrypted"),
    field("request_id", &Snmp::request_id, "Joins request and response"),
    field("error", &Snmp::error, "Error status of a response: no_such_name, gen_err, …; null for none"),
    field("error_index", &Snmp::error_index, "Which variable is in error, from 1"),
    field("non_repeaters", &Snmp::non_repeaters, "Of a get_bulk"),
    field("max_repetitions", &Snmp::max_repetitions, "Of a get_bulk"),
    field("oids", &Snmp::oids, "Names of the variables"),
    field("values", &Snmp::values,
          "Their values, in the same order; octets that are not printable in hexadecimal"),
    field("rtt", &Snmp::rtt, Unit::seconds, "In a response: time since its request"),
    field("enterprise", &Snmp::enterprise, "Of a trap_v1: who defines the trap"),
    field("trap", &Snmp::trap,
          "Of a trap_v1: cold_start, warm_start, link_down, link_up, authentication_failure, "
          "egp_neighbor_loss, enterprise_specific"),
    field("agent_ip", &Snmp::agent_ip, "Of a trap_v1: whose trap it is"),
    field("specific_trap", &Snmp::specific_trap, "Of a trap_v1: number within the enterprise"),
    field("uptime", &Snmp::uptime, Unit::seconds,
          "Time since the agent started: of a trap_v1, or the first sysUpTime.0 among the variables"),
    field("encrypted", &Snmp::is_encrypted, "Whether the contents are encrypted"));

}  // namespace weir

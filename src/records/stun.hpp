// One STUN or TURN conversation.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Stun {
  Time time;
  FlowRef ref;
  Text method, username, realm, software;
  std::optional<Addr> mapped_ip;
  std::optional<std::uint16_t> mapped_port;
  std::optional<Addr> relayed_ip, peer_ip;
  std::optional<std::uint16_t> relayed_port, peer_port;
  std::uint32_t requests = 0, answers = 0, errors = 0;
  std::optional<std::uint16_t> last_error;
};
template <>
inline constexpr auto schema<Stun> =
    record("stun", "One STUN or TURN conversation: a host learns its public address, calls find a way",
           field("time", &Stun::time, "First message"), field("flow", &Stun::ref, "The flow that carried it"),
           field("method", &Stun::method,
                 "First method: binding, allocate, refresh, send, data, create_permission, …"),
           field("username", &Stun::username, "User name; in ICE the fragments of both sides"),
           field("realm", &Stun::realm, "Realm of a TURN server"),
           field("software", &Stun::software, "Software named by either side"),
           field("mapped_ip", &Stun::mapped_ip, "Address at which the answering side saw the other"),
           field("mapped_port", &Stun::mapped_port, "Port at which the answering side saw the other"),
           field("relayed_ip", &Stun::relayed_ip, "Address that a TURN server relays for the client"),
           field("relayed_port", &Stun::relayed_port, "Port that a TURN server relays for the client"),
           field("peer_ip", &Stun::peer_ip, "First peer that the client talks to over TURN"),
           field("peer_port", &Stun::peer_port, "Its port"),
           field("requests", &Stun::requests, "Requests and indications"),
           field("answers", &Stun::answers, "Successful answers"),
           field("errors", &Stun::errors, "Answers that are errors"),
           field("last_error", &Stun::last_error, "Code of the last error"));

}  // namespace weir

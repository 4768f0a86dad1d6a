// One QUIC connection, from its Initial packets.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Quic {
  Time time;
  FlowRef ref;
  Text version, server_name;
  List<Text> alpn_offered;
  Text cipher, curve, ja3, ja3s, ja4;
  bool retried = false, version_negotiated = false, early_data = false, resumed = false, ech = false;
  Text client_initial_dcid, client_scid, server_scid, user_agent;
};
template <>
inline constexpr auto schema<Quic> = record(
    "quic", "One QUIC connection, from its Initial packets", field("time", &Quic::time, "First packet"),
    field("flow", &Quic::ref, "The flow that carried it"),
    field("version", &Quic::version,
          "QUIC version: v1, v2, draft-29; Q043 and the like for Google's before it"),
    field("server_name", &Quic::server_name, "Name the client asked for (SNI)"),
    field("alpn_offered", &Quic::alpn_offered,
          "Application protocols the client offered (ALPN); the choice is encrypted"),
    field("cipher", &Quic::cipher, "Cipher suite chosen, its IANA name or number"),
    field("curve", &Quic::curve, "Group of the key exchange, its IANA name or number"),
    field("ja3", &Quic::ja3, "JA3 fingerprint of the client"),
    field("ja3s", &Quic::ja3s, "JA3S fingerprint of the server"),
    field("ja4", &Quic::ja4, "JA4 fingerprint of the client"),
    field("retried", &Quic::retried,
          "The server made the client prove its address (Retry), or its hello was refused once"),
    field("version_negotiated", &Quic::version_negotiated,
          "The server refused the first version, or went on in another"),
    field("early_data", &Quic::early_data, "The client sent data before the handshake is done (0-RTT)"),
    field("resumed", &Quic::resumed, "An earlier session was taken up again"),
    field("ech", &Quic::ech,
          "The client sent an encrypted hello, or pretended to; server_name is then the outer one"),
    field("client_initial_dcid", &Quic::client_initial_dcid,
          "Destination connection ID of the client's first packet"),
    field("client_scid", &Quic::client_scid, "Connection ID the client chose for itself"),
    field("server_scid", &Quic::server_scid, "Connection ID the server chose for itself"),
    field("user_agent", &Quic::user_agent,
          "What the client says it is; Google's QUIC and its transport parameter"));

}  // namespace weir

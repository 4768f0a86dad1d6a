// One request to a SOCKS proxy.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Socks {
  Time time;
  FlowRef ref;
  std::uint8_t version = 0;
  Text user, command, host;
  std::optional<Addr> ip;
  std::optional<std::uint16_t> port;
  Text result;
};
template <>
inline constexpr auto schema<Socks> =
    record("socks", "One request to a SOCKS proxy", field("time", &Socks::time, "First bytes of the request"),
           field("flow", &Socks::ref, "The flow between client and proxy"),
           field("version", &Socks::version, "4 or 5"),
           field("user", &Socks::user, "User name; passwords are not kept"),
           field("command", &Socks::command, "connect, bind, udp"),
           field("host", &Socks::host, "Name that the proxy is to connect to"),
           field("ip", &Socks::ip, "Address that the proxy is to connect to"),
           field("port", &Socks::port, "Port that the proxy is to connect to"),
           field("result", &Socks::result, "succeeded, or why not; null without an answer"));

}  // namespace weir

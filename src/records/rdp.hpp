// One Remote Desktop connection, from its negotiation.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Rdp {
  Time time;
  FlowRef ref;
  Text cookie;
  List<Text> requested;
  Text selected, result;
  Text client_name;
  std::optional<std::uint32_t> client_build, keyboard_layout;
  std::optional<std::uint16_t> desktop_width, desktop_height, color_depth;
  List<Text> channels;
  Text product_id;
  std::optional<std::uint32_t> encryption_method, encryption_level;
};
template <>
inline constexpr auto schema<Rdp> = record(
    "rdp", "One Remote Desktop connection, from its negotiation",
    field("time", &Rdp::time, "Connection request"), field("flow", &Rdp::ref, "The flow that carried it"),
    field("cookie", &Rdp::cookie, "User name (mstshash) or routing token of the request"),
    field("requested", &Rdp::requested,
          "Security the client can do: rdp, tls, credssp, rdstls, credssp_ex, aad"),
    field("selected", &Rdp::selected, "Security the server chose; with all but rdp the rest is TLS"),
    field("result", &Rdp::result, "success, or why the server refused; null without an answer"),
    field("client_name", &Rdp::client_name,
          "Computer name of the client; encrypted with all security but rdp, and so are those below"),
    field("client_build", &Rdp::client_build, "Build number of the client"),
    field("keyboard_layout", &Rdp::keyboard_layout,
          "Input locale of the client (1033: English, United States)"),
    field("desktop_width", &Rdp::desktop_width, "Width of the desktop, in pixels"),
    field("desktop_height", &Rdp::desktop_height, "Height of the desktop, in pixels"),
    field("color_depth", &Rdp::color_depth, "Colour depth asked for, in bits"),
    field("channels", &Rdp::channels, "Virtual channels the client wants"),
    field("product_id", &Rdp::product_id, "Product ID of the client"),
    field("encryption_method", &Rdp::encryption_method,
          "RDP's own encryption: 0 none, 1 40 bits, 2 128 bits, 8 56 bits, 16 FIPS"),
    field("encryption_level", &Rdp::encryption_level,
          "RDP's own encryption: 0 none, 1 low, 2 as the client can, 3 high, 4 FIPS"));

}  // namespace weir

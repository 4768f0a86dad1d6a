// One HTTP/1 transaction: a request and its response.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Http {
  Time time;
  FlowRef flow;
  std::uint32_t trans_depth = 0;
  Text method, host;
  std::optional<std::uint16_t> host_port;
  Text uri, version, user_agent, referrer, origin, username;
  List<Text> proxied;
  Text x_forwarded_for;
  std::optional<std::uint16_t> status_code;
  Text status_text;
  std::optional<std::uint16_t> info_code;
  Text info_text, server, location;
  Text request_content_type, response_content_type;
  std::optional<std::uint64_t> request_content_length, response_content_length;
  std::uint64_t request_body_bytes = 0, response_body_bytes = 0;
  Text request_encoding, response_encoding, transfer_encoding, upgrade;
  std::optional<Duration> latency;
};
template <>
inline constexpr auto schema<Http> = record(
    "http", "One HTTP/1 request and its response",
    field("time", &Http::time, "When the request began; the response, if the request was not seen"),
    field("flow", &Http::flow, "The flow that carried it"),
    field("trans_depth", &Http::trans_depth, "Which transaction of the flow, from 1"),
    field("method", &Http::method, "Request method"),
    field("host", &Http::host,
          "Host header without its port; without one, the host named in the request line"),
    field("host_port", &Http::host_port, "Port named with the host; null if none"),
    field("uri", &Http::uri, "Request target as sent"),
    field("version", &Http::version, "Protocol version of the response, or of the request if none came"),
    field("user_agent", &Http::user_agent, "User-Agent header"),
    field("referrer", &Http::referrer, "Referer header"), field("origin", &Http::origin, "Origin header"),
    field("username", &Http::username, "User name of Basic authentication"),
    field("proxied", &Http::proxied, "Request headers that proxies add, as NAME -> value"),
    field("x_forwarded_for", &Http::x_forwarded_for, "X-Forwarded-For header"),
    field("status_code", &Http::status_code, "Status of the response; null if none came"),
    field("status_text", &Http::status_text, "Reason phrase of the response"),
    field("info_code", &Http::info_code, "Last interim status (1xx)"),
    field("info_text", &Http::info_text, "Reason phrase of the last interim status"),
    field("server", &Http::server, "Server header"), field("location", &Http::location, "Location header"),
    field("request_content_type", &Http::request_content_type, "Content-Type of the request"),
    field("response_content_type", &Http::response_content_type, "Content-Type of the response"),
    field("request_content_length", &Http::request_content_length, Unit::bytes,
          "Content-Length of the request"),
    field("response_content_length", &Http::response_content_length, Unit::bytes,
          "Content-Length of the response"),
    field("request_body_bytes", &Http::request_body_bytes, Unit::bytes,
          "Body of the request, as far as seen, without chunk framing"),
    field("response_body_bytes", &Http::response_body_bytes, Unit::bytes,
          "Body of the response, as far as seen, without chunk framing"),
    field("request_encoding", &Http::request_encoding, "Content-Encoding of the request"),
    field("response_encoding", &Http::response_encoding, "Content-Encoding of the response"),
    field("transfer_encoding", &Http::transfer_encoding, "Transfer-Encoding of the response"),
    field("upgrade", &Http::upgrade, "Upgrade header of the request"),
    field("latency", &Http::latency, Unit::seconds, "From the end of the request's header to the response"));

}  // namespace weir

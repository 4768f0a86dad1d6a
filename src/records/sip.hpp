// One SIP request and its answer.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Sip {
  Time time;
  FlowRef flow;
  Addr sender_ip;
  Text method, uri;
  std::optional<std::uint16_t> status;
  Text reason;
  std::optional<Duration> rtt;
  Text from, to, call_id;
  std::optional<std::uint32_t> sequence;
  Text user_agent, server, contact, response_contact, subject;
  List<Text> request_path, response_path;
  Text content_type, response_content_type;
  std::optional<std::uint32_t> request_length, response_length, expires;
  Text media, response_media, warning;
  std::uint16_t retransmissions = 0;
};
template <>
inline constexpr auto schema<Sip> = record(
    "sip", "One SIP request and the last answer to it",
    field("time", &Sip::time, "When the request was seen, or the answer when the request was not"),
    field("flow", &Sip::flow, "The flow that carried it"),
    field("sender_ip", &Sip::sender_ip, "Who sent the request"),
    field("method", &Sip::method, "INVITE, REGISTER, OPTIONS, …"), field("uri", &Sip::uri, "Request URI"),
    field("status", &Sip::status,
          "Status of the final answer, else of the last provisional one; null if none came"),
    field("reason", &Sip::reason, "Reason phrase of that answer"),
    field("rtt", &Sip::rtt, Unit::seconds, "From the request to that answer"),
    field("from", &Sip::from, "From header"), field("to", &Sip::to, "To header of the request"),
    field("call_id", &Sip::call_id, "Call-ID, the same in all requests of a call"),
    field("sequence", &Sip::sequence, "Number in CSeq"),
    field("user_agent", &Sip::user_agent, "User-Agent of the request"),
    field("server", &Sip::server, "Server or User-Agent of the answer"),
    field("contact", &Sip::contact, "Contact of the request"),
    field("response_contact", &Sip::response_contact, "Contact of the answer"),
    field("subject", &Sip::subject, "Subject of the request"),
    field("request_path", &Sip::request_path, "Via headers of the request"),
    field("response_path", &Sip::response_path, "Via headers of the answer"),
    field("content_type", &Sip::content_type, "Content-Type of the request"),
    field("response_content_type", &Sip::response_content_type, "Content-Type of the answer"),
    field("request_length", &Sip::request_length, Unit::bytes, "Content-Length of the request"),
    field("response_length", &Sip::response_length, Unit::bytes, "Content-Length of the answer"),
    field("expires", &Sip::expires, Unit::seconds, "Expires header of the request"),
    field("media", &Sip::media,
          "First media offered in the request's SDP: audio 4000 RTP/AVP 0 8, at the address of its c= line"),
    field("response_media", &Sip::response_media, "First media accepted in the answer's SDP"),
    field("warning", &Sip::warning, "Warning of the answer"),
    field("retransmissions", &Sip::retransmissions, "Times the request was sent again"));

}  // namespace weir

// One mail over SMTP, or one SMTP session that sent none.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Smtp {
  Time time;
  FlowRef flow;
  std::uint32_t trans_depth = 0;
  Text banner, helo, auth, username, mailfrom;
  List<Text> rcptto;
  Text date, from;
  List<Text> to, cc;
  Text reply_to, msg_id, in_reply_to, subject, x_originating_ip, first_received, second_received;
  std::optional<std::uint16_t> last_reply_code;
  Text last_reply;
  List<Addr> path;
  Text user_agent;
  bool tls = false;
  std::uint64_t mail_bytes = 0;
};
template <>
inline constexpr auto schema<Smtp> = record(
    "smtp", "One mail over SMTP, or a session that sent none",
    field("time", &Smtp::time, "When the mail began; the session, if it sent none"),
    field("flow", &Smtp::flow, "The flow that carried it"),
    field("trans_depth", &Smtp::trans_depth, "Which mail of the flow, from 1"),
    field("banner", &Smtp::banner, "Greeting of the server, behind its code"),
    field("helo", &Smtp::helo, "Name the client gave with HELO or EHLO"),
    field("auth", &Smtp::auth, "Mechanism of AUTH"),
    field("username", &Smtp::username, "User name given to AUTH PLAIN or LOGIN"),
    field("mailfrom", &Smtp::mailfrom, "Sender on the envelope; empty for bounces"),
    field("rcptto", &Smtp::rcptto, "Recipients on the envelope"), field("date", &Smtp::date, "Date header"),
    field("from", &Smtp::from, "From header"), field("to", &Smtp::to, "Addresses of the To header"),
    field("cc", &Smtp::cc, "Addresses of the Cc header"),
    field("reply_to", &Smtp::reply_to, "Reply-To header"),
    field("msg_id", &Smtp::msg_id, "Message-ID header"),
    field("in_reply_to", &Smtp::in_reply_to, "In-Reply-To header"),
    field("subject", &Smtp::subject, "Subject header as sent, encoded words and all"),
    field("x_originating_ip", &Smtp::x_originating_ip, "X-Originating-IP header"),
    field("first_received", &Smtp::first_received, "Topmost Received header"),
    field("second_received", &Smtp::second_received, "Received header below it"),
    field("last_reply_code", &Smtp::last_reply_code, "Code of the server's last reply about the mail"),
    field("last_reply", &Smtp::last_reply, "Text of the server's last reply about the mail"),
    field("path", &Smtp::path,
          "Hosts the mail went through, last first: responder, originator, then by Received headers"),
    field("user_agent", &Smtp::user_agent, "User-Agent or X-Mailer header"),
    field("tls", &Smtp::tls, "The connection went on in TLS after this"),
    field("mail_bytes", &Smtp::mail_bytes, Unit::bytes, "Size of the mail with its header, as far as seen"));

}  // namespace weir

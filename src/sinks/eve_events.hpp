// Our records as events of Suricata's EVE: which event type a record becomes, and what each key is made of. A
// dot in a name is a nested object; keys of one object stand together. Keys and types follow Suricata's
// etc/schema.json. flow counts IP bytes, where Suricata counts them with the link layer's.
#pragma once

#include <span>
#include <string_view>

namespace weir::eve {

enum class Convert : unsigned char {
  plain,         // the field `source`
  constant,      // the text `source`
  timestamp,     // microseconds and +0000
  end,           // time + duration
  seconds,       // whole seconds
  date,          // without fraction and zone
  proto,         // TCP, UDP, ICMP, IPv6-ICMP, …
  one,           // a list of one element
  one_text,      // the same, a number as text
  flow_state,    // new, established, closed
  end_reason,    // timeout, forced, shutdown
  tcp_flags,     // letters to hexadecimal
  dns_type,      // response when there is an outcome, else request
  dns_queries,   // objects
  dns_answers,   // objects
  http_version,  // HTTP/1.1
  tls_version,   // TLSv1.2 is TLS 1.2
  colons,        // 0a:1b
  ssh_version,   // 2.0
  dhcp_side,     // request or reply
  ftp_mode,      // passive or active
  oddity_layer,  // applayer for what a parser found, else decode
};

struct Key {
  std::string_view name, source;
  Convert convert = Convert::plain;
};
struct Event {
  std::string_view record, type;
  std::span<const Key> keys;
};

// Of every event, before its own.
inline constexpr Key shared[] = {
    {"timestamp", "time", Convert::timestamp},
    {"flow_id", "flow_id"},
    {"src_ip", "src_ip"},
    {"src_port", "src_port"},
    {"dest_ip", "dst_ip"},
    {"dest_port", "dst_port"},
    {"proto", "proto", Convert::proto},
    {"pkt_src", "wire/pcap", Convert::constant},
};

inline constexpr Key flow[] = {
    {"vlan", "vlan", Convert::one},
    {"app_proto", "application"},
    {"community_id", "community_id"},
    {"flow.pkts_toserver", "src_packets"},
    {"flow.pkts_toclient", "dst_packets"},
    {"flow.bytes_toserver", "src_bytes"},
    {"flow.bytes_toclient", "dst_bytes"},
    {"flow.start", "time", Convert::timestamp},
    {"flow.end", "duration", Convert::end},
    {"flow.age", "duration", Convert::seconds},
    {"flow.state", "state", Convert::flow_state},
    {"flow.reason", "end_reason", Convert::end_reason},
    {"tcp.tcp_flags_ts", "src_tcp_flags", Convert::tcp_flags},
    {"tcp.tcp_flags_tc", "dst_tcp_flags", Convert::tcp_flags},
};

inline constexpr Key dns[] = {
    {"dns.version", "3", Convert::constant},
    {"dns.type", "rcode", Convert::dns_type},
    {"dns.id", "id"},
    {"dns.aa", "authoritative"},
    {"dns.tc", "truncated"},
    {"dns.rd", "recursion_desired"},
    {"dns.ra", "recursion_available"},
    {"dns.opcode", "opcode"},
    {"dns.rcode", "rcode_name"},
    {"dns.queries", "query", Convert::dns_queries},
    {"dns.answers", "answers", Convert::dns_answers},
};

inline constexpr Key http[] = {
    {"http.hostname", "host"},
    {"http.http_port", "host_port"},
    {"http.url", "uri"},
    {"http.http_user_agent", "user_agent"},
    {"http.xff", "x_forwarded_for"},
    {"http.http_content_type", "response_content_type"},
    {"http.http_refer", "referrer"},
    {"http.http_method", "method"},
    {"http.protocol", "version", Convert::http_version},
    {"http.status", "status_code"},
    {"http.redirect", "location"},
    {"http.length", "response_body_bytes"},
};

inline constexpr Key tls[] = {
    {"tls.subject", "subject"},
    {"tls.issuerdn", "issuer"},
    {"tls.subjectaltname", "san_dns"},
    {"tls.serial", "serial", Convert::colons},
    {"tls.sni", "server_name"},
    {"tls.version", "version", Convert::tls_version},
    {"tls.notbefore", "not_before", Convert::date},
    {"tls.notafter", "not_after", Convert::date},
    {"tls.session_resumed", "resumed"},
    {"tls.client_alpns", "alpn_offered"},
    {"tls.server_alpns", "next_protocol", Convert::one},
    {"tls.ja3.hash", "ja3"},
    {"tls.ja3s.hash", "ja3s"},
    {"tls.ja4", "ja4"},
};

inline constexpr Key quic[] = {
    {"quic.version", "version"}, {"quic.sni", "server_name"}, {"quic.ua", "user_agent"},
    {"quic.ja3.hash", "ja3"},    {"quic.ja3s.hash", "ja3s"},  {"quic.ja4", "ja4"},
};

inline constexpr Key ssh[] = {
    {"ssh.client.proto_version", "version", Convert::ssh_version},
    {"ssh.client.software_version", "client_software"},
    {"ssh.client.hassh.hash", "hassh"},
    {"ssh.server.proto_version", "version", Convert::ssh_version},
    {"ssh.server.software_version", "server_software"},
    {"ssh.server.hassh.hash", "hassh_server"},
};

inline constexpr Key dhcp[] = {
    {"dhcp.type", "message", Convert::dhcp_side},
    {"dhcp.id", "xid"},
    {"dhcp.client_mac", "client_mac"},
    {"dhcp.assigned_ip", "assigned_ip"},
    {"dhcp.client_ip", "client_ip"},
    {"dhcp.relay_ip", "relay_ip"},
    {"dhcp.next_server_ip", "next_server"},
    {"dhcp.dhcp_type", "message"},
    {"dhcp.client_id", "client_id"},
    {"dhcp.hostname", "host_name"},
    {"dhcp.vendor_class_identifier", "vendor_class"},
    {"dhcp.requested_ip", "requested_ip"},
    {"dhcp.lease_time", "lease_time", Convert::seconds},
    {"dhcp.subnet_mask", "subnet_mask"},
    {"dhcp.routers", "routers"},
    {"dhcp.dns_servers", "dns_servers"},
};

inline constexpr Key smtp[] = {
    {"smtp.helo", "helo"},
    {"smtp.mail_from", "mailfrom"},
    {"smtp.rcpt_to", "rcptto"},
    {"email.from", "from"},
    {"email.to", "to"},
    {"email.cc", "cc"},
    {"email.subject", "subject"},
    {"email.date", "date"},
    {"email.message_id", "msg_id"},
    {"email.x_mailer", "user_agent"},
};

inline constexpr Key ftp[] = {
    {"ftp.command", "command"},
    {"ftp.command_data", "arg"},
    {"ftp.completion_code", "reply_code", Convert::one_text},
    {"ftp.reply", "reply_text", Convert::one},
    {"ftp.mode", "data_passive", Convert::ftp_mode},
    {"ftp.dynamic_port", "data_dst_port"},
};

inline constexpr Key anomaly[] = {
    {"anomaly.type", "source", Convert::oddity_layer},
    {"anomaly.event", "name"},
    {"anomaly.app_proto", "source"},
};

inline constexpr Event events[] = {
    {"flow", "flow", flow}, {"dns", "dns", dns},
    {"http", "http", http}, {"tls", "tls", tls},
    {"quic", "quic", quic}, {"ssh", "ssh", ssh},
    {"dhcp", "dhcp", dhcp}, {"smtp", "smtp", smtp},
    {"ftp", "ftp", ftp},    {"oddity", "anomaly", anomaly},
};

}  // namespace weir::eve

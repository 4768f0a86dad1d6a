// Our records under Zeek's names: which log a record goes to, and what each of the log's columns is made of.
// Names, types and order are Zeek 8's (scripts/base/protocols/*/main.zeek).
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace weir::zeek {

// What a column makes of its fields: `source`, and the others in the order of `others`.
enum class Convert : unsigned char {
  plain,     // the field `source`
  constant,  // the text `source`
  uid,       // a flow's number as Zeek names connections: C and base 62
  proto,     // icmpv6 is icmp, what has no name of Zeek's is unknown_transport
  proto_number,
  service,       // tls is ssl
  is_local,      // whether an address is private
  sum,           // with the other, if that is set
  when_several,  // unset in flows of one packet
  unless_empty,  // unset when the text is empty
  empty_word,    // <empty> when the text is empty
  without_dots,  // TLSv1.2 is TLSv12
  upper_case,
  or_other,       // the other when unset
  chain,          // empty, not unset, when the other list is set
  dns_name,       // without escapes; others: variant
  dns_class,      // by number
  dns_type,       // ANY is *, TYPE66 is query-66
  dns_rcode,      // by number; others: its name
  dns_opcode,     // by number; others: variant
  dns_answers,    // others: types, query
  host,           // others: port
  unescaped_uri,  // without %XX
  media_type,     // without parameters
  ftp_argument,   // a file as URL; others: command, directory, server, user, password
  ftp_password,   // others: command, user
  from_client,    // of dhcp, unset when a server sent it; others: message
  from_server,
  first_address,  // in a text
  ntp_mode,       // by number
  ntp_time,       // 0 when unset; others: stratum
  ntp_reference,  // zeros when unset; others: stratum
  quic_version,
  key_algorithm,     // of a certificate: rsa is rsaEncryption
  curve,             // OpenSSL's names
  host_certificate,  // others: whether the client sent it
  client_certificate,
  reply,  // reply code and text in one
};

struct Column {
  std::string_view name, type, source{};
  Convert convert = Convert::plain;
  std::array<std::string_view, 5> others{};
};
struct Log {
  std::string_view record, path;  // flow goes to conn.log
  std::span<const Column> columns;
};

#define WEIR_ZEEK_FLOW                                                                                 \
  {"ts", "time", "time"}, {"uid", "string", "flow_id", Convert::uid}, {"id.orig_h", "addr", "src_ip"}, \
      {"id.orig_p", "port", "src_port"}, {"id.resp_h", "addr", "dst_ip"}, {"id.resp_p", "port", "dst_port"}

inline constexpr Column conn[] = {
    WEIR_ZEEK_FLOW,
    {"proto", "enum", "proto", Convert::proto},
    {"service", "string", "application", Convert::service},
    {"duration", "interval", "duration", Convert::when_several, {"packets"}},
    {"orig_bytes", "count", "src_payload", Convert::when_several, {"packets"}},
    {"resp_bytes", "count", "dst_payload", Convert::when_several, {"packets"}},
    {"conn_state", "string", "state"},
    {"local_orig", "bool", "src_ip", Convert::is_local},
    {"local_resp", "bool", "dst_ip", Convert::is_local},
    {"missed_bytes", "count", "src_missed", Convert::sum, {"dst_missed"}},
    {"history", "string", "history", Convert::unless_empty},
    {"orig_pkts", "count", "src_packets"},
    {"orig_ip_bytes", "count", "src_bytes"},
    {"resp_pkts", "count", "dst_packets"},
    {"resp_ip_bytes", "count", "dst_bytes"},
    {"tunnel_parents", "set[string]", "tunnel_flow_id", Convert::uid},
    {"ip_proto", "count", "proto", Convert::proto_number},
};

inline constexpr Column dns[] = {
    WEIR_ZEEK_FLOW,
    {"proto", "enum", "proto", Convert::proto},
    {"trans_id", "count", "id"},
    {"rtt", "interval", "rtt"},
    {"query", "string", "query", Convert::dns_name, {"variant"}},
    {"qclass", "count", "qclass"},
    {"qclass_name", "string", "qclass", Convert::dns_class},
    {"qtype", "count", "qtype"},
    {"qtype_name", "string", "qtype_name", Convert::dns_type},
    {"rcode", "count", "rcode"},
    {"rcode_name", "string", "rcode", Convert::dns_rcode, {"rcode_name"}},
    {"AA", "bool", "authoritative"},
    {"TC", "bool", "truncated"},
    {"RD", "bool", "recursion_desired"},
    {"RA", "bool", "recursion_available"},
    {"Z", "count", "z"},
    {"answers", "vector[string]", "answers", Convert::dns_answers, {"answer_types", "query"}},
    {"TTLs", "vector[interval]", "ttls"},
    {"rejected", "bool", "rejected"},
    {"opcode", "count", "opcode"},
    {"opcode_name", "string", "opcode", Convert::dns_opcode, {"variant"}},
};

inline constexpr Column http[] = {
    WEIR_ZEEK_FLOW,
    {"trans_depth", "count", "trans_depth"},
    {"method", "string", "method"},
    {"host", "string", "host", Convert::host, {"host_port"}},
    {"uri", "string", "uri", Convert::unescaped_uri},
    {"referrer", "string", "referrer"},
    {"version", "string", "version"},
    {"user_agent", "string", "user_agent"},
    {"origin", "string", "origin"},
    {"request_body_len", "count", "request_body_bytes"},
    {"response_body_len", "count", "response_body_bytes"},
    {"status_code", "count", "status_code"},
    {"status_msg", "string", "status_text", Convert::empty_word},
    {"info_code", "count", "info_code"},
    {"info_msg", "string", "info_text", Convert::empty_word},
    {"tags", "set[enum]", "", Convert::constant},
    {"username", "string", "username"},
    {"password", "string"},
    {"proxied", "set[string]", "proxied"},
    {"orig_fuids", "vector[string]"},
    {"orig_filenames", "vector[string]"},
    {"orig_mime_types", "vector[string]", "request_content_type", Convert::media_type},
    {"resp_fuids", "vector[string]"},
    {"resp_filenames", "vector[string]"},
    {"resp_mime_types", "vector[string]", "response_content_type", Convert::media_type},
};

inline constexpr Column ssl[] = {
    WEIR_ZEEK_FLOW,
    {"version", "string", "version", Convert::without_dots},
    {"cipher", "string", "cipher"},
    {"curve", "string", "curve"},
    {"server_name", "string", "server_name"},
    {"resumed", "bool", "resumed"},
    {"last_alert", "string", "last_alert"},
    {"next_protocol", "string", "next_protocol"},
    {"established", "bool", "established"},
    {"ssl_history", "string", "history"},
    {"cert_chain_fps", "vector[string]", "certificate_chain", Convert::chain, {"client_certificate_chain"}},
    {"client_cert_chain_fps",
     "vector[string]",
     "client_certificate_chain",
     Convert::chain,
     {"certificate_chain"}},
    {"sni_matches_cert", "bool"},
};

inline constexpr Column x509[] = {
    {"ts", "time", "time"},
    {"fingerprint", "string", "sha256"},
    {"certificate.version", "count", "version"},
    {"certificate.serial", "string", "serial"},
    {"certificate.subject", "string", "subject"},
    {"certificate.issuer", "string", "issuer"},
    {"certificate.not_valid_before", "time", "not_before"},
    {"certificate.not_valid_after", "time", "not_after"},
    {"certificate.key_alg", "string", "key_type", Convert::key_algorithm},
    {"certificate.sig_alg", "string", "signature_algorithm"},
    {"certificate.key_type", "string", "key_type"},
    {"certificate.key_length", "count", "key_bits"},
    {"certificate.exponent", "string"},
    {"certificate.curve", "string", "curve", Convert::curve},
    {"san.dns", "vector[string]", "san_dns"},
    {"san.uri", "vector[string]", "san_uri"},
    {"san.email", "vector[string]", "san_email"},
    {"san.ip", "vector[addr]", "san_ip"},
    {"basic_constraints.ca", "bool", "is_ca"},
    {"basic_constraints.path_len", "count", "path_length"},
    {"host_cert", "bool", "position", Convert::host_certificate, {"from_client"}},
    {"client_cert", "bool", "position", Convert::client_certificate, {"from_client"}},
};

inline constexpr Column ssh[] = {
    WEIR_ZEEK_FLOW,
    {"version", "count", "version"},
    {"auth_success", "bool", "authenticated"},
    {"auth_attempts", "count", "failed_attempts", Convert::sum, {"authenticated"}},
    {"direction", "enum", "direction", Convert::upper_case},
    {"client", "string", "client"},
    {"server", "string", "server"},
    {"cipher_alg", "string", "cipher"},
    {"mac_alg", "string", "mac"},
    {"compression_alg", "string", "compression"},
    {"kex_alg", "string", "kex"},
    {"host_key_alg", "string", "host_key_algorithm"},
    {"host_key_fingerprint", "string", "host_key_fingerprint"},
};

inline constexpr Column ftp[] = {
    WEIR_ZEEK_FLOW,
    {"user", "string", "user"},
    {"password", "string", "password", Convert::ftp_password, {"command", "user"}},
    {"command", "string", "command"},
    {"arg", "string", "arg", Convert::ftp_argument, {"command", "directory", "dst_ip", "user", "password"}},
    {"mime_type", "string"},
    {"file_size", "count", "file_size"},
    {"reply_code", "count", "reply_code"},
    {"reply_msg", "string", "reply_text"},
    {"data_channel.passive", "bool", "data_passive"},
    {"data_channel.orig_h", "addr", "data_src_ip"},
    {"data_channel.resp_h", "addr", "data_dst_ip"},
    {"data_channel.resp_p", "port", "data_dst_port"},
    {"fuid", "string"},
};

inline constexpr Column smtp[] = {
    WEIR_ZEEK_FLOW,
    {"trans_depth", "count", "trans_depth"},
    {"helo", "string", "helo"},
    {"mailfrom", "string", "mailfrom"},
    {"rcptto", "set[string]", "rcptto"},
    {"date", "string", "date"},
    {"from", "string", "from"},
    {"to", "set[string]", "to"},
    {"cc", "set[string]", "cc"},
    {"reply_to", "string", "reply_to"},
    {"msg_id", "string", "msg_id"},
    {"in_reply_to", "string", "in_reply_to"},
    {"subject", "string", "subject"},
    {"x_originating_ip", "addr", "x_originating_ip", Convert::first_address},
    {"first_received", "string", "first_received"},
    {"second_received", "string", "second_received"},
    {"last_reply", "string", "last_reply_code", Convert::reply, {"last_reply"}},
    {"path", "vector[addr]", "path"},
    {"user_agent", "string", "user_agent"},
    {"tls", "bool", "tls"},
    {"fuids", "vector[string]", "", Convert::constant},
};

// Zeek writes a line per exchange; here it is one per message.
inline constexpr Column dhcp[] = {
    {"ts", "time", "time"},
    {"uids", "set[string]", "flow_id", Convert::uid},
    {"client_addr", "addr", "client_ip", Convert::or_other, {"assigned_ip"}},
    {"server_addr", "addr", "server_ip"},
    {"mac", "string", "client_mac"},
    {"host_name", "string", "host_name"},
    {"client_fqdn", "string", "client_fqdn"},
    {"domain", "string", "domain"},
    {"requested_addr", "addr", "requested_ip"},
    {"assigned_addr", "addr", "assigned_ip"},
    {"lease_time", "interval", "lease_time"},
    {"client_message", "string", "error_message", Convert::from_client, {"message"}},
    {"server_message", "string", "error_message", Convert::from_server, {"message"}},
    {"msg_types", "vector[string]", "message", Convert::upper_case},
    {"duration", "interval", "0.000000", Convert::constant},
};

inline constexpr Column ntp[] = {
    WEIR_ZEEK_FLOW,
    {"version", "count", "version"},
    {"mode", "count", "mode", Convert::ntp_mode},
    {"stratum", "count", "stratum"},
    {"poll", "interval", "poll"},
    {"precision", "interval", "precision"},
    {"root_delay", "interval", "root_delay"},
    {"root_disp", "interval", "root_dispersion"},
    {"ref_id", "string", "reference_id", Convert::ntp_reference, {"stratum"}},
    {"ref_time", "time", "reference_time", Convert::ntp_time, {"stratum"}},
    {"org_time", "time", "origin_time", Convert::ntp_time, {"stratum"}},
    {"rec_time", "time", "receive_time", Convert::ntp_time, {"stratum"}},
    {"xmt_time", "time", "transmit_time", Convert::ntp_time, {"stratum"}},
    {"num_exts", "count", "extensions"},
};

inline constexpr Column quic[] = {
    WEIR_ZEEK_FLOW,
    {"version", "string", "version", Convert::quic_version},
    {"client_initial_dcid", "string", "client_initial_dcid"},
    {"client_scid", "string", "client_scid"},
    {"server_scid", "string", "server_scid"},
    {"server_name", "string", "server_name"},
    {"client_protocol", "string", "alpn_offered"},
    {"history", "string"},
};

inline constexpr Column weird[] = {
    WEIR_ZEEK_FLOW,
    {"name", "string", "name"},
    {"addl", "string", "detail"},
    {"notice", "bool", "F", Convert::constant},
    {"peer", "string", "weir", Convert::constant},
    {"source", "string", "source", Convert::upper_case},
};

#undef WEIR_ZEEK_FLOW

inline constexpr Log logs[] = {
    {"flow", "conn", conn}, {"dns", "dns", dns},    {"http", "http", http},     {"tls", "ssl", ssl},
    {"ssh", "ssh", ssh},    {"ftp", "ftp", ftp},    {"smtp", "smtp", smtp},     {"dhcp", "dhcp", dhcp},
    {"ntp", "ntp", ntp},    {"quic", "quic", quic}, {"oddity", "weird", weird}, {"certificate", "x509", x509},
};

}  // namespace weir::zeek

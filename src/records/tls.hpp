// One TLS or DTLS connection, from its handshake.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Tls {
  Time time;
  FlowRef ref;
  Text version, record_version, server_name, cipher, curve, next_protocol;
  List<Text> alpn_offered;
  Text ja3, ja3s, ja4, retry_ja4;
  bool resumed = false, established = false, retried = false, early_data = false, ech = false;
  Text last_alert, history;
  Text subject, issuer, serial;
  std::optional<Time> not_before, not_after;
  Text key_type;
  std::optional<std::uint32_t> key_bits;
  Text signature_algorithm;
  List<Text> san_dns;
  List<Addr> san_ip;
  std::optional<bool> self_signed;
  Text client_subject, client_issuer;
  List<Text> certificate_chain, client_certificate_chain;
};
template <>
inline constexpr auto schema<Tls> = record(
    "tls", "One TLS or DTLS connection, from its handshake",
    field("time", &Tls::time, "First message of the handshake"),
    field("flow", &Tls::ref, "The flow that carried it"),
    field("version", &Tls::version,
          "Version agreed upon; without an answer, the newest one the client offered"),
    field("record_version", &Tls::record_version, "Version written on the client's first record"),
    field("server_name", &Tls::server_name, "Name the client asked for (SNI)"),
    field("cipher", &Tls::cipher, "Cipher suite chosen, its IANA name or number"),
    field("curve", &Tls::curve, "Group of the key exchange, its IANA name or number"),
    field("next_protocol", &Tls::next_protocol, "Application protocol chosen (ALPN); encrypted in TLS 1.3"),
    field("alpn_offered", &Tls::alpn_offered, "Application protocols the client offered (ALPN)"),
    field("ja3", &Tls::ja3, "JA3 fingerprint of the client"),
    field("ja3s", &Tls::ja3s, "JA3S fingerprint of the server"),
    field("ja4", &Tls::ja4, "JA4 fingerprint of the client"),
    field("retry_ja4", &Tls::retry_ja4,
          "JA4 fingerprint of the client's second hello, when the server asked for one"),
    field("resumed", &Tls::resumed, "An earlier session was taken up again"),
    field("established", &Tls::established, "Both sides finished the handshake"),
    field("retried", &Tls::retried,
          "The server asked for a second hello (HelloRetryRequest, HelloVerifyRequest)"),
    field("early_data", &Tls::early_data, "The client offered data before the handshake is done (0-RTT)"),
    field("ech", &Tls::ech,
          "The client sent an encrypted hello, or pretended to; server_name is then the outer one"),
    field("last_alert", &Tls::last_alert, "Last alert that was not encrypted"),
    field("history", &Tls::history, "Messages in order, in Zeek's letters: client upper case, server lower"),
    field("subject", &Tls::subject, "Server certificate: whom it names, as RFC 4514 writes it"),
    field("issuer", &Tls::issuer, "Server certificate: who signed it"),
    field("serial", &Tls::serial, "Server certificate: serial number, hexadecimal"),
    field("not_before", &Tls::not_before, "Server certificate: start of validity"),
    field("not_after", &Tls::not_after, "Server certificate: end of validity; null beyond the year 2261"),
    field("key_type", &Tls::key_type, "Server certificate: rsa, ecdsa, ed25519, …"),
    field("key_bits", &Tls::key_bits, "Server certificate: size of the key in bits"),
    field("signature_algorithm", &Tls::signature_algorithm, "Server certificate: how it is signed"),
    field("san_dns", &Tls::san_dns, "Server certificate: alternative names"),
    field("san_ip", &Tls::san_ip, "Server certificate: alternative addresses"),
    field("self_signed", &Tls::self_signed, "Server certificate: issuer and subject are the same"),
    field("client_subject", &Tls::client_subject, "Client certificate: whom it names"),
    field("client_issuer", &Tls::client_issuer, "Client certificate: who signed it"),
    field("certificate_chain", &Tls::certificate_chain,
          "SHA-256 of the server's certificates, its own first"),
    field("client_certificate_chain", &Tls::client_certificate_chain,
          "SHA-256 of the client's certificates"));

}  // namespace weir

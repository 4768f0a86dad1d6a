// One X.509 certificate seen in a handshake.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Certificate {
  Time time;
  FlowRef ref;
  bool from_client = false;
  std::uint8_t position = 0;
  std::uint8_t version = 0;
  Text subject, issuer, serial;
  std::optional<Time> not_before, not_after;
  Text key_type;
  std::uint32_t key_bits = 0;
  Text curve, signature_algorithm;
  List<Text> san_dns;
  List<Addr> san_ip;
  List<Text> san_email, san_uri;
  bool is_ca = false;
  std::optional<std::uint32_t> path_length;
  bool self_signed = false;
  Text sha256, sha1;
  std::uint32_t size = 0;
};
template <>
inline constexpr auto schema<Certificate> = record(
    "certificate",
    "One X.509 certificate sent in a handshake (TLS and DTLS up to 1.2, where it is not encrypted)",
    field("time", &Certificate::time, "When it was complete"),
    field("flow", &Certificate::ref, "The flow that carried it"),
    field("from_client", &Certificate::from_client, "Sent by the client, to prove who it is"),
    field("position", &Certificate::position, "Place in the chain; 0 is the sender's own certificate"),
    field("version", &Certificate::version, "X.509 version"),
    field("subject", &Certificate::subject, "Whom it names, as RFC 4514 writes it"),
    field("issuer", &Certificate::issuer, "Who signed it, as RFC 4514 writes it"),
    field("serial", &Certificate::serial, "Serial number, hexadecimal"),
    field("not_before", &Certificate::not_before, "Start of validity"),
    field("not_after", &Certificate::not_after, "End of validity; null beyond the year 2261"),
    field("key_type", &Certificate::key_type, "Public key: rsa, ecdsa, ed25519, …"),
    field("key_bits", &Certificate::key_bits, "Size of the public key in bits; 0 if it could not be read"),
    field("curve", &Certificate::curve, "Elliptic curve of the key"),
    field("signature_algorithm", &Certificate::signature_algorithm, "How it is signed"),
    field("san_dns", &Certificate::san_dns, "Subject alternative names: DNS"),
    field("san_ip", &Certificate::san_ip, "Subject alternative names: IP addresses"),
    field("san_email", &Certificate::san_email, "Subject alternative names: e-mail"),
    field("san_uri", &Certificate::san_uri, "Subject alternative names: URIs"),
    field("is_ca", &Certificate::is_ca, "It may sign other certificates"),
    field("path_length", &Certificate::path_length, "How many authorities may follow below it"),
    field("self_signed", &Certificate::self_signed,
          "Issuer and subject are the same; the signature is not checked"),
    field("sha256", &Certificate::sha256, "SHA-256 of the certificate"),
    field("sha1", &Certificate::sha1, "SHA-1 of the certificate"),
    field("size", &Certificate::size, Unit::bytes, "Size of its DER form"));

}  // namespace weir

// What listens on an open port, and how sure that is.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Service {
  Time time;
  Addr ip;
  Text host;
  IpProto proto = IpProto::tcp;
  std::uint16_t port = 0;
  Text service, product, version, info, os, hostname, device;
  List<Text> cpe;
  std::uint8_t confidence = 0;
  Text evidence;
  bool tls = false, starttls = false;
  Text tls_version, tls_cipher;
  Text cert_subject, cert_issuer;
  List<Text> cert_names;
  std::optional<Time> cert_not_before, cert_not_after;
  std::optional<std::int64_t> cert_days_left;
  std::optional<bool> cert_self_signed;
  Text cert_sha256;
  Text banner;
};
template <>
inline constexpr auto schema<Service> = record(
    "service", "What listens on an open port, and how sure that is",
    field("time", &Service::time, "When it was known"), field("ip", &Service::ip, "Address that was asked"),
    field("host", &Service::host, "Name that the address was given as; null when it was given as an address"),
    field("proto", &Service::proto, "Transport protocol"), field("port", &Service::port, "Port"),
    field("service", &Service::service,
          "Protocol it speaks: ssh, http, …; null when neither an answer nor the port tells"),
    field("product", &Service::product, "Program that serves it"),
    field("version", &Service::version, "Version of the program"),
    field("info", &Service::info, "What else the answer says"),
    field("os", &Service::os, "Operating system, as the service says"),
    field("hostname", &Service::hostname, "Name that the host gives itself"),
    field("device", &Service::device, "Kind of device"),
    field("cpe", &Service::cpe, "Common Platform Enumeration names (CPE 2.2 URIs)"),
    field("confidence", &Service::confidence, Unit::percent,
          "How sure the service and the product are: 95 and more when the answer names both and the version, "
          "60 "
          "to 90 when it names less, 20 when only the port number tells"),
    field("evidence", &Service::evidence,
          "Conversation that told: banner when the server spoke unasked, http, …; null when only the port "
          "tells"),
    field("tls", &Service::tls, "It is spoken within TLS"),
    field("starttls", &Service::starttls, "It changes to TLS when asked"),
    field("tls_version", &Service::tls_version, "TLS version agreed upon"),
    field("tls_cipher", &Service::tls_cipher, "Cipher suite agreed upon, by its IANA name"),
    field("cert_subject", &Service::cert_subject,
          "Whom the certificate names, as RFC 4514 writes it. No certificate is verified"),
    field("cert_issuer", &Service::cert_issuer, "Who signed the certificate; the signature is not checked"),
    field("cert_names", &Service::cert_names, "Subject alternative names: DNS and IP addresses"),
    field("cert_not_before", &Service::cert_not_before, "Start of the certificate's validity"),
    field("cert_not_after", &Service::cert_not_after, "End of the certificate's validity"),
    field("cert_days_left", &Service::cert_days_left, "Whole days until then; negative when it has expired"),
    field("cert_self_signed", &Service::cert_self_signed,
          "Issuer and subject of the certificate are the same"),
    field("cert_sha256", &Service::cert_sha256, "SHA-256 of the certificate"),
    field("banner", &Service::banner, "Start of what the server said, up to 512 bytes"));

}  // namespace weir

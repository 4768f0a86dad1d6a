#include "engine/service_facts.hpp"

namespace weir {
namespace {

Text text_or_null(Emitter& out, const std::string& text) {
  return text.empty() ? Text() : out.text(text);
}

void set_certificate(Emitter& out, const tls::CertificateFacts& facts, Service& record) {
  record.cert_subject = text_or_null(out, facts.subject);
  record.cert_issuer = text_or_null(out, facts.issuer);
  record.cert_not_before = facts.not_before;
  record.cert_not_after = facts.not_after;
  record.cert_self_signed = facts.self_signed;
  record.cert_sha256 = text_or_null(out, facts.sha256);
  if (facts.not_after) {
    constexpr std::int64_t day = 86'400'000'000'000;
    const std::int64_t left = (*facts.not_after - record.time).ns;
    record.cert_days_left = left / day - (left % day < 0 ? 1 : 0);
  }
  std::vector<Text> names;
  for (const std::string& name : facts.dns) names.push_back(out.text(name));
  for (const Addr& ip : facts.ip) names.push_back(out.text(to_string(ip)));
  if (!names.empty()) record.cert_names = out.list(std::span<const Text>(names));
}

}  // namespace

void merge(Identity& known, const Identity& other) {
  if (other.confidence > known.confidence) {
    Identity lesser = std::move(known);
    known = other;
    return merge(known, lesser);
  }
  if (other.service != known.service) return;
  if (known.os.empty()) known.os = other.os;
  if (known.hostname.empty()) known.hostname = other.hostname;
  if (known.device.empty()) known.device = other.device;
}

void emit_service(Emitter& out, const ServiceFacts& facts) {
  const Identity& identity = facts.identity;
  Service record{.time = facts.time,
                 .ip = facts.target.ip,
                 .host = text_or_null(out, facts.target.host),
                 .proto = facts.target.proto,
                 .port = facts.target.port,
                 .service = text_or_null(out, identity.service),
                 .product = text_or_null(out, identity.product),
                 .version = text_or_null(out, identity.version),
                 .info = text_or_null(out, identity.info),
                 .os = text_or_null(out, identity.os),
                 .hostname = text_or_null(out, identity.hostname),
                 .device = text_or_null(out, identity.device),
                 .confidence = identity.confidence,
                 .evidence = text_or_null(out, facts.evidence),
                 .tls = facts.tls,
                 .starttls = facts.starttls,
                 .tls_version = text_or_null(out, facts.tls_version),
                 .tls_cipher = text_or_null(out, facts.tls_cipher),
                 .banner = text_or_null(out, facts.banner)};
  std::vector<Text> cpe;
  for (const std::string& name : identity.cpe) cpe.push_back(out.text(name));
  if (!cpe.empty()) record.cpe = out.list(std::span<const Text>(cpe));
  if (facts.certificate) set_certificate(out, *facts.certificate, record);
  out.emit(record);
}

}  // namespace weir

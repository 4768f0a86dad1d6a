// What the detection of services is asked and finds out, and the record made of it.
#pragma once

#include <memory>

#include "plugin/emitter.hpp"
#include "probe/fingerprints.hpp"
#include "records/service.hpp"
#include "tls/certificate.hpp"

namespace weir {

struct ServiceTarget {
  Addr ip;
  std::uint16_t port = 0;
  IpProto proto = IpProto::tcp;
  std::string host;  // the name it was given as; empty: an address
  // A UDP port that has not answered the scan: only what its number suggests is asked, and it is reported
  // only if it answers.
  bool silent = false;
};

struct ServiceFacts {
  ServiceTarget target;
  Time time;
  Identity identity;
  std::string evidence;  // name of the conversation; empty: the port number alone
  bool tls = false, starttls = false;
  std::string tls_version, tls_cipher;
  std::shared_ptr<const tls::CertificateFacts> certificate;  // nullptr: none was sent
  std::string banner;
};

// Takes what the better of the two says, and from the other what that leaves open.
void merge(Identity& known, const Identity& other);

void emit_service(Emitter& out, const ServiceFacts& facts);

}  // namespace weir

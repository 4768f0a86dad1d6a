// What an X.509 certificate says (RFC 5280), read with OpenSSL. Nothing is verified.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "core/time.hpp"

namespace weir::tls {

// Owns its texts. Distinguished names are in the form of RFC 4514, most specific part first, in UTF-8.
struct CertificateFacts {
  std::string subject, issuer;
  std::string serial;  // upper-case hexadecimal
  std::string key_type, curve, signature_algorithm, sha1, sha256;
  std::vector<std::string> dns, email, uri;
  std::vector<Addr> ip;
  std::optional<Time> not_before, not_after;
  std::optional<std::uint32_t> path_length;
  std::uint32_t key_bits = 0;
  std::uint8_t version = 0;  // 3 for X.509v3
  bool is_ca = false;
  bool self_signed = false;  // issuer equals subject; the signature is not checked
  bool names_cut = false;    // more than alternative_names_max alternative names
};

inline constexpr std::size_t certificate_size_max = 64 * 1024;  // larger ones are not read
inline constexpr std::size_t alternative_names_max = 200;       // the rest is left out, names_cut is set

inline constexpr std::size_t certificates_kept = 1024;  // per thread; when full, all are forgotten

// nullptr when the bytes are not one certificate. Any thread. Shared by the sessions in progress and by a
// memory of certificates that each thread keeps, since OpenSSL 3 takes 0.2 ms for one and most come again and
// again; what is returned does not depend on it.
std::shared_ptr<const CertificateFacts> read_certificate(Bytes der);

}  // namespace weir::tls

// The TLS certificates that a device shows, as facts about it: one line each, of which the first word says
// where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace weir {

// Views of whoever made it, or of a line.
struct ShownCertificate {
  std::string_view place;  // "443/tcp", and the name that was asked for: "443/tcp www.example.org"
  std::string_view subject, issuer;
  std::optional<Time> not_after;
  std::string_view sha256;
};

// "443/tcp: CN=printer-7, by CN=Lab CA, until 2027-01-31, SHA256:0a1b…".
std::string certificate_line(const ShownCertificate& certificate);
// Its place, what the certificate is without its digest, its digest, and its end. Of a line that
// certificate_line() made.
std::string_view place_of_certificate(std::string_view line) noexcept;
std::string_view certificate_of(std::string_view line) noexcept;
std::string_view digest_of_certificate(std::string_view line) noexcept;
std::optional<Time> end_of_certificate(std::string_view line);
// By days, in UTC, as lines tell of days alone: it is over when its last day is.
enum class CertificateEnd : std::uint8_t { far, within_30_days, within_7_days, over };
CertificateEnd certificate_end(const std::optional<Time>& not_after, Time now) noexcept;
// "expires in 12 days", "expired 3 days ago"; empty when it is far.
std::string expiry_soon(const std::optional<Time>& not_after, Time now);

}  // namespace weir

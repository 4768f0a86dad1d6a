#include "devices/certificate_facts.hpp"

#include <array>

namespace weir {
namespace {

constexpr std::string_view behind_place = ": ", before_end = ", until ", before_print = ", SHA256:";
constexpr std::int64_t day = 86'400'000'000'000;
constexpr std::size_t date_size = 10;  // 2026-01-31

std::string date_of(Time time) {
  std::array<char, 40> text{};
  char* const end = write_rfc3339(text.data(), time);
  return std::string(text.data(), end).substr(0, date_size);
}

std::int64_t day_of(Time time) noexcept {
  return time.ns / day - (time.ns % day < 0 ? 1 : 0);
}

}  // namespace

std::string certificate_line(const ShownCertificate& certificate) {
  std::string line(certificate.place);
  line += behind_place;
  line += certificate.subject.empty() ? "without a subject" : certificate.subject;
  if (certificate.issuer == certificate.subject)
    line += ", by itself";
  else if (!certificate.issuer.empty())
    line.append(", by ").append(certificate.issuer);
  if (certificate.not_after) line.append(before_end).append(date_of(*certificate.not_after));
  return line.append(before_print).append(certificate.sha256);
}

std::string_view place_of_certificate(std::string_view line) noexcept {
  return line.substr(0, line.find(behind_place));
}

std::string_view certificate_of(std::string_view line) noexcept {
  const std::size_t at = line.find(behind_place);
  if (at == line.npos) return {};
  line.remove_prefix(at + behind_place.size());
  return line.substr(0, line.rfind(before_print));
}

std::string_view digest_of_certificate(std::string_view line) noexcept {
  const std::size_t at = line.rfind(before_print);
  return at == line.npos ? std::string_view{} : line.substr(at + before_print.size());
}

std::optional<Time> end_of_certificate(std::string_view line) {
  const std::size_t print = line.rfind(before_print);
  const std::size_t at = print == line.npos ? line.npos : line.rfind(before_end, print);
  if (at == line.npos || print != at + before_end.size() + date_size) return std::nullopt;
  const auto end = parse_time(line.substr(at + before_end.size(), date_size));
  return end ? std::optional(*end) : std::nullopt;
}

CertificateEnd certificate_end(const std::optional<Time>& not_after, Time now) noexcept {
  if (!not_after) return CertificateEnd::far;
  const std::int64_t days = day_of(*not_after) - day_of(now);
  if (days < 0) return CertificateEnd::over;
  if (days <= 7) return CertificateEnd::within_7_days;
  return days <= 30 ? CertificateEnd::within_30_days : CertificateEnd::far;
}

std::string expiry_soon(const std::optional<Time>& not_after, Time now) {
  if (certificate_end(not_after, now) == CertificateEnd::far) return {};
  const std::int64_t left = day_of(*not_after) - day_of(now), days = left < 0 ? -left : left;
  const std::string count = days == 1 ? "1 day" : std::to_string(days) + " days";
  if (left < 0) return "expired " + count + " ago";
  return "expires " + (days == 0 ? std::string("today") : "in " + count);
}

}  // namespace weir

#include "tls/fingerprints.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/digest.hpp"
#include "tls/names.hpp"

namespace weir::tls {
namespace {

void append_decimal(std::string& out, unsigned value) {
  char digits[10];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_dashed(std::string& out, bool& first, unsigned value) {
  if (!first) out += '-';
  first = false;
  append_decimal(out, value);
}

void append_numbers(std::string& out, Numbers numbers) {
  bool first = true;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!is_grease(numbers[i])) append_dashed(out, first, numbers[i]);
}

std::vector<std::uint16_t> without_grease(Numbers numbers) {
  std::vector<std::uint16_t> kept;
  kept.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!is_grease(numbers[i])) kept.push_back(numbers[i]);
  return kept;
}

// "002f,0035", lower case.
std::string hex_list(const std::vector<std::uint16_t>& numbers) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint16_t n : numbers) {
    if (!out.empty()) out += ',';
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[n >> shift & 15];
  }
  return out;
}

constexpr std::size_t ja4_hash_size = 12;
constexpr std::string_view ja4_nothing = "000000000000";

std::string ja4_version(const ClientHello& hello, Carrier carrier) {
  std::uint16_t version = hello.version;
  if (hello.sslv2 && version < 0x0300) return "s2";
  bool first = true;
  for (std::size_t i = 0; i < hello.supported_versions.size(); ++i) {
    const std::uint16_t offered = hello.supported_versions[i];
    if (is_grease(offered)) continue;
    // The newest: DTLS versions count downwards.
    if (first || (carrier == Carrier::datagram ? offered < version : offered > version)) version = offered;
    first = false;
  }
  switch (version) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    case 0xfeff: return "d1";
    case 0xfefd: return "d2";
    case 0xfefc: return "d3";
    default: return "00";
  }
}

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first protocol offered; of its hexadecimal form if one is not alphanumeric.
std::string ja4_alpn(const ClientHello& hello) {
  ByteReader in{hello.alpn};
  const auto name = in.text(in.u8());
  if (name.empty()) return "00";
  if (is_alphanumeric(name.front()) && is_alphanumeric(name.back())) return {name.front(), name.back()};
  const std::string hex = to_hex(as_bytes(name));
  return {hex.front(), hex.back()};
}

std::string ja4_count(std::size_t n) {
  n = std::min<std::size_t>(n, 99);
  return {static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)};
}

}  // namespace

std::string ja3_text(const ClientHello& hello) {
  std::string out;
  append_decimal(out, hello.version);
  out += ',';
  append_numbers(out, hello.ciphers);
  out += ',';
  bool first = true;
  for_each_extension(hello.extensions, [&](std::uint16_t number, Bytes) {
    if (!is_grease(number)) append_dashed(out, first, number);
  });
  out += ',';
  append_numbers(out, hello.groups);
  out += ',';
  first = true;
  for (const std::uint8_t format : hello.point_formats) append_dashed(out, first, format);
  return out;
}

std::string ja3(const ClientHello& hello) {
  return hello.sslv2 ? std::string{} : hex_digest(Digest::md5, ja3_text(hello));
}

std::string ja3s(const ServerHello& hello) {
  std::string out;
  append_decimal(out, hello.version);
  out += ',';
  append_decimal(out, hello.cipher);
  out += ',';
  bool first = true;
  for_each_extension(hello.extensions,
                     [&](std::uint16_t number, Bytes) { append_dashed(out, first, number); });
  return hex_digest(Digest::md5, out);
}

std::string ja4(const ClientHello& hello, Carrier carrier) {
  if (hello.sslv2) return {};
  std::vector<std::uint16_t> ciphers = without_grease(hello.ciphers), extensions;
  std::size_t extension_count = 0;
  for_each_extension(hello.extensions, [&](std::uint16_t number, Bytes) {
    if (is_grease(number)) return;
    ++extension_count;
    if (number != extension::server_name && number != extension::alpn) extensions.push_back(number);
  });
  std::ranges::sort(ciphers);
  std::ranges::sort(extensions);

  std::string out{carrier == Carrier::quic ? 'q' : carrier == Carrier::datagram ? 'd' : 't'};
  out += ja4_version(hello, carrier);
  out += hello.has_server_name ? 'd' : 'i';
  out += ja4_count(ciphers.size()) + ja4_count(extension_count) + ja4_alpn(hello) + '_';
  out +=
      ciphers.empty() ? ja4_nothing : hex_digest(Digest::sha256, hex_list(ciphers)).substr(0, ja4_hash_size);
  out += '_';
  if (extensions.empty()) return out += ja4_nothing;
  std::string text = hex_list(extensions);
  if (const auto algorithms = without_grease(hello.signature_algorithms); !algorithms.empty())
    text += '_' + hex_list(algorithms);
  return out += hex_digest(Digest::sha256, text).substr(0, ja4_hash_size);
}

}  // namespace weir::tls

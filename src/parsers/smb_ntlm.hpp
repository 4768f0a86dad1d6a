// Texts in SMB messages, and the names inside NTLMSSP tokens (MS-NLMP §2.2.1), wherever a login blob hides
// them. Challenges, responses and keys are not read.
#pragma once

#include <string>

#include "core/bytes.hpp"

namespace weir {

// Characters of a name or path that are kept.
inline constexpr std::size_t smb_text_max = 1024;

inline void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// UTF-16 little endian up to the end or a zero; lone surrogates become U+FFFD.
inline std::string utf16_text(Bytes bytes) {
  std::string out;
  for (std::size_t i = 0; i + 1 < bytes.size() && out.size() < smb_text_max; i += 2) {
    std::uint32_t c = load_le<std::uint16_t>(&bytes[i]);
    if (c == 0) break;
    if (c >= 0xd800 && c < 0xe000) {
      const std::uint32_t low = i + 3 < bytes.size() ? load_le<std::uint16_t>(&bytes[i + 2]) : 0u;
      const bool pair = c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
      c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
      if (pair) i += 2;
    }
    append_utf8(out, c);
  }
  return out;
}

// One octet per character (OEM code page) up to the end or a zero; not ASCII becomes U+FFFD.
inline std::string oem_text(Bytes bytes) {
  std::string out;
  for (const std::uint8_t b : bytes) {
    if (b == 0 || out.size() >= smb_text_max) break;
    append_utf8(out, b < 0x80 ? b : 0xfffdu);
  }
  return out;
}

struct NtlmNames {
  std::uint32_t message = 0;  // 1 negotiate, 2 challenge, 3 authenticate; 0: no token
  std::string user, domain, host;
  std::string server_name, server_domain, server_dns_name, server_dns_domain, server_version;
  bool is_anonymous = false;
};

namespace detail {

// A length, a maximum and an offset from the start of the token.
inline Bytes ntlm_field(ByteReader& r, Bytes token) noexcept {
  const std::size_t length = r.le16();
  r.skip(2);
  const std::size_t offset = r.le32();
  if (!r.ok() || offset > token.size() || length > token.size() - offset) return {};
  return token.subspan(offset, length);
}

inline void read_challenge(Bytes token, NtlmNames& n) {
  constexpr std::uint32_t has_version = 0x02000000;
  ByteReader r(token);
  r.skip(12);
  ntlm_field(r, token);
  const std::uint32_t flags = r.le32();
  r.skip(16);
  ByteReader pairs(ntlm_field(r, token));  // AV_PAIRs, §2.2.2.1
  while (!pairs.empty()) {
    const std::uint16_t id = pairs.le16();
    const std::size_t length = pairs.le16();
    const Bytes value = pairs.bytes(length);
    if (!pairs.ok() || id == 0) break;
    if (id == 1) n.server_name = utf16_text(value);
    if (id == 2) n.server_domain = utf16_text(value);
    if (id == 3) n.server_dns_name = utf16_text(value);
    if (id == 4) n.server_dns_domain = utf16_text(value);
  }
  if ((flags & has_version) == 0 || !r.ok()) return;
  const unsigned major = r.u8(), minor = r.u8(), build = r.le16();
  if (r.ok())
    n.server_version = std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(build);
}

inline void read_authenticate(Bytes token, NtlmNames& n) {
  ByteReader r(token);
  r.skip(12);
  ntlm_field(r, token);
  const Bytes response = ntlm_field(r, token);
  const Bytes domain = ntlm_field(r, token), user = ntlm_field(r, token), host = ntlm_field(r, token);
  ntlm_field(r, token);
  const bool unicode = (r.le32() & 1) != 0;
  const auto text = [&](Bytes b) { return unicode ? utf16_text(b) : oem_text(b); };
  n.domain = text(domain);
  n.user = text(user);
  n.host = text(host);
  n.is_anonymous = user.empty() && response.empty();
}

}  // namespace detail

// Finds the token by its signature: SPNEGO's wrapping (RFC 4178) adds nothing that is wanted here.
inline NtlmNames read_ntlm(Bytes blob) {
  constexpr std::string_view signature{"NTLMSSP\0", 8};
  NtlmNames n;
  const std::size_t at = as_text(blob).find(signature);
  if (at == std::string_view::npos || blob.size() - at < 12) return n;
  const Bytes token = blob.subspan(at);
  n.message = load_le<std::uint32_t>(&token[8]);
  if (n.message == 2) detail::read_challenge(token, n);
  if (n.message == 3) detail::read_authenticate(token, n);
  return n;
}

}  // namespace weir

#include "probe/echo_marks.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/hash.hpp"

namespace weir {
namespace {

struct Types {
  std::uint8_t request, reply;
};
constexpr Types types_of(bool v6) noexcept {
  return v6 ? Types{128, 129} : Types{8, 0};
}

void store(std::uint8_t* to, std::uint32_t value) noexcept {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
}

// Whether a message of this type is an error about another one (RFC 792, RFC 4443 §2.1).
bool is_error(bool v6, std::uint8_t type) noexcept {
  return v6 ? type < 128 : type == 3 || type == 4 || type == 11 || type == 12;
}

// RFC 1071.
std::uint16_t checksum(const std::uint8_t* bytes, std::size_t size) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 2 <= size; i += 2) sum += load_be16(bytes + i);
  if (size % 2 != 0) sum += std::uint64_t{bytes[size - 1]} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// The echo request that an ICMP error quotes, behind its IP header; nothing when it is none.
struct Quoted {
  Addr to;
  Bytes echo;
};
std::optional<Quoted> quoted_by(bool v6, Bytes message) noexcept {
  const Bytes ip = message.subspan(EchoMarks::header_size);
  constexpr std::size_t v4_min = 20, v6_header = 40;
  constexpr std::uint8_t icmp = 1, icmpv6 = 58;
  if (v6) {
    if (ip.size() < v6_header + EchoMarks::header_size || ip[6] != icmpv6) return std::nullopt;
    return Quoted{Addr::v6(&ip[24]), ip.subspan(v6_header)};
  }
  const std::size_t length = ip.empty() ? 0 : std::size_t{ip[0] & 0xfU} * 4;
  if (length < v4_min || ip.size() < length + EchoMarks::header_size || ip[9] != icmp) return std::nullopt;
  return Quoted{Addr::v4(&ip[16]), ip.subspan(length)};
}

}  // namespace

EchoMarks::EchoMarks(bool v6, bool own_id, std::size_t size, const CookieKey& key) noexcept
    : v6_(v6),
      own_id_(own_id),
      size_(size),
      key_(key),
      tag_(static_cast<std::uint32_t>(mix(key[0], key[1]))) {}

void EchoMarks::write(std::uint8_t* message, std::uint32_t number) const noexcept {
  std::array<std::uint8_t, cookie_end> head;
  store(head.data(), tag_);
  store(&head[tag_size], number);
  const std::uint64_t proof = cookie_of(number);
  std::memcpy(&head[number_end], &proof, sizeof proof);
  std::memcpy(message + header_size, head.data(), std::min(size_, head.size()));
  store(message, std::uint32_t{types_of(v6_).request} << 24);
  store(&message[4], number);
  if (v6_) return;
  const std::uint16_t sum = checksum(message, header_size + size_);
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum & 0xffU);
}

std::optional<EchoMarks::Origin> EchoMarks::origin(Bytes echo) const noexcept {
  if (echo.size() < header_size) return std::nullopt;
  const Bytes data = echo.subspan(header_size);
  if (data.size() >= tag_size && size_ >= tag_size && load_be32(data.data()) != tag_) return std::nullopt;
  Origin origin{.number = load_be32(&echo[4])};
  if (!own_id_) {
    origin.number &= 0xffff;
    origin.known_bits = 16;
  }
  if (data.size() < number_end || size_ < number_end) return origin;
  const std::uint32_t number = load_be32(&data[tag_size]);
  const std::uint32_t known = ~std::uint32_t{0} >> (32 - origin.known_bits);
  if ((number & known) != origin.number) return std::nullopt;
  origin = {.number = number};
  if (data.size() < cookie_end || size_ < cookie_end) return origin;
  origin.proven = load_le<std::uint64_t>(&data[number_end]) == cookie_of(number);
  return origin.proven ? std::optional(origin) : std::nullopt;
}

std::optional<EchoMarks::Answer> EchoMarks::read(Bytes message) const noexcept {
  if (message.size() < header_size) return std::nullopt;
  const std::uint8_t type = message[0];
  if (type == types_of(v6_).reply) {
    const auto from = origin(message);
    return from ? std::optional(Answer{.origin = *from, .to = {}}) : std::nullopt;
  }
  if (!is_error(v6_, type)) return std::nullopt;
  const auto quoted = quoted_by(v6_, message);
  if (!quoted || quoted->echo[0] != types_of(v6_).request) return std::nullopt;
  const auto from = origin(quoted->echo);
  if (!from) return std::nullopt;
  return Answer{.origin = *from, .is_error = true, .type = type, .code = message[1], .to = quoted->to};
}

}  // namespace weir

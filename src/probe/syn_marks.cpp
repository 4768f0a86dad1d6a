#include "probe/syn_marks.hpp"

namespace weir {
namespace {

// Of byte 13 (RFC 9293 §3.1).
constexpr std::uint8_t syn = 0x02, rst = 0x04, ack = 0x10;

}  // namespace

std::optional<std::uint32_t> SynMarks::number(const Addr& to, std::uint16_t to_port,
                                              const Mark& seen) const noexcept {
  const std::uint32_t number = seen.sequence ^ mask(to, to_port);
  return of(to, to_port, number).port == seen.port ? std::optional(number) : std::nullopt;
}

std::optional<SynMarks::Answer> SynMarks::read(const Addr& from, Bytes segment) const noexcept {
  if (segment.size() < header_size) return std::nullopt;
  const std::uint8_t flags = segment[13];
  const bool reset = (flags & rst) != 0;
  if ((flags & ack) == 0 || (!reset && (flags & syn) == 0)) return std::nullopt;
  const auto found =
      number(from, load_be16(&segment[0]), {load_be16(&segment[2]), load_be32(&segment[8]) - 1});
  return found ? std::optional(Answer{*found, reset}) : std::nullopt;
}

std::optional<std::uint32_t> SynMarks::quoted(const Addr& to, Bytes segment) const noexcept {
  constexpr std::size_t least = 8;
  if (segment.size() < least) return std::nullopt;
  return number(to, load_be16(&segment[2]), {load_be16(&segment[0]), load_be32(&segment[4])});
}

}  // namespace weir

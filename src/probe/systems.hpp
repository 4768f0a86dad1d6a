// Which operating system answers: a guess from a SYN-ACK alone, by its TTL, window and TCP options, whose
// order is the habit of a TCP/IP stack. The knowledge is data, data/fingerprints/systems.yaml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/fingerprints.hpp"

namespace weir {

// Of a SYN-ACK.
struct SynAck {
  std::uint8_t ttl = 0;
  std::uint16_t window = 0, mss = 0;  // mss 0: not offered
  std::string_view options;           // in their order: "mss,sok,ts,nop,ws7"
};

// A window is a number, or so many times what a segment carries.
struct WindowRule {
  std::uint32_t times = 0;  // 0: `bytes` is the window; most: as often as fits in 65,535 bytes
  std::uint16_t bytes = 0;  // with `times`: of each segment taken by options
  static constexpr std::uint32_t most = ~std::uint32_t{0};
  bool matches(const SynAck& answer) const noexcept;
};

struct SystemSignature {
  std::string os;                   // "Linux 4.20 or later"
  std::uint8_t ttl = 64;            // that the system begins with
  std::vector<WindowRule> windows;  // one of them; none: any
  std::string options;              // a '*' stands for digits
  std::uint8_t confidence = 0;      // percent
  SynAck example;                   // its options are those of example_options
  std::string example_options;
  std::string where;  // "systems.yaml:12"

  bool matches(const SynAck& answer) const noexcept;
};

// Immutable once made: any thread.
class Systems {
 public:
  // What is built into the program; read when first asked for.
  static const Systems& built_in();
  // The systems of all files; earlier ones go before later ones. The error names file, line and column.
  static Result<Systems> read(std::span<const FingerprintFile> files);

  const std::vector<SystemSignature>& signatures() const noexcept { return signatures_; }
  // The first that matches; nullptr: none does.
  const SystemSignature* guess(const SynAck& answer) const noexcept;

 private:
  std::vector<SystemSignature> signatures_;
};

}  // namespace weir

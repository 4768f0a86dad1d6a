// fping's command line (fping(8) of version 5.1).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/addr.hpp"
#include "core/time.hpp"

namespace weir {

struct FpingOptions {
  bool alive = false, by_address = false, all_addresses = false, elapsed = false, unreachable = false;
  bool quiet = false, stats = false, outage = false, netdata = false, timestamp = false, loop = false;
  bool generate = false, dont_fragment = false, random_data = false, reverse = false,
       reverse_addresses = false;
  bool v4 = false, v6 = false, timeout_given = false;
  bool every_round_trip = false;  // -C
  std::uint32_t count = 0;        // 0: until an answer or the retries are over
  std::uint32_t retries = 3, size = 56, ttl = 0, min_reachable = 0;
  std::optional<std::uint8_t> tos;
  Duration timeout = milliseconds(500), interval = milliseconds(10), period = milliseconds(1000);
  Duration report{};  // -Q
  double backoff = 1.5;
  std::string file, interface;
  std::optional<Addr> source;
  std::vector<std::string> targets;

  // Until the first answer: neither -c, -C nor -l.
  bool until_answer() const noexcept { return count == 0 && !loop; }
};

// The options, or the exit code when nothing is to be done: the reason, the help or the version is printed.
struct FpingCommandLine {
  FpingOptions options;
  std::optional<int> exit_code;
};
FpingCommandLine parse_fping(std::string_view program, std::span<const char* const> words);
// To stdout, or as an answer to wrong options to stderr, as which it returns 1.
int fping_usage(std::string_view program, bool wrong);

}  // namespace weir

#include "devices/arpwatch_file.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace weir {
namespace {

// Without leading zeros: 0:c:29:1:2:3.
std::optional<Mac> parse_short_mac(std::string_view text) {
  Mac mac;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
    if (i != 0 && (at == end || *at++ != ':')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, mac.bytes[i], 16);
    if (error != std::errc{} || next - at > 2) return std::nullopt;
    at = next;
  }
  return at == end ? std::optional(mac) : std::nullopt;
}

}  // namespace

Result<std::vector<Sighting>> read_arpwatch_file(std::istream& in, const std::string& name) {
  constexpr std::int64_t latest = 9'000'000'000;  // seconds: what Time holds, and more than anybody has seen
  std::vector<Sighting> sightings;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string mac_word, ip_word, host;
    if (!(words >> mac_word)) continue;
    std::int64_t seconds_then = -1;
    words >> ip_word >> seconds_then >> host;
    const auto mac = parse_short_mac(mac_word);
    const auto ip = parse_addr(ip_word);
    if (!mac || !ip || seconds_then < 0 || latest < seconds_then)
      return fail(Code::usage, "is no line of arp.dat", name + ":" + std::to_string(number),
                  "hardware address, IP address, seconds since 1970, name");
    Sighting& sighting = sightings.emplace_back(
        Sighting{.time = Time{} + seconds(seconds_then), .mac = mac, .ip = *ip, .claim = Claim::asked});
    if (!host.empty()) sighting.facts.push_back({FactKind::name, host, "arpwatch", {}});
    sighting.evidence = "arpwatch: " + ip_word + " is at " + mac_word;
  }
  std::ranges::stable_sort(sightings, {}, &Sighting::time);
  return sightings;
}

}  // namespace weir

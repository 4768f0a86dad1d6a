#include "probe/targets.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iostream>
#include <istream>

#include "core/assert.hpp"
#include "core/human.hpp"

namespace weir {
namespace {

using OctetRuns = std::vector<std::pair<unsigned, unsigned>>;
using Octets = std::array<OctetRuns, 4>;

bool is_whole(const OctetRuns& r) noexcept {
  return r.front() == std::pair{0U, 255U};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_printable(out, text);
  return out + "\"";
}

tl::unexpected<Error> wrong(std::string_view text, std::string what, std::string hint = {}) {
  std::string shown;
  append_printable(shown, text);
  return fail(Code::usage, std::move(what), std::move(shown), std::move(hint));
}

std::optional<unsigned> octet(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.size() > 3 || error != std::errc{} || end != text.data() + text.size() || value > 255)
    return std::nullopt;
  return value;
}

// "5", "1-20", "-20", "20-", "*" and lists of them.
std::optional<OctetRuns> octet_runs(std::string_view text) {
  std::bitset<257> in;  // the last one stays clear and ends the last run
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t dash = item.find('-');
    std::optional<unsigned> low, high;
    if (item == "*" || item == "-") {
      low = 0, high = 255;
    } else if (dash == item.npos) {
      low = high = octet(item);
    } else {
      low = dash == 0 ? 0 : octet(item.substr(0, dash));
      high = dash + 1 == item.size() ? 255 : octet(item.substr(dash + 1));
    }
    if (!low || !high || *low > *high) return std::nullopt;
    for (unsigned i = *low; i <= *high; ++i) in.set(i);
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  OctetRuns runs;
  for (unsigned i = 0; i < 256; ++i) {
    if (!in[i]) continue;
    const unsigned first = i;
    while (in[i + 1]) ++i;
    runs.emplace_back(first, i);
  }
  return runs;
}

Addr v4_number(std::uint32_t number) noexcept {
  const std::uint32_t big = __builtin_bswap32(number);
  return Addr::v4(reinterpret_cast<const std::uint8_t*>(&big));
}

// All addresses whose octet k is in runs[k]. Ranges, where the octets behind are whole.
void expand(const Octets& runs, unsigned k, std::uint32_t before, std::vector<AddrRange>& out) {
  const unsigned shift = 8 * (3 - k);
  const bool rest_whole = std::all_of(runs.begin() + k + 1, runs.end(), is_whole);
  for (const auto& [low, high] : runs[k]) {
    if (rest_whole) {
      const std::uint32_t behind = shift == 0 ? 0 : ~std::uint32_t{0} >> (32 - shift);
      out.push_back({v4_number(before | low << shift), v4_number(before | high << shift | behind)});
    } else {
      for (unsigned o = low; o <= high; ++o) expand(runs, k + 1, before | o << shift, out);
    }
  }
}

std::optional<Octets> octets(std::string_view text) {
  Octets runs;
  for (unsigned k = 0; k < 4; ++k) {
    const std::size_t dot = text.find('.');
    if ((dot == text.npos) != (k == 3)) return std::nullopt;
    auto parsed = octet_runs(text.substr(0, dot));
    if (!parsed) return std::nullopt;
    runs[k] = *std::move(parsed);
    text.remove_prefix(dot == text.npos ? 0 : dot + 1);
  }
  return runs;
}

// Ranges that expand() would make: everything before the last octet that is not whole is spelt out.
std::size_t expanded(const Octets& runs) noexcept {
  unsigned last = 3;
  while (last > 0 && is_whole(runs[last])) --last;
  std::size_t count = runs[last].size();
  for (unsigned k = 0; k < last; ++k) {
    std::size_t values = 0;
    for (const auto& [low, high] : runs[k]) values += high - low + 1;
    count *= values;
  }
  return count;
}

Result<ParsedTarget> prefix(std::string_view text) {
  const auto p = parse_prefix(text);
  if (!p) return wrong(text, p.error().what);
  const Wide first = to_number(p->address);
  const Wide behind = p->length == 128 ? 0 : ~Wide{0} >> p->length;
  if (behind >= TargetList::most_targets)
    return wrong(text, count_text(behind + 1) + " addresses are more than can be probed",
                 "give the ranges that hosts are in");
  return ParsedTarget{{{p->address, to_addr(first | behind)}}, {}};
}

Result<ParsedTarget> range(std::string_view text, const Addr& first, const Addr& last) {
  if (first.is_v4() != last.is_v4()) return wrong(text, "a range is of one address family");
  if (last < first) return wrong(text, "a range begins with its lower address");
  const Wide count = to_number(last) - to_number(first);
  if (count >= TargetList::most_targets)
    return wrong(text, count_text(count + 1) + " addresses are more than can be probed",
                 "give the ranges that hosts are in");
  return ParsedTarget{{{first, last}}, {}};
}

bool is_name(std::string_view text) {
  constexpr std::size_t longest = 254;  // RFC 1035 §2.3.4, with the dot of the root
  if (text.empty() || text.size() > longest || text.front() == '-' || text.front() == '.') return false;
  return std::ranges::all_of(text, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c >= 0x80;
  });
}

// Sorted, and merged where they overlap or touch.
std::vector<std::pair<Wide, Wide>> merged(const std::vector<AddrRange>& ranges) {
  std::vector<std::pair<Wide, Wide>> sorted;
  sorted.reserve(ranges.size());
  for (const AddrRange& r : ranges) sorted.emplace_back(to_number(r.first), to_number(r.last));
  if (!std::ranges::is_sorted(sorted)) std::ranges::sort(sorted);
  std::size_t kept = 0;
  for (const auto& r : sorted) {
    if (kept > 0 && (r.first <= sorted[kept - 1].second || r.first - sorted[kept - 1].second == 1))
      sorted[kept - 1].second = std::max(sorted[kept - 1].second, r.second);
    else
      sorted[kept++] = r;
  }
  sorted.resize(kept);
  return sorted;
}

// Calls f with each part of the ranges that is not in `without`; both are merged.
template <class F>
void subtract(const std::vector<std::pair<Wide, Wide>>& ranges,
              const std::vector<std::pair<Wide, Wide>>& without, F&& f) {
  auto hole = without.begin();
  for (auto [first, last] : ranges) {
    while (hole != without.end() && hole->second < first) ++hole;
    bool left = true;
    for (auto h = hole; left && h != without.end() && h->first <= last; ++h) {
      if (h->first > first) f(first, h->first - 1);
      left = h->second < last;
      first = h->second + 1;
    }
    if (left) f(first, last);
  }
}

}  // namespace

std::string count_text(Wide count) {
  constexpr unsigned counted = 53;
  if (count < Wide{1} << counted) return human_count(static_cast<std::uint64_t>(count));
  unsigned bits = 0;
  while (bits < 127 && count >> (bits + 1) != 0) ++bits;
  return (count == Wide{1} << bits ? "2^" : "more than 2^") + std::to_string(bits);
}

TargetSet::TargetSet(std::vector<AddrRange> ranges, std::vector<AddrRange> excluded) {
  subtract(merged(ranges), merged(excluded), [&](Wide first, Wide last) {
    ranges_.push_back({first, last, size_});
    const Wide total = Wide{size_} + (last - first);
    size_ = total >= ~std::uint64_t{0} ? ~std::uint64_t{0} : static_cast<std::uint64_t>(total) + 1;
  });
}

Addr TargetSet::nth(std::uint64_t index) const noexcept {
  WEIR_ASSERT(index < size_);
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), index,
                                       [](std::uint64_t i, const Range& r) { return i < r.before; });
  const Range& r = *std::prev(behind);
  return to_addr(r.first + (index - r.before));
}

std::optional<std::uint64_t> TargetSet::index_of(const Addr& address) const noexcept {
  const Wide number = to_number(address);
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                                       [](Wide n, const Range& r) { return n < r.first; });
  if (behind == ranges_.begin()) return std::nullopt;
  const Range& r = *std::prev(behind);
  if (number > r.last) return std::nullopt;
  return r.before + static_cast<std::uint64_t>(number - r.first);
}

std::vector<AddrRange> TargetSet::ranges() const {
  std::vector<AddrRange> out;
  out.reserve(ranges_.size());
  for (const Range& r : ranges_) out.push_back({to_addr(r.first), to_addr(r.last)});
  return out;
}

namespace {

bool is_interface_name(std::string_view name) noexcept {
  constexpr std::size_t longest = 15;  // IFNAMSIZ of the kernel, without the end
  return !name.empty() && name.size() <= longest && name.find_first_of("/%: \t") == name.npos;
}

Result<ParsedTarget> zoned(std::string_view text, std::string_view word, std::size_t percent) {
  const std::string_view zone = word.substr(percent + 1);
  if (!is_interface_name(zone)) return wrong(text, "an interface stands behind %", "write fe80::1%eth0");
  if (percent == 0) return ParsedTarget{{}, {}, std::string(zone)};
  const auto address = parse_addr(word.substr(0, percent));
  if (!address || address->is_v4() || address->bytes[0] != 0xfe || (address->bytes[1] & 0xc0) != 0x80)
    return wrong(text, "only a link-local address has a zone", "name the interface with --interface");
  return ParsedTarget{{{*address, *address}}, {}, std::string(zone)};
}

}  // namespace

Result<ParsedTarget> parse_target(std::string_view text) {
  std::string_view word = text;
  if (word.size() > 2 && word.front() == '[' && word.back() == ']') word = word.substr(1, word.size() - 2);
  if (const std::size_t percent = word.find('%'); percent != word.npos) return zoned(text, word, percent);
  if (const auto address = parse_addr(word)) return ParsedTarget{{{*address, *address}}, {}};
  if (word.find("://") != word.npos) return wrong(text, "is a URL, not a host", "write the host alone");
  if (const std::size_t slash = word.find('/'); slash != word.npos) {
    if (!parse_addr(word.substr(0, slash)))
      return wrong(text, "a prefix length stands behind an address", "write 192.0.2.0/24");
    return prefix(word);
  }
  if (const std::size_t dash = word.find('-'); dash != word.npos) {
    const auto first = parse_addr(word.substr(0, dash)), last = parse_addr(word.substr(dash + 1));
    if (first && last) return range(text, *first, *last);
  }
  if (word.find_first_not_of("0123456789.,-*") == word.npos) {
    const auto runs = octets(word);
    if (!runs)
      return wrong(text, "is not an IPv4 address, nor a pattern of four octets (0-255)",
                   "write 10.0.0.1 or 10.0.0-3.1,5");
    if (expanded(*runs) > TargetList::most_ranges)
      return wrong(text, "is more than " + human_count(TargetList::most_ranges) + " separate ranges",
                   "leave the last octets whole");
    ParsedTarget target;
    expand(*runs, 0, 0, target.ranges);
    return target;
  }
  if (const std::size_t colon = word.find(':'); colon != word.npos) {
    const std::string_view port = word.substr(colon + 1);
    if (!port.empty() && port.find_first_not_of("0123456789") == port.npos && colon > 0)
      return wrong(text, "has a port", "write the host alone, and the port by -p " + std::string(port));
    return wrong(text, "is not an IPv6 address");
  }
  if (!is_name(word)) return wrong(text, "is neither an address nor a name");
  return ParsedTarget{{}, std::string(word)};
}

namespace {

// The prefix length of a range that is a network.
std::optional<unsigned> network_length(const AddrRange& r) noexcept {
  constexpr unsigned all = 128, of_v4 = 32;
  const Wide first = to_number(r.first), size = to_number(r.last) - first + 1;
  if (size == 0) return 0;  // every IPv6 address
  if ((size & (size - 1)) != 0 || (first & (size - 1)) != 0) return std::nullopt;
  unsigned host_bits = 0;
  while ((size >> host_bits & 1U) == 0) ++host_bits;
  return (r.first.is_v4() ? of_v4 : all) - host_bits;
}

}  // namespace

std::string to_string(const TargetSet& set) {
  std::string out;
  for (const AddrRange& r : set.ranges()) {
    if (!out.empty()) out += ',';
    out += to_string(r.first);
    if (r.first == r.last) continue;
    if (const auto length = network_length(r))
      out += "/" + std::to_string(*length);
    else
      out += "-" + to_string(r.last);
  }
  return out;
}

Result<TargetSet> target_set_of(std::string_view list) {
  std::vector<AddrRange> ranges;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    WEIR_TRY(const ParsedTarget target, parse_target(item));
    if (target.ranges.empty() || !target.zone.empty())
      return wrong(item, "is neither addresses nor a network");
    ranges.insert(ranges.end(), target.ranges.begin(), target.ranges.end());
    list.remove_prefix(std::min(list.size(), item.size() + 1));
  }
  return TargetSet(std::move(ranges));
}

Result<void> TargetList::add(std::string_view text) {
  return take(Part::included, text);
}
Result<void> TargetList::exclude(std::string_view text) {
  return take(Part::excluded, text);
}
Result<void> TargetList::exclude_file(const std::string& path) {
  return take_file(Part::excluded, path);
}
Result<void> TargetList::add_stream(std::istream& in, std::string_view name) {
  return take_stream(Part::included, in, name);
}
Result<void> TargetList::exclude_stream(std::istream& in, std::string_view name) {
  return take_stream(Part::excluded, in, name);
}

Result<void> TargetList::take(Part part, std::string_view text) {
  if (text == "-") return take_stream(part, std::cin, "stdin");
  if (text.starts_with('@')) return take_file(part, std::string(text.substr(1)));
  return take_word(part, text, {});
}

Result<void> TargetList::take_file(Part part, const std::string& path) {
  errno = 0;
  std::ifstream in(path);
  if (!in && errno == ENOENT) return fail(Code::usage, "no such file", path);
  if (!in) return fail(Code::environment, std::string("cannot read targets: ") + std::strerror(errno), path);
  return take_stream(part, in, path);
}

Result<void> TargetList::take_stream(Part part, std::istream& in, std::string_view name) {
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    constexpr std::string_view space = " \t\r\f\v";
    std::string_view rest = std::string_view(line).substr(0, line.find('#'));
    while (true) {
      const std::size_t begin = rest.find_first_not_of(space);
      if (begin == rest.npos) break;
      rest.remove_prefix(begin);
      const std::size_t end = std::min(rest.find_first_of(space), rest.size());
      const std::string_view word = rest.substr(0, end);
      // Lists are long, and mostly of these.
      if (const auto address = parse_addr(word); address && has_room(part))
        ranges(part).push_back({*address, *address});
      else
        WEIR_CHECK(take_word(part, word, std::string(name) + ":" + std::to_string(number)));
      rest.remove_prefix(end);
    }
  }
  if (in.bad()) return fail(Code::environment, "cannot be read to the end", std::string(name));
  return {};
}

Result<void> TargetList::take_word(Part part, std::string_view word, const std::string& where) {
  auto parsed = parse_target(word);
  if (!parsed) {
    if (where.empty()) return tl::unexpected<Error>(std::move(parsed.error()));
    return fail(Code::usage, quoted(word) + ": " + parsed.error().what, where, parsed.error().hint);
  }
  const bool included = part == Part::included;
  if (included && !parsed->zone.empty()) {
    if (!zone_.empty() && zone_ != parsed->zone)
      return fail(Code::usage, "is another link than " + zone_, where.empty() ? std::string(word) : where,
                  "give the targets of one link at a time");
    zone_ = parsed->zone;
    whole_link_ = whole_link_ || parsed->ranges.empty();
  }
  if (!included && !parsed->zone.empty() && parsed->ranges.empty())
    return fail(Code::usage, "is a link; addresses are excluded", where.empty() ? std::string(word) : where);
  std::vector<TargetName>& names = included ? names_ : excluded_names_;
  if (!has_room(part, parsed->ranges.size()) || names.size() >= most_ranges)
    return fail(Code::usage, "more than " + human_count(most_ranges) + " separate targets",
                where.empty() ? std::string(word) : where, "give ranges or networks");
  if (included && networks_ == Networks::hosts && word.find('/') != word.npos) leave_out_ends(parsed->ranges);
  ranges(part).insert(ranges(part).end(), parsed->ranges.begin(), parsed->ranges.end());
  if (!parsed->name.empty() && (included ? known_ : excluded_known_).insert(parsed->name).second)
    names.push_back({std::move(parsed->name), where});
  return {};
}

void TargetList::leave_out_ends(std::vector<AddrRange>& networks) {
  for (AddrRange& r : networks) {
    const Wide first = to_number(r.first), last = to_number(r.last);
    if (!r.first.is_v4() || last - first < 2) continue;
    r = {to_addr(first + 1), to_addr(last - 1)};
    left_out_ += 2;
  }
}

Result<TargetSet> TargetList::build() const {
  TargetSet set(ranges_, excluded_);
  if (set.size() > most_targets)
    return fail(Code::usage, count_text(set.size()) + " addresses are more than can be probed", {},
                "give the ranges that hosts are in");
  return set;
}

}  // namespace weir

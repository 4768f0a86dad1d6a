// Which addresses to probe. What the user wrote becomes sorted ranges that do not overlap: an address is
// probed once however often it was named, and a /8 takes 48 bytes.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "probe/wide.hpp"

namespace weir {

// Both ends included, of one family.
struct AddrRange {
  Addr first, last;
  auto operator<=>(const AddrRange&) const = default;
};

// Disjoint ranges in order. Immutable: any thread.
class TargetSet {
 public:
  TargetSet() = default;
  // In any order, overlapping or not.
  explicit TargetSet(std::vector<AddrRange> ranges, std::vector<AddrRange> excluded = {});

  // Saturates at 2^64-1; TargetList::build() gives no set as large.
  std::uint64_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // The address at `index` < size(), in numeric order.
  Addr nth(std::uint64_t index) const noexcept;
  std::optional<std::uint64_t> index_of(const Addr& address) const noexcept;
  bool contains(const Addr& address) const noexcept { return index_of(address).has_value(); }
  std::vector<AddrRange> ranges() const;

 private:
  struct Range {
    Wide first, last;
    std::uint64_t before;  // addresses in the ranges before it
  };
  std::vector<Range> ranges_;
  std::uint64_t size_ = 0;
};

// A name that the user wrote, and where ("hosts.txt:12", or empty on the command line).
struct TargetName {
  std::string name, where;
};

// What one word means: addresses, a name, or a link.
struct ParsedTarget {
  std::vector<AddrRange> ranges;
  std::string name;    // not empty: a name to be resolved, and no ranges
  std::string zone{};  // the interface of a link-local address; without ranges: whoever is on that link
};

// "192.0.2.7", "10.0.0.0/8", "10.0.0.1-10.0.0.20", octets as lists of numbers and ranges ("10.0.0-3.1,5", "*"
// for any), the same of IPv6 but octets, a link-local address with its zone (RFC 4007: "fe80::1%eth0"), a
// zone alone ("%eth0"), or a name (RFC 1123 §2.1; underscores and Unicode are left alone).
// Fails with Code::usage and `text` in Error::where.
Result<ParsedTarget> parse_target(std::string_view text);

// Collects what the user wrote. One thread.
class TargetList {
 public:
  static constexpr std::uint64_t most_targets = std::uint64_t{1} << 48;
  static constexpr std::size_t most_ranges = std::size_t{1} << 22;  // and names

  // Whether 192.0.2.0/24 has the network's own address and the broadcast one, which no host has (RFC 1122
  // §3.2.1.3). A /31 (RFC 3021) and a /32 are whole in any case.
  enum class Networks : bool { whole, hosts };
  explicit TargetList(Networks networks = Networks::whole) noexcept : networks_(networks) {}

  // A word of parse_target(), "@FILE", or "-": words on stdin.
  Result<void> add(std::string_view text);
  // The same, for what must not be probed, whoever asks for it.
  Result<void> exclude(std::string_view text);
  // Words between white space; # begins a comment. `name` is for errors.
  Result<void> add_stream(std::istream& in, std::string_view name);
  Result<void> exclude_stream(std::istream& in, std::string_view name);
  Result<void> exclude_file(const std::string& path);
  void add(const Addr& address) { ranges_.push_back({address, address}); }
  void exclude(const Addr& address) { excluded_.push_back({address, address}); }

  // To be resolved by the caller, who gives the addresses to add() and exclude(). Each name once.
  const std::vector<TargetName>& names() const noexcept { return names_; }
  const std::vector<TargetName>& excluded_names() const noexcept { return excluded_names_; }
  // The interface that link-local addresses were given with, one for all; empty: none was.
  const std::string& zone() const noexcept { return zone_; }
  // Whether whoever is on its link is meant; to be found by the caller, who gives the addresses to add().
  bool whole_link() const noexcept { return whole_link_; }
  // Addresses of networks that are not their hosts'.
  std::uint64_t left_out() const noexcept { return left_out_; }

  // Fails with Code::usage when there are more than most_targets. May be empty.
  Result<TargetSet> build() const;

 private:
  enum class Part : bool { included, excluded };
  Result<void> take(Part part, std::string_view text);
  Result<void> take_word(Part part, std::string_view word, const std::string& where);
  Result<void> take_stream(Part part, std::istream& in, std::string_view name);
  Result<void> take_file(Part part, const std::string& path);
  void leave_out_ends(std::vector<AddrRange>& networks);
  std::vector<AddrRange>& ranges(Part part) noexcept { return part == Part::included ? ranges_ : excluded_; }
  bool has_room(Part part, std::size_t more = 1) noexcept {
    return ranges(part).size() + more <= most_ranges;
  }

  std::vector<AddrRange> ranges_, excluded_;
  std::vector<TargetName> names_, excluded_names_;
  std::unordered_set<std::string> known_, excluded_known_;
  std::string zone_;
  bool whole_link_ = false;
  Networks networks_;
  std::uint64_t left_out_ = 0;
};

// "192.0.2.0/25,192.0.2.200-192.0.2.210": networks where ranges are such. What target_set_of() takes.
std::string to_string(const TargetSet& set);
// Addresses, networks and ranges of parse_target() with commas between them. Fails with Code::usage, for
// names and links as well.
Result<TargetSet> target_set_of(std::string_view list);

// "65,536", or "2^100" for what nobody counts.
std::string count_text(Wide count);

}  // namespace weir

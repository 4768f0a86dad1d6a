#include "engine/network_names.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <unordered_map>

namespace weir {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Addr last_of(const Prefix& prefix) noexcept {
  Addr last = prefix.address;
  for (unsigned bit = prefix.length; bit < 128; ++bit)
    last.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  return last;
}

// nullopt behind the last address there is.
std::optional<Addr> next(Addr address) noexcept {
  for (std::size_t i = address.bytes.size(); i-- > 0;)
    if (++address.bytes[i] != 0) return address;
  return std::nullopt;
}

}  // namespace

Result<NetworkNames> NetworkNames::parse(std::string_view text, const std::string& origin) {
  NetworkNames made;
  std::vector<Network> networks;
  std::unordered_map<std::string, std::uint32_t> known;
  std::uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", origin, number);
    const std::size_t gap = std::min(line.find_first_of(blanks), line.size());
    auto prefix = parse_prefix(line.substr(0, gap));
    if (!prefix) {
      prefix.error().where = where;
      prefix.error().hint = "write 10.1.0.0/16 office";
      return tl::unexpected<Error>(std::move(prefix).error());
    }
    const std::string name(trimmed(line.substr(gap)));
    if (name.empty())
      return fail(Code::usage, to_string(*prefix) + " has no name", where, "write 10.1.0.0/16 office");
    if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      return fail(Code::usage, "a control character is in the name", where);
    const auto [it, fresh] = known.try_emplace(name, static_cast<std::uint32_t>(made.names_.size()));
    if (fresh) made.names_.push_back(name);
    networks.push_back({*prefix, it->second, number});
  }
  // Of prefixes that begin with the same address the shorter comes first.
  std::ranges::sort(networks, {}, [](const Network& n) { return std::pair(n.prefix, n.line); });
  const auto twice = std::ranges::adjacent_find(networks, {}, &Network::prefix);
  if (twice != networks.end())
    return fail(Code::usage,
                fmt::format("{} has a name already, in line {}", to_string(twice->prefix), twice->line),
                fmt::format("{}:{}", origin, std::next(twice)->line), "leave one of them out");
  made.flatten(networks);
  return made;
}

Result<NetworkNames> NetworkNames::read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> part;
  do {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  } while (file);
  // A folder opens, and fails to be read.
  if (file.is_open() && !file.bad()) return parse(text, path);
  if (errno == ENOENT || errno == ENOTDIR) return fail(Code::usage, "no such file", path);
  if (errno == EISDIR) return fail(Code::usage, "is a folder", path, "name a file");
  return fail(Code::environment, errno != 0 ? std::strerror(errno) : "cannot be read", path);
}

// Prefixes are nested or apart: those around the address at hand are a stack.
void NetworkNames::flatten(const std::vector<Network>& sorted) {
  struct Open {
    Addr last;
    std::uint32_t name;
  };
  std::vector<Open> open;
  const auto close = [&] {
    const auto behind = next(open.back().last);
    open.pop_back();
    if (behind) add(*behind, open.empty() ? none : open.back().name);
  };
  for (const Network& network : sorted) {
    while (!open.empty() && open.back().last < network.prefix.address) close();
    add(network.prefix.address, network.name);
    open.push_back({last_of(network.prefix), network.name});
  }
  while (!open.empty()) close();
}

void NetworkNames::add(const Addr& first, std::uint32_t name) {
  if (!ranges_.empty() && ranges_.back().first == first)
    ranges_.back().name = name;
  else
    ranges_.push_back({first, name});
}

std::uint32_t NetworkNames::find(const Addr& address) const noexcept {
  const auto after = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
  return after == ranges_.begin() ? none : std::prev(after)->name;
}

}  // namespace weir

// The words of nfdump and tshark, in one table.
#pragma once

#include <span>
#include <string_view>

namespace weir::filter {

struct Alias {
  std::string_view word;
  std::string_view target;  // one of our field names
  std::string_view with{};  // a protocol that must hold as well: tcp.port is `tcp and port`
};
// Names of single words, in the order of docs/filter.md.
std::span<const Alias> aliases() noexcept;

// Bare words that stand for a whole expression: inet, ipv6, any.
struct Macro {
  std::string_view word, expression;
};
std::span<const Macro> macros() noexcept;

// Names after which == may be left out, as nfdump does: port 53, src net 10.0.0.0/8.
std::span<const std::string_view> phrase_words() noexcept;

}  // namespace weir::filter

// Sizes with a suffix: 1500, 1k, 64M, 1.5G, 4Ki.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace weir {

struct Scale {
  std::string_view suffix;
  std::uint64_t factor;
};
inline constexpr std::uint64_t kilo = 1000, kibi = 1024;
// Largest first: the shortest way to write a number takes the first that divides.
inline constexpr Scale scales[] = {{"P", kilo* kilo* kilo* kilo* kilo},
                                   {"T", kilo* kilo* kilo* kilo},
                                   {"G", kilo* kilo* kilo},
                                   {"M", kilo* kilo},
                                   {"k", kilo},
                                   {"Pi", kibi* kibi* kibi* kibi* kibi},
                                   {"Ti", kibi* kibi* kibi* kibi},
                                   {"Gi", kibi* kibi* kibi},
                                   {"Mi", kibi* kibi},
                                   {"Ki", kibi}};

// 1 for no suffix, 0 for an unknown one. K is k, ki is Ki, and a B for bytes may follow.
std::uint64_t scale_of(std::string_view suffix) noexcept;
// Whole bytes; `where` names the text in errors ("--keep-size").
Result<std::uint64_t> parse_size(std::string_view text, std::string_view where);

}  // namespace weir

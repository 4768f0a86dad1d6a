// "did you mean": the known word nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

// The candidate with the fewest edits (insert, delete, replace, swap neighbours), empty when none is near:
// more than one edit per three letters. Of equals the first.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean X?" or, when nothing is near, `otherwise`: the hint of an Error.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates,
                       std::string otherwise = {});

}  // namespace weir

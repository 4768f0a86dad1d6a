// The expression as the user wrote it, and how to point into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace weir::filter {

// Borrowed for the compilation.
struct Source {
  std::string_view text, origin;

  // A usage error at a byte offset: where is "ORIGIN:COLUMN", columns counting characters from 1.
  tl::unexpected<Error> error(std::size_t at, std::string what, std::string hint = {}) const;
};

// A piece of the user's text for a message: quoted, escaped, on one line, cut when long.
std::string shown(std::string_view text);
// Text as a literal of the language.
std::string quoted(std::string_view text);

}  // namespace weir::filter

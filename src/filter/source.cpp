#include "filter/source.hpp"

namespace weir::filter {

tl::unexpected<Error> Source::error(std::size_t at, std::string what, std::string hint) const {
  std::size_t column = 1;
  for (const char c : text.substr(0, at))
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++column;  // UTF-8 continuation bytes take no column
  return fail(Code::usage, std::move(what), std::string(origin) + ":" + std::to_string(column),
              std::move(hint));
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      static constexpr char hex[] = "0123456789abcdef";
      out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    } else {
      if (c == '"') out += '\\';
      out += c;
    }
  }
  return out + (text.size() > longest ? "…\"" : "\"");
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace weir::filter

#include "core/size.hpp"

#include <charconv>
#include <cmath>

namespace weir {

std::uint64_t scale_of(std::string_view suffix) noexcept {
  if (suffix.ends_with('B')) suffix.remove_suffix(1);
  if (suffix.empty()) return 1;
  if (suffix == "K") suffix = "k";
  if (suffix == "ki") suffix = "Ki";
  for (const Scale& s : scales)
    if (s.suffix == suffix) return s.factor;
  return 0;
}

Result<std::uint64_t> parse_size(std::string_view text, std::string_view where) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const std::uint64_t scale = scale_of(text.substr(static_cast<std::size_t>(end - text.data())));
  const double bytes = number * static_cast<double>(scale);
  constexpr double most = 9e18;
  if (error != std::errc{} || scale == 0 || !(bytes >= 0) || bytes > most)
    return fail(Code::usage, "\"" + std::string(text) + "\" is not a size", std::string(where),
                "write 1500, 64M, 1.5G or 4Ki");
  return static_cast<std::uint64_t>(std::llround(bytes));
}

}  // namespace weir

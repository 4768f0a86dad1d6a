// PCRE2 with bounds: what outsiders put into a record cannot make a match run long. Bytes, not characters,
// unless the pattern itself holds UTF-8.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/result.hpp"

namespace weir {

class Regex {
 public:
  struct Failure {
    std::string what;
    std::size_t offset;  // into the pattern
  };
  static tl::expected<Regex, Failure> compile(std::string_view pattern, bool ignore_case);

  // Any thread. False also when the match would take more than match_limit steps or more stack than it may
  // have.
  bool matches(std::string_view text) const noexcept;

  // The whole match and its first nine groups, views of the text; a group that took no part has no data.
  using Groups = std::array<std::string_view, 10>;
  bool match(std::string_view text, Groups& groups) const noexcept;

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

 private:
  struct Code;
  explicit Regex(std::unique_ptr<Code> code) noexcept;
  std::unique_ptr<Code> code_;
};

}  // namespace weir

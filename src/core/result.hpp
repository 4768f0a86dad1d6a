// Expected failures: configuration, files, sockets and the user's text. Hostile bytes are not errors, they
// become oddity records; bugs are WEIR_ASSERT.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace weir {

// The exit code follows from the code: failed 1, usage 2, environment 3.
enum class Code : std::uint8_t { failed, usage, environment };

struct Error {
  Code code = Code::failed;
  std::string what;   // lower case, no full stop: "port 70000 is outside 0-65535"
  std::string where;  // the user's text or file: "weir.toml:12:9", "--where:15", "trace.pcap"; may be empty
  std::string hint;   // the remedy; may be empty

  // "where: what (hint)", the one line a user sees.
  std::string line() const;
  int exit_code() const noexcept { return 1 + static_cast<int>(code); }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Code code, std::string what, std::string where = {},
                                  std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(what), std::move(where), std::move(hint)});
}

}  // namespace weir

#define WEIR_CONCAT_INNER(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_INNER(a, b)
// WEIR_TRY(auto x, f()): x is f()'s value, or the function returns f()'s error.
#define WEIR_TRY(declaration, expression) WEIR_TRY_NAMED(declaration, expression, WEIR_CONCAT(try_, __LINE__))
#define WEIR_TRY_NAMED(declaration, expression, name)               \
  auto name = (expression);                                         \
  if (!name) return tl::unexpected<Error>(std::move(name).error()); \
  declaration = *std::move(name)
// WEIR_CHECK(f()): for a Result<void>.
#define WEIR_CHECK(expression)                                                                     \
  do {                                                                                             \
    if (auto check = (expression); !check) return tl::unexpected<Error>(std::move(check).error()); \
  } while (false)

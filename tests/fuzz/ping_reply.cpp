// Any bytes as an answer to weir ping's echoes and SYNs: they prove something or they are nothing. And what
// was sent, with bytes of it changed: never another probe's number, and none without proof.
#include <algorithm>
#include <memory>
#include <vector>

#include "core/assert.hpp"
#include "probe/echo_marks.hpp"
#include "probe/syn_marks.hpp"

namespace weir {
namespace {

constexpr CookieKey key{1, 2};

// An exact copy, so that the sanitizer sees every read past the end.
template <class F>
auto with_copy(Bytes bytes, F&& read) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  return read(Bytes{exact.get(), bytes.size()});
}

void hostile(Bytes input) {
  const std::uint8_t address[] = {192, 0, 2, 1};
  for (const bool v6 : {false, true})
    for (const bool own_id : {false, true})
      for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{8}, std::size_t{56}}) {
        const EchoMarks marks(v6, own_id, size, key);
        const auto answer = with_copy(input, [&](Bytes b) { return marks.read(b); });
        if (!answer) continue;
        WEIR_ASSERT(answer->origin.known_bits == 32 || answer->origin.known_bits == 16);
        WEIR_ASSERT(answer->is_error || answer->to == Addr{});
      }
  const SynMarks marks(key, 61'000);
  with_copy(input, [&](Bytes b) { return marks.read(Addr::v4(address), b); });
  with_copy(input, [&](Bytes b) { return marks.quoted(Addr::v4(address), b); });
}

// The first four bytes are the number; two each say which byte of the reply is changed and how.
void changed(Bytes input) {
  constexpr std::size_t size = 56;
  if (input.size() < 6) return;
  const std::uint32_t number = load_be32(input.data());
  for (const bool v6 : {false, true}) {
    const EchoMarks marks(v6, true, size, key);
    std::vector<std::uint8_t> echo(EchoMarks::header_size + size);
    marks.write(echo.data(), number);
    echo[0] = v6 ? 129 : 0;
    const auto whole = marks.read(echo);
    WEIR_ASSERT(whole && whole->origin.proven && whole->origin.number == number);
    for (std::size_t i = 4; i + 2 <= input.size(); i += 2) echo[input[i] % echo.size()] ^= input[i + 1];
    const auto other = marks.read(echo);
    WEIR_ASSERT(!other || other->is_error || (other->origin.proven && other->origin.number == number));
  }
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::hostile({data, size});
  weir::changed({data, size});
  return 0;
}

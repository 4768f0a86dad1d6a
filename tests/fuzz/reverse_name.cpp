// Any bytes as a name server's answer to the question who 192.0.2.1 is: alone, and behind a header and a
// question that are right.
#include <memory>

#include "core/assert.hpp"
#include "engine/reverse_names.hpp"

namespace {

using namespace weir;

constexpr std::size_t name_max = 1024;  // 255 bytes, each of them written as \DDD

void check(Bytes bytes, const Addr& asked) {
  // An exact copy, so that the sanitizer sees every read past the end.
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const auto answer = read_reverse_answer({exact.get(), bytes.size()}, asked);
  if (!answer) return;
  WEIR_ASSERT(answer->name.size() <= name_max && answer->name != ".");
  WEIR_ASSERT(answer->settled || answer->name.empty());
  for (const char c : answer->name) WEIR_ASSERT(static_cast<unsigned char>(c) > 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t four[] = {192, 0, 2, 1};
  const Addr asked = Addr::v4(four);
  check({data, size}, asked);
  std::vector<std::uint8_t> message = {0,   0,   0x81, 0x80, 0,   1,   0,   3,   0, 0,   0,   0,   1,   '1',
                                       1,   '2', 1,    '0',  3,   '1', '9', '2', 7, 'i', 'n', '-', 'a', 'd',
                                       'd', 'r', 4,    'a',  'r', 'p', 'a', 0,   0, 12,  0,   1};
  message.insert(message.end(), data, data + size);
  check(message, asked);
  if (size > 0) {
    message[3] = static_cast<std::uint8_t>(0x80U | data[0] % 16U);
    check(message, asked);
  }
  return 0;
}

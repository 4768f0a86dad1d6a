// Any bytes as a server's answer: the first byte chooses the conversation. They match or they do not, in
// bounded time, and what is known is bounded text.
#include <cstdint>

#include "core/assert.hpp"
#include "probe/fingerprints.hpp"
#include "probe/http_answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  const Fingerprints& all = Fingerprints::built_in();
  const Conversation& c = all.conversations()[data[0] % all.conversations().size()];
  const Bytes answer{data + 1, size - 1};
  is_whole_http_answer(as_text(answer));
  const auto known = all.identify(c.name, c.proto, answer);
  if (!known) return 0;
  WEIR_ASSERT(!known->service.empty() && known->confidence >= 1 && known->confidence <= 100);
  for (const std::string* text :
       {&known->product, &known->version, &known->info, &known->os, &known->hostname})
    WEIR_ASSERT(text->size() <= 256 && text->find('\0') == std::string::npos);
  return 0;
}

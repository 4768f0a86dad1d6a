// Any text as one of the files of knowledge that users may write themselves: fingerprints of services, of
// systems, or how devices are read, by the first byte. It is understood, or it is one line of error.
#include "core/assert.hpp"
#include "devices/device_systems.hpp"
#include "probe/fingerprints.hpp"
#include "probe/systems.hpp"

namespace {

using namespace weir;

template <class T>
void check(const Result<T>& result) {
  if (result) return;
  const Error& error = result.error();
  WEIR_ASSERT(error.code == Code::usage && !error.what.empty());
  WEIR_ASSERT(error.where.starts_with("fuzz.yaml"));
  WEIR_ASSERT(error.line().find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const FingerprintFile file{"fuzz.yaml", {reinterpret_cast<const char*>(data) + 1, size - 1}};
  switch (data[0] % 3) {
    case 0: check(Fingerprints::read({&file, 1})); break;
    case 1: check(Systems::read({&file, 1})); break;
    default: check(read_device_systems(file.name, file.text)); break;
  }
  return 0;
}

// Any text as arpwatch's arp.dat: sightings of devices, oldest first, or one line of error.
#include "devices/arpwatch_file.hpp"

#include <algorithm>
#include <sstream>

#include "core/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  const auto sightings = read_arpwatch_file(in, "arp.dat");
  if (!sightings) {
    const Error& error = sightings.error();
    WEIR_ASSERT(error.code == Code::usage && error.where.starts_with("arp.dat"));
    WEIR_ASSERT(error.line().find('\n') == std::string::npos);
    return 0;
  }
  WEIR_ASSERT(std::ranges::is_sorted(*sightings, {}, &Sighting::time));
  Inventory inventory;
  for (const Sighting& s : *sightings) {
    WEIR_ASSERT(s.mac && s.ip);
    inventory.see(s);
  }
  inventory.finish();
  WEIR_ASSERT(inventory.devices().size() <= sightings->size());
  return 0;
}

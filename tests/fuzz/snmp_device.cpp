// Any values of an SNMP agent's walk, as the device it is of. Each has its column, the length of its index,
// the index, its kind, and a number or the length of a text and the text.
#include "engine/snmp_device.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/bytes.hpp"

namespace {

using namespace weir;

void check_line(const std::string& text) {
  for (const char c : text) WEIR_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::size_t columns = SnmpDeviceTables::columns().size();
  SnmpDeviceTables tables;
  std::size_t values = 0;
  for (ByteReader r{{data, size}}; !r.empty(); ++values) {
    const std::uint8_t column = r.u8(), kind = r.u8();
    std::vector<unsigned long> index(kind & 31U);
    for (unsigned long& part : index) part = r.u8() == 255 ? r.u32() : r.u8();
    SnmpValue value{.index = index, .number = {}, .text = {}, .wall = {}, .steady = {}};
    const std::uint8_t length = r.u8();
    if ((kind & 0x80) != 0)
      value.number = std::uint64_t{length} << (kind & 0x40) / 2;
    else
      value.text = r.text(std::min<std::size_t>(length, r.remaining()));
    tables.take(column % columns, value);
  }
  const SnmpDevice d = tables.device();
  for (const std::string* text : {&d.name, &d.description, &d.location, &d.model, &d.serial, &d.chassis})
    check_line(*text);
  WEIR_ASSERT(d.arp.size() + d.learned.size() + d.neighbours.size() <= values);
  for (const auto& learned : d.learned) check_line(learned.port);
  for (const auto& n : d.neighbours) {
    WEIR_ASSERT(!n.port.empty() && (n.protocol == "lldp" || n.protocol == "cdp"));
    for (const std::string* text : {&n.port, &n.chassis, &n.neighbour_port, &n.name}) check_line(*text);
  }
  return 0;
}

// Any bytes as an answer to a scan's probes, of each kind, to what all nodes of a link are asked, and as what
// neighbours say of themselves: they prove something or they are nothing.
#include "core/assert.hpp"
#include "engine/link_discovery.hpp"
#include "engine/link_sweep.hpp"
#include "engine/scan_wire.hpp"
#include "probe/systems.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  constexpr std::uint16_t types[] = {0x0800, 0x0806, 0x86dd, 0};
  const ScanWire wire{{1, 2}, 61000};
  for (const std::uint16_t type : types) {
    const auto neighbour = read_neighbour_packet({Time{1}, {data, size}, type, 1, Mac{{2, 0, 0, 0, 0, 1}}});
    WEIR_ASSERT(!neighbour || (!neighbour->how.empty() && !neighbour->ip.is_multicast()));
    const auto reply = read_reply({Time{1}, {data, size}, type, 1, Mac{}}, wire);
    if (!reply) continue;
    WEIR_ASSERT(reply->pass < ScanWire::marks && !reply->answer.reason.view().empty());
    const Answer& answer = reply->answer;
    if (const auto* system =
            Systems::built_in().guess({answer.ttl, answer.window, answer.mss, answer.tcp_options.view()}))
      WEIR_ASSERT(!system->os.empty() && system->confidence <= 100);
  }
  const LinkProbe probe{{1, 2, 3, 4, 5, 6, 7, 8}};
  if (const auto from = read_link_answer({data, size}, probe))
    WEIR_ASSERT(!from->is_multicast() && !from->is_unspecified() && !from->is_v4());
  return 0;
}

// What outsiders say, taken for devices and the cables between them: each step has a control byte (which
// parser, and how much later), one that chooses who speaks, two bytes of length and that many bytes.
#include <algorithm>
#include <array>
#include <memory>

#include "core/assert.hpp"
#include "devices/evidence.hpp"
#include "devices/topology.hpp"
#include "engine/analysis.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::array<std::string_view, 16> parsers = {"arp",  "ndp", "lldp", "cdp",  "dhcp", "dhcpv6",
                                                      "dns",  "dns", "ssdp", "http", "smb",  "snmp",
                                                      "mqtt", "ntp", "ssh",  "tls"};

// Small, so that the bounds are met.
InventoryOptions small() {
  InventoryOptions options;
  options.most_devices = 6;
  options.most_holders = 8;
  options.most_of_a_kind = 4;
  return options;
}

Mac mac_of(unsigned who) {
  return Mac{{static_cast<std::uint8_t>(who & 2), 0, 0x5e, 0, 0x53, static_cast<std::uint8_t>(who)}};
}
Addr address_of(unsigned who, bool v4) {
  const std::uint8_t four[] = {192, 0, 2, static_cast<std::uint8_t>(who)};
  const std::uint8_t sixteen[] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, four[3]};
  return v4 ? Addr::v4(four) : Addr::v6(sixteen);
}

class Link {
 public:
  Link() {
    for (auto& want : wants_) want.wanted = true;
  }

  void say(std::uint8_t control, std::uint8_t who, Bytes bytes) {
    constexpr std::int64_t steps_s[] = {0, 3, 700, 100'000};
    now_ = now_ + seconds(steps_s[control >> 4 & 3]) + milliseconds(10);
    const ParserSpec* spec = find_plugin<ParserSpec>(parsers[control & 15]);
    WEIR_ASSERT(spec != nullptr);
    // An exact copy, so that the sanitizer sees every read past the end.
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const Bytes given{exact.get(), bytes.size()};
    const bool answer = (control & 0x80) != 0, v4 = (control & 0x40) == 0;
    const unsigned first = who & 15U, second = who >> 4;
    const FlowRef flow{.flow_id = 1,
                       .src_ip = address_of(first, v4),
                       .dst_ip = address_of(second, v4),
                       .src_port = spec->ports.empty() ? std::uint16_t{0} : spec->ports.front(),
                       .dst_port = spec->ports.empty() ? std::uint16_t{0} : spec->ports.back(),
                       .proto = IpProto::udp};
    const LinkRef link{.src_mac = mac_of(answer ? second : first),
                       .dst_mac = mac_of(answer ? first : second),
                       .vlan = std::nullopt,
                       .ttl = 255};
    Emitter out(wants_, batch_);
    Context context{.out = out,
                    .flow = flow,
                    .time = now_,
                    .side = answer ? Side::resp : Side::orig,
                    .link = link,
                    .network = given,
                    .source = spec->name,
                    .interface = static_cast<std::uint16_t>(who >> 6)};
    const ParserState state(*spec);
    spec->methods.data(state.get(), context, given);
    if (spec->methods.end != nullptr) spec->methods.end(state.get(), context);
    for (const Batch::Entry& entry : batch_.entries()) take_evidence(inventory_, *entry.type, entry.record);
    batch_.clear();
    inventory_.advance(now_);
    check();
  }

  void end() {
    inventory_.swept(now_, now_ + seconds(1), [](const Addr&) { return true; });
    inventory_.finish();
    for (const Change& change : inventory_.take_changes()) WEIR_ASSERT(change.device != 0);
    check();
    inventory_.saved();
  }

 private:
  void check() {
    const InventoryOptions bounds = small();
    WEIR_ASSERT(inventory_.devices().size() <= bounds.most_devices);
    WEIR_ASSERT(inventory_.holders().size() <= bounds.most_holders);
    for (const auto& [id, device] : inventory_.devices()) {
      WEIR_ASSERT(device.id == id && inventory_.find(id) == &device);
      WEIR_ASSERT(device.macs.size() <= bounds.most_of_a_kind);
      WEIR_ASSERT(device.addresses.size() <= bounds.most_of_a_kind);
      WEIR_ASSERT(device.confidence() <= 100);
      static_cast<void>(device.name());
    }
    for (const Joint& joint : inventory_.topology().joints(inventory_))
      WEIR_ASSERT(!joint.sources.empty() && joint.first <= joint.last);
  }

  Emitter::Wants wants_{};
  Batch batch_;
  Inventory inventory_{small()};
  Time now_{1'700'000'000'000'000'000};
};

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  constexpr unsigned most_steps = 64;
  ByteReader r{{data, size}};
  Link link;
  for (unsigned i = 0; i < most_steps && !r.empty(); ++i) {
    const std::uint8_t control = r.u8(), who = r.u8();
    link.say(control, who, r.bytes(std::min<std::size_t>(r.u16(), r.remaining())));
  }
  link.end();
  return 0;
}

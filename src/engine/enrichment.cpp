#include "engine/enrichment.hpp"

#include <atomic>

#include "core/hash.hpp"
#include "engine/reverse_names.hpp"
#include "records/stat.hpp"

namespace weir {

// What was looked up last, of one thread: addresses come again. Indexed by hash; the latest stays.
struct Enrichment::Cache {
  static constexpr std::size_t size = 4096;
  std::uint64_t owner = 0;
  std::unique_ptr<Known[]> known;
};

namespace {

std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Enrichment::Enrichment(GeoFiles geo, NetworkNames networks, std::unique_ptr<ReverseNames> names)
    : geo_(std::move(geo)),
      networks_(std::move(networks)),
      names_(std::move(names)),
      number_(next_number()) {}

Enrichment::~Enrichment() = default;

const Enrichment::Known& Enrichment::known(const Addr& address) const {
  static thread_local Cache cache;
  if (cache.owner != number_) {
    cache.known = std::make_unique<Known[]>(Cache::size);
    cache.owner = number_;
  }
  std::uint64_t words[2];
  std::memcpy(words, address.bytes.data(), sizeof words);
  Known& entry = cache.known[mix(words[0], words[1]) % Cache::size];
  if (entry.used && entry.address == address) return entry;
  const GeoAnswer geo = geo_.find(address);
  entry = {address, geo.as, networks_.find(address), geo.country, true};
  return entry;
}

void Enrichment::apply(Flow& flow, Arena& texts) const {
  const auto end = [&](const Addr& address, std::optional<std::uint32_t>& as, Text& country, Text& network,
                       Text& name) {
    const Known& found = known(address);
    if (!as && found.as != 0) as = found.as;
    if (country.data() == nullptr && found.country != 0) country = country_code(found.country);
    if (network.data() == nullptr && found.network != NetworkNames::none)
      network = networks_.name(found.network);
    if (names_ != nullptr && name.data() == nullptr) name = names_->find(address, texts);
  };
  end(flow.ref.src_ip, flow.src_as, flow.src_country, flow.src_network, flow.src_name);
  end(flow.ref.dst_ip, flow.dst_as, flow.dst_country, flow.dst_network, flow.dst_name);
}

void Enrichment::add_to(Emitter::Wants& wants) const {
  Emitter::Want& want = wants[record_type<Flow>().id];
  want.completer = this;
  want.complete = [](const void* self, void* record, Arena& texts) {
    static_cast<const Enrichment*>(self)->apply(*static_cast<Flow*>(record), texts);
  };
}

void Enrichment::stats(Time now, Emitter& out) const {
  const auto stat = [&](std::string_view name, std::uint64_t value) {
    out.emit(Stat{.time = now, .name = name, .value = value});
  };
  if (!geo_.empty()) stat("geo_damaged", geo_.damaged());
  if (names_ == nullptr) return;
  const ReverseCounts counts = names_->counts();
  stat("names_asked", counts.asked);
  stat("names_found", counts.named);
  stat("names_without", counts.unnamed);
  stat("names_failed", counts.failed);
  stat("names_refused", counts.refused);
  stat("names_evicted", counts.evicted);
}

}  // namespace weir

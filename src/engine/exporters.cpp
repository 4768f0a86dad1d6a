#include "engine/exporters.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "core/hash.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

constexpr std::size_t count_max = static_cast<std::size_t>(ExportCount::count);
// Names of oddities are literals of the decoders: there are not so many.
constexpr std::size_t most_oddity_names = 64;

void add(ExportCounts& sum, const ExportCounts& counts) noexcept {
  for (std::size_t i = 0; i < count_max; ++i) sum[i] += counts[i];
}

std::string_view stat_name(std::size_t count) {
  static const auto names = [] {
    std::array<std::string, count_max> made;
    for (std::size_t i = 0; i < count_max; ++i)
      made[i] = "export_" + std::string(name_of(static_cast<ExportCount>(i)));
    return made;
  }();
  return names[count];
}

// Which oddities of one exporter were told, and when.
class OddityLimiter {
 public:
  // False when the name was told less than `quiet` ago. Times that go back, as in captures, are no silence.
  bool pass(std::string_view name, Time now, Duration quiet) {
    auto it = std::ranges::find(told_, name, &Told::name);
    if (it == told_.end() && told_.size() < most_oddity_names) {
      told_.push_back({name, now});
      return true;
    }
    if (it == told_.end() || now - it->when < quiet) {
      ++suppressed_;
      return false;
    }
    it->when = now;
    return true;
  }
  std::uint64_t suppressed() const noexcept { return suppressed_; }

 private:
  struct Told {
    std::string_view name;
    Time when;
  };
  std::vector<Told> told_;
  std::uint64_t suppressed_ = 0;
};

}  // namespace

const CollectorSpec* collector_of(Bytes message) {
  for (const CollectorSpec* spec : registry<CollectorSpec>())
    if (spec->recognises(message)) return spec;
  return nullptr;
}

struct Exporters::Exporter {
  explicit Exporter(const Key& k) noexcept : key(k) {}

  // Tells an oddity if its turn has come.
  void oddity(const Sender& from, Duration quiet, std::string_view name, std::string_view detail,
              Emitter& out) {
    if (!limiter.pass(name, from.received, quiet)) return;
    Oddity o{.time = from.received, .name = name};
    if (!from.address.is_unspecified()) o.src_ip = from.address;
    if (from.port != 0) {
      o.src_port = from.port;
      o.proto = from.transport;
    }
    if (!detail.empty()) o.detail = out.text(detail);
    o.source = key.spec == nullptr ? std::string_view{"collect"} : key.spec->name;
    out.emit(o);
  }

  const Key key;
  std::mutex mutex;                        // guards what follows
  bool gone = false;                       // forgotten between find() and the lock: look again
  std::unique_ptr<ExportDecoder> decoder;  // of its datagrams; made with the first
  ExportCounts counts{};
  OddityLimiter limiter;
};

std::size_t Exporters::KeyHash::operator()(const Key& key) const noexcept {
  std::uint64_t words[2];
  std::memcpy(words, key.address.bytes.data(), sizeof words);
  return mix(mix(words[0] ^ seed, words[1]), reinterpret_cast<std::uintptr_t>(key.spec));
}

Exporters::Exporters(const ExporterOptions& options)
    : options_(options),
      exporters_(options.most, std::random_device{}()),
      strangers_(options.most_strangers, std::random_device{}()) {}

Exporters::~Exporters() = default;

Exporters::Shared Exporters::find(Table& table, const Key& key) {
  Shared found, oldest;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = table.index.find(key); it != table.index.end()) {
      if (it->second != table.order.begin()) table.order.splice(table.order.begin(), table.order, it->second);
      return *it->second;
    }
    if (table.order.size() >= table.most) {
      oldest = table.order.back();
      table.index.erase(oldest->key);
      table.order.pop_back();
    }
    found = std::make_shared<Exporter>(key);
    table.order.push_front(found);
    table.index.emplace(key, table.order.begin());
  }
  if (oldest) forget(*oldest);
  return found;
}

Exporters::Held Exporters::hold(Table& table, const Key& key) {
  while (true) {
    Shared exporter = find(table, key);
    std::unique_lock lock(exporter->mutex);
    if (!exporter->gone) return {std::move(exporter), std::move(lock)};
  }
}

void Exporters::forget(Exporter& exporter) {
  ExportCounts counts;
  std::uint64_t suppressed = 0;
  {
    // Another thread may be in the middle of its message: waited for, so that no count gets lost.
    const std::lock_guard lock(exporter.mutex);
    exporter.gone = true;
    save(exporter);
    counts = exporter.counts;
    suppressed = exporter.limiter.suppressed();
  }
  const std::lock_guard lock(mutex_);
  ++forgotten_.forgotten;
  forgotten_.oddities_limited += suppressed;
  if (exporter.key.spec == nullptr) {
    forgotten_.unrecognised += counts[static_cast<std::size_t>(ExportCount::messages)];
    return;
  }
  add(forgotten_.counts, counts);
  add(forgotten_counts_[exporter.key.spec], counts);
}

void Exporters::stranger(const Sender& from, Emitter& out) {
  const auto [stranger, lock] = hold(strangers_, {from.address, nullptr});
  ++stranger->counts[static_cast<std::size_t>(ExportCount::messages)];
  stranger->oddity(from, options_.quiet, "unknown_protocol", {}, out);
}

void Exporters::oddity(const Sender& from, std::string_view name, Emitter& out) {
  const auto [stranger, lock] = hold(strangers_, {from.address, nullptr});
  stranger->oddity(from, options_.quiet, name, {}, out);
}

void Exporters::datagram(const Sender& from, Bytes bytes, Emitter& out) {
  const CollectorSpec* spec = collector_of(bytes);
  if (spec == nullptr) return stranger(from, out);
  const auto [exporter, lock] = hold(exporters_, {from.address, spec});
  if (exporter->decoder == nullptr) {
    exporter->decoder = spec->make();
    if (options_.store != nullptr) exporter->decoder->restore(options_.store->load(from.address, spec->name));
  }
  decode(*exporter, *exporter->decoder, from, bytes, out, false);
}

void Exporters::message(const Sender& from, const CollectorSpec& spec, ExportDecoder& decoder, Bytes bytes,
                        Emitter& out) {
  const auto [exporter, lock] = hold(exporters_, {from.address, &spec});
  decode(*exporter, decoder, from, bytes, out, true);
}

void Exporters::decode(Exporter& exporter, ExportDecoder& decoder, const Sender& from, Bytes bytes,
                       Emitter& out, bool stream) {
  struct Teller {
    Exporter& exporter;
    const Sender& from;
    Duration quiet;
    Emitter& out;
  } teller{exporter, from, options_.quiet, out};
  const std::function<void(std::string_view, std::string_view)> oddity = [&teller](std::string_view name,
                                                                                   std::string_view detail) {
    teller.exporter.oddity(teller.from, teller.quiet, name, detail, teller.out);
  };
  ExportContext context{out, from.received, from.address, exporter.counts, options_.limits, oddity, stream};
  decoder.message(context, bytes);
}

std::vector<Exporters::Shared> Exporters::known(const Table& table) const {
  std::vector<Shared> all;
  {
    const std::lock_guard lock(mutex_);
    all.assign(table.order.begin(), table.order.end());
  }
  std::ranges::sort(all, [](const Shared& a, const Shared& b) {
    if (a->key.address != b->key.address) return a->key.address < b->key.address;
    return a->key.spec != nullptr && b->key.spec != nullptr && a->key.spec->name < b->key.spec->name;
  });
  return all;
}

void Exporters::stats(Time now, Emitter& out) const {
  for (const Shared& exporter : known(exporters_)) {
    ExportCounts counts;
    std::uint64_t suppressed = 0;
    {
      const std::lock_guard lock(exporter->mutex);
      counts = exporter->counts;
      suppressed = exporter->limiter.suppressed();
    }
    Stat stat{.time = now};
    if (!exporter->key.address.is_unspecified()) stat.exporter = exporter->key.address;
    stat.protocol = exporter->key.spec->name;
    const auto emit = [&](std::string_view name, std::uint64_t value) {
      stat.name = name;
      stat.value = value;
      out.emit(stat);
    };
    for (std::size_t i = 0; i < count_max; ++i) emit(stat_name(i), counts[i]);
    emit("export_oddities_limited", suppressed);
  }
  for (const Shared& stranger : known(strangers_)) {
    const std::lock_guard lock(stranger->mutex);
    Stat stat{.time = now, .name = "export_unrecognised"};
    stat.value = stranger->counts[static_cast<std::size_t>(ExportCount::messages)];
    stat.exporter = stranger->key.address;
    out.emit(stat);
  }
  // What was forgotten, by protocol, so that sums over all records are whole.
  const std::lock_guard lock(mutex_);
  for (const CollectorSpec* spec : registry<CollectorSpec>()) {
    const auto it = forgotten_counts_.find(spec);
    if (it == forgotten_counts_.end()) continue;
    for (std::size_t i = 0; i < count_max; ++i)
      out.emit(Stat{.time = now, .name = stat_name(i), .value = it->second[i], .protocol = spec->name});
  }
}

ExporterTotals Exporters::totals() const {
  const std::vector<Shared> all = known(exporters_), strangers = known(strangers_);
  ExporterTotals totals;
  {
    const std::lock_guard lock(mutex_);
    totals = forgotten_;
  }
  const Exporter* before = nullptr;
  for (const Shared& exporter : all) {
    if (before == nullptr || before->key.address != exporter->key.address) ++totals.exporters;
    before = exporter.get();
    const std::lock_guard lock(exporter->mutex);
    add(totals.counts, exporter->counts);
    totals.oddities_limited += exporter->limiter.suppressed();
  }
  for (const Shared& stranger : strangers) {
    const std::lock_guard lock(stranger->mutex);
    totals.unrecognised += stranger->counts[static_cast<std::size_t>(ExportCount::messages)];
    totals.oddities_limited += stranger->limiter.suppressed();
  }
  return totals;
}

void Exporters::save() {
  if (options_.store == nullptr) return;
  for (const Shared& exporter : known(exporters_)) {
    const std::lock_guard lock(exporter->mutex);
    save(*exporter);
  }
}

// With the exporter's lock held.
void Exporters::save(Exporter& exporter) const {
  if (options_.store == nullptr || exporter.decoder == nullptr || !exporter.decoder->take_changed()) return;
  std::vector<std::uint8_t> state;
  exporter.decoder->save(state);
  options_.store->store(exporter.key.address, exporter.key.spec->name, state);
}

}  // namespace weir

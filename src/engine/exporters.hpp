// Everyone who exports flows to this collector: one decoder per exporter address and protocol, or per
// connection, with what is counted about it. Memory is bounded whatever is sent, and from however many forged
// addresses.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/schema.hpp"
#include "plugin/collector.hpp"

namespace weir {

// Where the state of decoders (templates, sampling rates) survives a restart. Called from any thread, for one
// exporter from one at a time. What exporters may come to is bounded by whoever keeps it.
struct ExportStateStore {
  virtual ~ExportStateStore() = default;
  // What was stored last under this key; empty when nothing was, or it cannot be read.
  virtual std::vector<std::uint8_t> load(const Addr& exporter, std::string_view protocol) = 0;
  virtual void store(const Addr& exporter, std::string_view protocol, Bytes state) = 0;
};

struct ExporterOptions {
  // Pairs of address and protocol known at one time; beyond, the one that was silent longest is forgotten and
  // counted.
  std::size_t most = 10'000;
  // Addresses that send what no collector recognises; likewise.
  std::size_t most_strangers = 1'000;
  Duration quiet = seconds(60);  // an oddity of one name is told once in so long by exporter
  ExportLimits limits{};
  ExportStateStore* store = nullptr;  // borrowed
};

struct Sender {
  Addr address;
  std::uint16_t port = 0;
  IpProto transport = IpProto::udp;
  Time received;
};

// All exporters together, those forgotten included.
struct ExporterTotals {
  std::uint64_t exporters = 0;         // addresses known now
  std::uint64_t forgotten = 0;         // pairs of address and protocol, to make room
  std::uint64_t unrecognised = 0;      // datagrams and streams of no protocol known here
  std::uint64_t oddities_limited = 0;  // not told, being repetitions
  ExportCounts counts{};

  std::uint64_t operator[](ExportCount what) const noexcept { return counts[static_cast<std::size_t>(what)]; }
};

// The collector whose protocol the message begins like; nullptr: none.
const CollectorSpec* collector_of(Bytes message);

// Any thread may call anything here. Messages of one exporter take turns; those of several go side by side.
class Exporters {
 public:
  explicit Exporters(const ExporterOptions& options = {});
  ~Exporters();
  Exporters(const Exporters&) = delete;
  Exporters& operator=(const Exporters&) = delete;

  // One datagram.
  void datagram(const Sender& from, Bytes bytes, Emitter& out);
  // One message of a stream, with the stream's own decoder (RFC 7011 §8: templates live as long as the
  // transport session). Counted with the exporter's others.
  void message(const Sender& from, const CollectorSpec& spec, ExportDecoder& decoder, Bytes bytes,
               Emitter& out);
  // A datagram, or the start of a stream, that no collector recognises: counted by address, and an oddity.
  void stranger(const Sender& from, Emitter& out);
  // Something odd of an address that is not known as an exporter; `name` as in ExportContext::oddity.
  void oddity(const Sender& from, std::string_view name, Emitter& out);

  // A `stat` record of every count of every exporter, by address and protocol.
  void stats(Time now, Emitter& out) const;
  ExporterTotals totals() const;
  // Hands the state of decoders that has changed to the store. Does nothing without one.
  void save();

 private:
  struct Exporter;
  using Shared = std::shared_ptr<Exporter>;
  struct Key {
    Addr address;
    const CollectorSpec* spec;  // nullptr: a stranger
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const noexcept;
  };
  // By use, most recent first.
  struct Table {
    Table(std::size_t bound, std::uint64_t seed) : most(bound), index(0, KeyHash{seed}) {}
    std::size_t most;
    std::list<Shared> order;
    std::unordered_map<Key, std::list<Shared>::iterator, KeyHash> index;
  };

  struct Held {
    Shared exporter;
    std::unique_lock<std::mutex> lock;  // of the exporter; released first
  };

  Shared find(Table& table, const Key& key);
  Held hold(Table& table, const Key& key);
  void forget(Exporter& exporter);
  void decode(Exporter& exporter, ExportDecoder& decoder, const Sender& from, Bytes bytes, Emitter& out,
              bool stream);
  void save(Exporter& exporter) const;
  std::vector<Shared> known(const Table& table) const;

  const ExporterOptions options_;
  mutable std::mutex mutex_;  // guards what follows; held while no other lock is
  Table exporters_, strangers_;
  std::unordered_map<const CollectorSpec*, ExportCounts> forgotten_counts_;
  ExporterTotals forgotten_;  // its `exporters` are not used
};

}  // namespace weir

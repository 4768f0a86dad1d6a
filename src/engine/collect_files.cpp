#include "engine/collect_files.hpp"

#include <algorithm>

#include "packet/capture_file.hpp"
#include "packet/decode.hpp"
#include "packet/defragment.hpp"
#include "packet/input_paths.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

// So many packets, or messages of a stream, make a batch.
constexpr std::size_t batch_packets = 1024;
// Of other services; exports go to higher ones (RFC 6335 §6).
constexpr std::uint16_t last_system_port = 1023, dns_port = 53;
// What is looked at to tell a stream from a capture.
constexpr std::size_t head_bytes = 64;

// The collector whose stream of messages the bytes begin; nullptr: none.
const CollectorSpec* stream_of(Bytes head) {
  const CollectorSpec* spec = collector_of(head);
  if (spec == nullptr || spec->framed == nullptr || spec->framed(head) == CollectorSpec::npos) return nullptr;
  return spec;
}

// Of an input that is open already.
class OneFile final : public PacketSource {
 public:
  explicit OneFile(std::unique_ptr<CaptureFile> file) : file_(std::move(file)) {}
  Result<bool> read(PacketSlice& slice, std::size_t most) override { return file_->read(slice, most); }
  const std::vector<Damage>& damages() const override { return file_->damages(); }
  std::uint64_t bytes_read() const noexcept override { return file_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return file_->bytes_total(); }

 private:
  std::unique_ptr<CaptureFile> file_;
};

class FileCollection {
 public:
  FileCollection(Exporters& exporters, const Emitter::Wants& wants, const Enrichment* enrichment,
                 Outlet& outlet, const std::function<void(const CollectProgress&)>& progress,
                 const std::atomic<bool>& stop)
      : exporters_(exporters),
        enrichment_(enrichment),
        outlet_(outlet),
        progress_(progress),
        stop_(stop),
        emitter_(wants, delivery_.batch) {}

  Result<CollectedFiles> run(std::span<const std::string> files) {
    WEIR_TRY(const auto paths, expand_inputs(files));
    WEIR_CHECK(paths.size() == 1 ? one(paths.front()) : several(paths));
    tail();
    WEIR_CHECK(outlet_.result());
    return std::move(outcome_);
  }

 private:
  // Opened once, so that it may be a pipe.
  Result<void> one(const std::string& path) {
    WEIR_TRY(auto input, open_input(path));
    input->advance(0, head_bytes);
    if (const CollectorSpec* spec = stream_of(input->window())) {
      stream(*spec, *input, path);
      return {};
    }
    WEIR_TRY(auto file, CaptureFile::from_input(std::move(input), path));
    OneFile source(std::move(file));
    return capture(source);
  }

  Result<void> several(const std::vector<std::string>& paths) {
    std::vector<std::string> captures;
    std::vector<std::pair<const CollectorSpec*, std::string>> streams;
    for (const std::string& path : paths) {
      const CollectorSpec* spec = nullptr;
      if (path != "-") {
        WEIR_TRY(auto input, open_input(path));
        input->advance(0, head_bytes);
        spec = stream_of(input->window());
      }
      if (spec == nullptr)
        captures.push_back(path);
      else
        streams.emplace_back(spec, path);
    }
    if (!captures.empty()) {
      const SourceSpec* pcap = find_plugin<SourceSpec>("pcap");
      WEIR_ASSERT(pcap != nullptr);
      WEIR_TRY(const auto source, pcap->open(captures));
      WEIR_CHECK(capture(*source));
    }
    for (const auto& [spec, path] : streams) {
      if (!going_) break;
      WEIR_TRY(const auto input, open_input(path));
      input->advance(0, head_bytes);
      stream(*spec, *input, path);
    }
    return {};
  }

  Result<void> capture(PacketSource& source) {
    PacketSlice slice;
    while (going_) {
      slice.clear();
      WEIR_TRY(const bool more, source.read(slice, batch_packets));
      if (!more) break;
      for (const RawPacket& raw : slice.packets) packet(raw);
      outcome_.packets += slice.packets.size();
      deliver();
      if (progress_) progress_({outcome_.packets, source.bytes_read(), source.bytes_total()});
    }
    const auto& found = source.damages();
    outcome_.damages.insert(outcome_.damages.end(), found.begin(), found.end());
    return {};
  }

  void packet(const RawPacket& raw) {
    outcome_.last = std::max(outcome_.last, raw.time);
    layers_.clear();
    decode(raw, layers_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].fragment) continue;
      const Layer fragment = layers_[i];
      const Datagram whole = defragmenter_.add(fragment, raw.time);
      if (!whole) continue;
      layers_.resize(i);
      decode_ip(fragment, whole, layers_);
      return udp(raw.time);  // while the datagram lives
    }
    udp(raw.time);
  }

  // The datagrams among the layers: those that carry no further layer.
  void udp(Time time) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const bool carries = i + 1 < layers_.size() && layers_[i + 1].depth > layer.depth;
      if (layer.kind != LayerKind::ip || layer.proto != IpProto::udp || layer.fragment || carries) continue;
      // A capture holds all kinds of things: what no collector recognises is nobody's mistake, and a DNS
      // message whose number happens to be 9 is not NetFlow v9.
      if (layer.dst_port <= last_system_port || layer.src_port == dns_port ||
          collector_of(layer.payload) == nullptr) {
        ++outcome_.others;
        continue;
      }
      ++outcome_.datagrams;
      const Sender from{.address = layer.src(), .port = layer.src_port, .received = time};
      exporters_.datagram(from, layer.payload, emitter_);
    }
  }

  void stream(const CollectorSpec& spec, Input& input, const std::string& path) {
    const auto decoder = spec.make();
    const auto damaged = [&](std::string_view name, std::string what) {
      outcome_.damages.push_back({path, input.offset(), name, std::move(what)});
    };
    for (std::size_t in_batch = 0; going_ && !input.window().empty();) {
      const std::size_t length = spec.framed(input.window());
      if (length == CollectorSpec::npos)
        return damaged("corrupt_message", "no " + std::string(spec.name) + " message begins here");
      const std::size_t have = input.window().size(), need = length == 0 ? have + 1 : length;
      if (need > have) {
        input.advance(0, need);
        if (input.window().size() < need) {
          if (!input.broken().empty()) return damaged("unreadable_file", input.broken());
          return damaged("truncated_file", "the file ends inside a message");
        }
        continue;
      }
      const Bytes message = input.window().first(length);
      const Time sent = spec.exported == nullptr ? Time{} : spec.exported(message);
      outcome_.last = std::max(outcome_.last, sent);
      ++outcome_.messages;
      exporters_.message({.received = sent}, spec, *decoder, message, emitter_);
      input.advance(length, 1);
      if (++in_batch % batch_packets != 0) continue;
      deliver();
      if (progress_) progress_({outcome_.messages, input.bytes_read(), input.bytes_total()});
    }
    if (!input.broken().empty()) damaged("unreadable_file", input.broken());
    deliver();
  }

  // What is known only at the end: damaged input and the stats.
  void tail() {
    defragmenter_.flush();
    for (const Damage& d : outcome_.damages)
      emitter_.emit(
          Oddity{.time = outcome_.last, .name = d.name, .detail = emitter_.text(d.what), .source = "file"});
    const auto stat = [&](std::string_view name, std::uint64_t value) {
      emitter_.emit(Stat{.time = outcome_.last, .name = name, .value = value});
    };
    const ExporterTotals totals = exporters_.totals();
    stat("packets", outcome_.packets);
    stat("datagrams", outcome_.datagrams);
    stat("other_datagrams", outcome_.others);
    stat("messages", outcome_.messages);
    stat("datagrams_reassembled", defragmenter_.stats().datagrams);
    stat("fragments_dropped", defragmenter_.stats().lost_fragments);
    stat("exporters", totals.exporters);
    stat("exporters_forgotten", totals.forgotten);
    exporters_.stats(outcome_.last, emitter_);
    if (enrichment_ != nullptr) enrichment_->stats(outcome_.last, emitter_);
    deliver();
  }

  void deliver() {
    going_ = outlet_.deliver(delivery_, true) && !stop_;
    emitter_.into(delivery_.batch);
  }

  Exporters& exporters_;
  const Enrichment* enrichment_;
  Outlet& outlet_;
  const std::function<void(const CollectProgress&)>& progress_;
  const std::atomic<bool>& stop_;
  Delivery delivery_;
  Emitter emitter_;
  Defragmenter defragmenter_;
  std::vector<Layer> layers_;
  CollectedFiles outcome_;
  bool going_ = true;
};

}  // namespace

Result<CollectedFiles> collect_files(std::span<const std::string> files, Exporters& exporters,
                                     const Emitter::Wants& wants, const Enrichment* enrichment,
                                     Outlet& outlet,
                                     const std::function<void(const CollectProgress&)>& progress,
                                     const std::atomic<bool>& stop) {
  return FileCollection(exporters, wants, enrichment, outlet, progress, stop).run(files);
}

}  // namespace weir

// One exporter that talks to the decoder of one protocol, without a collector around it.
//
//   Exporting device("netflow9");
//   device.send(message);
//   device.flows().at(0).bytes …
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "packet_bytes.hpp"
#include "plugin/collector.hpp"
#include "records/counter.hpp"
#include "records/flow.hpp"

namespace weir::test {

inline Octets be64(std::uint64_t v) {
  return be32(static_cast<std::size_t>(v >> 32U)) + be32(static_cast<std::size_t>(v & 0xffffffffU));
}
inline Octets byte(std::size_t v) {
  return {static_cast<std::uint8_t>(v)};
}

class Exporting {
 public:
  explicit Exporting(std::string_view protocol) : spec_(*find(protocol)), decoder_(spec_.make()) {
    for (auto& want : wants_) want.wanted = true;
  }

  // When messages are received; their headers say 2023-11-14T22:13:20Z as well.
  static constexpr std::int64_t epoch = 1'700'000'000;
  Time now{epoch * 1'000'000'000};
  bool stream = false;
  ExportLimits limits{};
  Addr address = *parse_addr("192.0.2.1");
  std::vector<std::string> oddities;

  void send(const Octets& message) {
    EXPECT_TRUE(spec_.recognises(message));
    const std::function<void(std::string_view, std::string_view)> oddity =
        [this](std::string_view name, std::string_view) { oddities.emplace_back(name); };
    ExportContext context{emitter_, now, address, counts_, limits, oddity, stream};
    // A copy of exactly these bytes, so that a sanitizer sees reads past them.
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[message.size()]);
    std::copy(message.begin(), message.end(), exact.get());
    decoder_->message(context, {exact.get(), message.size()});
  }
  template <Record R>
  std::vector<R> records() const {
    std::vector<R> found;
    for (const auto& entry : batch_.entries())
      if (entry.type == &record_type<R>()) found.push_back(*static_cast<const R*>(entry.record));
    return found;
  }
  std::vector<Flow> flows() const { return records<Flow>(); }
  std::uint64_t count(ExportCount what) const { return counts_[static_cast<std::size_t>(what)]; }
  bool take_changed() { return decoder_->take_changed(); }
  std::vector<std::uint8_t> save() const {
    std::vector<std::uint8_t> state;
    decoder_->save(state);
    return state;
  }
  // The collector was started again.
  void restart(const std::vector<std::uint8_t>& state) {
    decoder_ = spec_.make();
    decoder_->restore(state);
  }

 private:
  static const CollectorSpec* find(std::string_view protocol) {
    const CollectorSpec* spec = find_plugin<CollectorSpec>(protocol);
    if (spec == nullptr) ADD_FAILURE() << "no collector named " << protocol;
    WEIR_ASSERT(spec != nullptr);
    return spec;
  }

  const CollectorSpec& spec_;
  std::unique_ptr<ExportDecoder> decoder_;
  Emitter::Wants wants_{};
  Batch batch_;
  Emitter emitter_{wants_, batch_};
  ExportCounts counts_{};
};

inline Time at(double seconds_after_epoch) {
  return {Exporting::epoch * 1'000'000'000 +
          static_cast<std::int64_t>(seconds_after_epoch * 1000) * 1'000'000};
}

}  // namespace weir::test

// NetFlow v9 (RFC 3954) to a collector. A flow that went both ways is two. The protocol's times are
// milliseconds since the exporter started, in 32 bits: the clock in its headers is that of the traffic, so
// that flows out of a capture of last year have the time they had.
#include "sinks/flow_export.hpp"

namespace weir::flow_export {
namespace {

constexpr Element times[] = {
    {22, 4, [](Message& m, const Flow& f) { m.put(ms_of(f.time) - m.epoch_ms, 4); }},
    {21, 4,
     [](Message& m, const Flow& f) {
       m.put(std::min<std::uint64_t>(ms_of(end_of(f)) - m.epoch_ms, 0xffffffff), 4);
     }},
};
constexpr Group own_groups[] = {
    {[](const Flow&) { return true; }, times},
    // It has no ICMPv6 type of its own.
    {[](const Flow& f) { return f.ref.proto == IpProto::icmpv6; }, icmp_message},
};
constexpr auto groups = [] {
  std::array<Group, std::size(own_groups) + std::size(common_groups)> all{};
  std::copy(std::begin(common_groups), std::end(common_groups),
            std::copy(std::begin(own_groups), std::end(own_groups), all.begin()));
  return all;
}();
constexpr Protocol protocol{.groups = groups, .template_set = 0, .header = 20, .alignment = 4};

// The start of the clock is this long before the first flow, and flows up to as much later fit: 24 days.
constexpr std::uint64_t reach_ms = std::uint64_t{1} << 31U;

class Netflow9Sink final : public Sink {
 public:
  Netflow9Sink(const Destination& to, Sender sender)
      : messages_(protocol, to.mtu), outlet_(std::move(sender), to.rate, true), domain_(to.domain) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void* record, std::string_view) override {
    Result<void> done;
    for_each_direction(*static_cast<const Flow*>(record), [&](const Flow& flow) {
      if (done) done = add(flow);
    });
    return done;
  }
  Result<void> flush() override {
    if (messages_.entries() == 0) return {};
    constexpr std::uint16_t version = 9;
    // The message leaves when its last flow has ended.
    const std::uint64_t second = (latest_ms_ + 999) / 1000;
    Message& message = messages_.finish();
    message.patch(0, version, 2);
    message.patch(2, messages_.entries(), 2);
    message.patch(4, second * 1000 - epoch_ms_, 4);
    message.patch(8, second, 4);
    message.patch(12, sequence_++, 4);  // of messages (RFC 3954 §5.1)
    message.patch(16, domain_, 4);
    WEIR_CHECK(outlet_.send(messages_, message.bytes()));
    messages_.begin();
    return {};
  }
  Result<void> close() override {
    WEIR_CHECK(flush());
    return outlet_.check();
  }

 private:
  Result<void> add(const Flow& flow) {
    WEIR_CHECK(fit(flow));
    if (!messages_.add(flow)) {
      WEIR_CHECK(flush());
      messages_.add(flow);
    }
    latest_ms_ = std::max(latest_ms_, ms_of(end_of(flow)));
    return {};
  }
  // Starts the clock anew when the flow's times do not fit what is left of it.
  Result<void> fit(const Flow& flow) {
    const std::uint64_t start = ms_of(flow.time), end = ms_of(end_of(flow));
    if (started_ && start >= epoch_ms_ && end < epoch_ms_ + 2 * reach_ms - 1000) return {};
    WEIR_CHECK(flush());
    started_ = true;
    epoch_ms_ = start - std::min(start, reach_ms);
    latest_ms_ = 0;
    messages_.set_epoch(epoch_ms_);
    return {};
  }

  Messages messages_;
  Outlet outlet_;
  std::uint64_t domain_, epoch_ms_ = 0, latest_ms_ = 0;
  std::uint32_t sequence_ = 0;
  bool started_ = false;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(only_flows(options, "NetFlow v9"));
  constexpr std::uint16_t port = 2055;  // customary
  WEIR_TRY(const Destination to,
           parse_destination(options.destination, {.port = port, .rate = default_rate, .mtu = default_mtu}));
  WEIR_TRY(Sender sender, Sender::connect(to.host, to.port, Transmission::datagrams));
  return std::make_unique<Netflow9Sink>(to, std::move(sender));
}

constexpr SinkSpec spec{.name = "netflow9",
                        .doc = "NetFlow v9 to a collector: -o netflow9://HOST:PORT",
                        .mixes_types = false,
                        .open = open,
                        .network = true,
                        .takes = takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir::flow_export

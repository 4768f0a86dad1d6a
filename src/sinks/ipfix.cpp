// IPFIX (RFC 7011) to a collector. A flow that went both ways is one record with reverse elements (RFC 5103).
#include <ctime>

#include "sinks/flow_export.hpp"

namespace weir::flow_export {
namespace {

constexpr std::uint32_t reverse = 29305;  // the enterprise of RFC 5103 §6.1
constexpr Element times[] = {
    {152, 8, [](Message& m, const Flow& f) { m.put(ms_of(f.time), 8); }},
    {153, 8, [](Message& m, const Flow& f) { m.put(ms_of(end_of(f)), 8); }},
};
constexpr Element backward[] = {
    {1, 8, [](Message& m, const Flow& f) { m.put(f.dst_bytes, 8); }, reverse},
    {2, 8, [](Message& m, const Flow& f) { m.put(f.dst_packets, 8); }, reverse},
    {6, 1, [](Message& m, const Flow& f) { m.put(tcp_flags_of(f.dst_tcp_flags), 1); }, reverse},
    {5, 1, [](Message& m, const Flow& f) { m.put(f.dst_tos.value_or(0), 1); }, reverse},
    {239, 1, [](Message& m, const Flow&) { m.put(1, 1); }},  // the source is the initiator (RFC 5103 §6.3)
};
constexpr Element icmp6[] = {{139, 2, [](Message& m, const Flow& f) { m.put(icmp_type_code(f), 2); }}};
constexpr Element exporter4[] = {{130, 4, [](Message& m, const Flow& f) { m.put(*f.exporter); }}};
constexpr Element exporter6[] = {{131, 16, [](Message& m, const Flow& f) { m.put(*f.exporter); }}};

constexpr Group own_groups[] = {
    {[](const Flow&) { return true; }, times},
    {[](const Flow& f) { return f.dst_packets != 0 || f.dst_bytes != 0; }, backward},
    {[](const Flow& f) { return f.ref.proto == IpProto::icmpv6; }, icmp6},
    {[](const Flow& f) { return f.exporter && f.exporter->is_v4(); }, exporter4},
    {[](const Flow& f) { return f.exporter && !f.exporter->is_v4(); }, exporter6},
};
constexpr auto groups = [] {
  std::array<Group, std::size(own_groups) + std::size(common_groups)> all{};
  std::copy(std::begin(common_groups), std::end(common_groups),
            std::copy(std::begin(own_groups), std::end(own_groups), all.begin()));
  return all;
}();
constexpr Protocol protocol{.groups = groups, .template_set = 2, .header = 16, .alignment = 1};

class IpfixSink final : public Sink {
 public:
  IpfixSink(const Destination& to, Sender sender, bool stream)
      : messages_(protocol, to.mtu), outlet_(std::move(sender), to.rate, !stream), domain_(to.domain) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void* record, std::string_view) override {
    const Flow& flow = *static_cast<const Flow*>(record);
    if (messages_.add(flow)) return {};
    WEIR_CHECK(flush());
    messages_.add(flow);
    return {};
  }
  Result<void> flush() override {
    if (messages_.entries() == 0) return {};
    constexpr std::uint16_t version = 10;
    Message& message = messages_.finish();
    message.patch(0, version, 2);
    message.patch(2, message.size(), 2);
    message.patch(4, static_cast<std::uint64_t>(std::time(nullptr)), 4);
    message.patch(8, sequence_, 4);
    message.patch(12, domain_, 4);
    sequence_ += messages_.records();  // of data records before this message (RFC 7011 §3.1)
    WEIR_CHECK(outlet_.send(messages_, message.bytes()));
    messages_.begin();
    return {};
  }
  Result<void> close() override {
    WEIR_CHECK(flush());
    return outlet_.check();
  }

 private:
  Messages messages_;
  Outlet outlet_;
  std::uint64_t domain_;
  std::uint32_t sequence_ = 0;
};

template <bool stream>
Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(only_flows(options, "IPFIX"));
  constexpr std::uint16_t port = 4739;              // IANA "ipfix"
  constexpr std::uint64_t stream_message = 16'000;  // nothing on the way cuts a stream into packets
  WEIR_TRY(const Destination to,
           parse_destination(options.destination, {.port = port,
                                                   .rate = stream ? 0 : default_rate,
                                                   .mtu = stream ? stream_message : default_mtu}));
  WEIR_TRY(Sender sender,
           Sender::connect(to.host, to.port, stream ? Transmission::stream : Transmission::datagrams));
  return std::make_unique<IpfixSink>(to, std::move(sender), stream);
}

constexpr SinkSpec udp{.name = "ipfix",
                       .doc = "IPFIX over UDP to a collector: -o ipfix://HOST:PORT",
                       .mixes_types = false,
                       .open = open<false>,
                       .network = true,
                       .takes = takes};
constexpr SinkSpec tcp{.name = "ipfix+tcp",
                       .doc = "IPFIX over TCP to a collector: -o ipfix+tcp://HOST:PORT",
                       .mixes_types = false,
                       .open = open<true>,
                       .network = true,
                       .takes = takes};

}  // namespace
WEIR_REGISTER(SinkSpec, udp);
WEIR_REGISTER(SinkSpec, tcp);
}  // namespace weir::flow_export

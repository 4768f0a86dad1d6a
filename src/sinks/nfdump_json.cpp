// nfdump's JSON (its output_json.c): one array with an object for each flow. Keys of what no Flow has (when
// it was received, MPLS labels, …) are left out; the exporter's number is 0.
#include "core/json.hpp"
#include "sinks/nfdump.hpp"

namespace weir {
namespace {

class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += "{\n"; }
  void text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_text(out_, value);
  }
  void number(std::string_view key, std::uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
  }
  void address(std::string_view before, std::string_view after, const Addr& a) {
    text(fmt::format("{}{}{}", before, a.is_v4() ? '4' : '6', after), nfdump::address(a));
  }
  void mac(std::string_view key, const std::optional<Mac>& mac) {
    char buffer[mac_text_max];
    text(key, {buffer, write_mac(buffer, mac.value_or(Mac{}))});
  }
  void finish() { out_ += "\n}"; }

 private:
  void begin(std::string_view key) {
    if (!first_) out_ += ",\n";
    first_ = false;
    fmt::format_to(std::back_inserter(out_), "\t\"{}\" : ", key);
  }
  std::string& out_;
  bool first_ = true;
};

// The network that the mask leaves; no mask, no network.
std::string network(const Addr& a, std::uint8_t mask) {
  const unsigned length = a.is_v4() ? mask + 96U : mask;
  if (mask == 0 || length > 128) return "";
  Addr net = a;
  for (unsigned bit = length; bit < 128; ++bit)
    net.bytes[bit / 8] = static_cast<std::uint8_t>(net.bytes[bit / 8] & ~(0x80U >> bit % 8));
  return nfdump::address(net);
}

void put_basics(Object& o, const Flow& f) {
  o.text("type", f.event.data() != nullptr ? "EVENT" : "FLOW");
  o.number("sampled", f.sampling ? 1 : 0);
  o.number("export_sysid", 0);
  o.text("first", nfdump::local_time_ms(f.time, 'T'));
  o.text("last", nfdump::local_time_ms(nfdump::end_of(f), 'T'));
  o.number("in_packets", f.src_packets);
  o.number("in_bytes", f.src_bytes);
  o.number("proto", static_cast<std::uint8_t>(f.ref.proto));
  if (nfdump::is_icmp(f)) {
    const IcmpType icmp = icmp_type_of(f.ref);
    o.number("icmp_type", icmp.type);
    o.number("icmp_code", icmp.code);
  } else {
    o.text("tcp_flags", nfdump::flags(f.src_tcp_flags));
    o.number("src_port", f.ref.src_port);
    o.number("dst_port", f.ref.dst_port);
  }
  o.number("src_tos", f.src_tos.value_or(0));
  o.address("src", "_addr", f.ref.src_ip);
  o.address("dst", "_addr", f.ref.dst_ip);
}

// nfdump keeps these together: all of them, or none.
void put_routing(Object& o, const Flow& f) {
  if (!f.in_interface && !f.out_interface && !f.src_mask && !f.dst_mask && !f.dst_tos &&
      f.direction.data() == nullptr && f.end_reason.data() == nullptr)
    return;
  o.number("input_snmp", f.in_interface.value_or(0));
  o.number("output_snmp", f.out_interface.value_or(0));
  o.number("src_mask", f.src_mask.value_or(0));
  o.number("dst_mask", f.dst_mask.value_or(0));
  o.text("src_net", network(f.ref.src_ip, f.src_mask.value_or(0)));
  o.text("dst_net", network(f.ref.dst_ip, f.dst_mask.value_or(0)));
  o.number("fwd_status", f.forwarding.value_or(0));
  o.number("direction", f.direction == "egress" ? 1 : 0);
  o.number("dst_tos", f.dst_tos.value_or(0));
}

void put_rest(Object& o, const Flow& f) {
  if (f.dst_packets != 0 || f.dst_bytes != 0) {
    o.number("out_packets", f.dst_packets);
    o.number("out_bytes", f.dst_bytes);
    o.number("aggr_flows", 1);
  }
  if (f.vlan || f.dst_vlan) {
    o.number("src_vlan", f.vlan.value_or(0));
    o.number("dst_vlan", f.dst_vlan.value_or(0));
  }
  if (f.src_as || f.dst_as) {
    o.number("src_as", f.src_as.value_or(0));
    o.number("dst_as", f.dst_as.value_or(0));
  }
  if (f.bgp_next_hop) o.address("bgp", "_next_hop", *f.bgp_next_hop);
  if (f.next_hop) o.address("ip", "_next_hop", *f.next_hop);
  if (f.exporter) o.address("ip", "_router", *f.exporter);
  if (f.src_mac || f.dst_mac) {
    o.mac("in_src_mac", f.src_mac);
    o.mac("in_dst_mac", f.dst_mac);
  }
  if (f.event.data() != nullptr) {
    o.text("event", f.event);
    o.text("t_event", nfdump::local_time_ms(f.time, 'T'));
  }
  if (f.nat_src_ip) o.address("src", "_xlt_ip", *f.nat_src_ip);
  if (f.nat_dst_ip) o.address("dst", "_xlt_ip", *f.nat_dst_ip);
  // Texts, as nfdump has them.
  if (f.nat_src_port) o.text("src_xlt_port", std::to_string(*f.nat_src_port));
  if (f.nat_dst_port) o.text("dst_xlt_port", std::to_string(*f.nat_dst_port));
  o.text("label", "<none>");
}

class JsonSink final : public nfdump::FlowSink {
 public:
  explicit JsonSink(OutputSet outputs) : FlowSink(std::move(outputs)) {
    prolog_ = "[\n";
    epilog_ = "]\n";
  }
  Result<void> consume(const RecordType& type, const void* record, std::string_view encoded) override {
    if (!first_) {
      WEIR_TRY(OutputFile * file, output());
      WEIR_CHECK(file->write(",\n"));
    }
    first_ = false;
    return FlowSink::consume(type, record, encoded);
  }

 private:
  void put(const Flow& f, std::string& out) const override {
    Object object(out);
    put_basics(object, f);
    put_routing(object, f);
    put_rest(object, f);
    object.finish();
  }
  bool first_ = true;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(nfdump::check(options, "nfdump's JSON"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "json"));
  return std::make_unique<JsonSink>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "nfdump-json",
                        .doc = "nfdump's JSON: an array of flows",
                        .mixes_types = false,
                        .open = open,
                        .takes = nfdump::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

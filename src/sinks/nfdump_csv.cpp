// nfdump's CSV (its output_csv.c) without the summary: a row for each flow. What no Flow has is as nfdump
// writes it when it is unknown: MPLS labels, latencies, the exporter's number and when the record was
// received.
#include "sinks/nfdump.hpp"

namespace weir {
namespace {

constexpr std::string_view header =
    "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,"
    "dvln,"
    "ismc,odmc,idmc,osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,"
    "tr\n";

std::string mac_text(const std::optional<Mac>& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac.value_or(Mac{}))};
}
std::string addr_text(const std::optional<Addr>& a) {
  return a ? nfdump::address(*a) : "0.0.0.0";
}

class CsvSink final : public nfdump::FlowSink {
 public:
  explicit CsvSink(OutputSet outputs) : FlowSink(std::move(outputs)) { prolog_ = header; }

 private:
  void put(const Flow& f, std::string& out) const override {
    const auto to = std::back_inserter(out);
    const std::int64_t ms = nfdump::duration_ms(f);
    fmt::format_to(to, "{},{},{}.{:03},{},{},{},{},{},{},{},{},", nfdump::local_time(f.time, ' '),
                   nfdump::local_time(nfdump::end_of(f), ' '), ms / 1000, ms % 1000,
                   nfdump::address(f.ref.src_ip), nfdump::address(f.ref.dst_ip), nfdump::src_port(f),
                   nfdump::dst_port(f), nfdump::protocol(f.ref.proto), nfdump::flags(f.src_tcp_flags),
                   f.forwarding.value_or(0), f.src_tos.value_or(0));
    fmt::format_to(to, "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},", f.src_packets, f.src_bytes,
                   f.dst_packets, f.dst_bytes, f.in_interface.value_or(0), f.out_interface.value_or(0),
                   f.src_as.value_or(0), f.dst_as.value_or(0), f.src_mask.value_or(0), f.dst_mask.value_or(0),
                   f.dst_tos.value_or(0), f.direction == "egress" ? 1 : 0, addr_text(f.next_hop),
                   addr_text(f.bgp_next_hop), f.vlan.value_or(0), f.dst_vlan.value_or(0));
    const std::string none = mac_text(std::nullopt);
    fmt::format_to(to, "{},{},{},{},", mac_text(f.src_mac), none, mac_text(f.dst_mac), none);
    for (unsigned label = 0; label < 10; ++label) out += "0-0-0,";
    out += "    0.000,    0.000,    0.000,";
    const std::uint32_t engine = f.domain.value_or(0);
    fmt::format_to(to, "{},{}/{},0,{}\n", addr_text(f.exporter), engine >> 8 & 0xff, engine & 0xff,
                   nfdump::local_time_ms(Time{}, ' '));
  }
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(nfdump::check(options, "nfdump's CSV"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "csv"));
  return std::make_unique<CsvSink>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "nfdump-csv",
                        .doc = "nfdump's CSV: a flow in each row",
                        .mixes_types = false,
                        .open = open,
                        .takes = nfdump::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

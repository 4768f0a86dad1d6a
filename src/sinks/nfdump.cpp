// nfdump's line, long and extended: one line for each direction of a flow, with nfdump's columns, header and
// rounding (its output_fmt.c). Without the summary at the end, which weir has no place for.
#include "sinks/nfdump.hpp"

namespace weir {
namespace {

// Up to a million in full, then with one decimal and a letter.
std::string scaled(std::uint64_t number) {
  constexpr double mega = 1e6, giga = 1e9, tera = 1e12;
  const auto value = static_cast<double>(number);
  if (value >= tera) return fmt::format("{:5.1f} T", value / tera);
  if (value >= giga) return fmt::format("{:5.1f} G", value / giga);
  if (value >= mega) return fmt::format("{:5.1f} M", value / mega);
  return std::to_string(number);
}

std::string duration(std::int64_t ms) {
  constexpr std::int64_t day = 86'400'000, hour = 3'600'000, minute = 60'000;
  const std::string days = ms >= day ? fmt::format("{:2}d", ms / day) : "   ";
  ms %= day;
  return fmt::format("{} {:02}:{:02}:{:02}.{:03}", days, ms / hour, ms % hour / minute, ms % minute / 1000,
                     ms % 1000);
}

// An IPv6 address that is longer than an IPv4 address keeps its beginning and its end.
std::string condensed(const Addr& a) {
  constexpr std::size_t width = 16, begin = 7, end = 7;
  std::string text = nfdump::address(a);
  if (text.size() <= width) return text;
  return text.substr(0, begin) + ".." + text.substr(text.size() - end);
}

void put_end(std::string& out, const Addr& a, std::string_view port) {
  fmt::format_to(std::back_inserter(out), "{:>16}{}{:<5}", condensed(a), a.is_v4() ? ':' : '.', port);
}

enum class Form : std::uint8_t { line, with_flags, extended };

void put_direction(const Flow& f, Form form, std::string& out) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{} {} {:<5} ", nfdump::local_time_ms(f.time, ' '), duration(nfdump::duration_ms(f)),
                 nfdump::protocol(f.ref.proto));
  put_end(out, f.ref.src_ip, std::to_string(nfdump::src_port(f)));
  out += " -> ";
  const IcmpType icmp = icmp_type_of(f.ref);
  put_end(out, f.ref.dst_ip,
          nfdump::is_icmp(f) ? fmt::format("{}.{}", icmp.type, icmp.code) : std::to_string(f.ref.dst_port));
  if (form != Form::line)
    fmt::format_to(to, " {:>8} {:>3}", nfdump::flags(f.src_tcp_flags), f.src_tos.value_or(0));
  fmt::format_to(to, " {:>8} {:>8}", scaled(f.src_packets), scaled(f.src_bytes));
  if (form == Form::extended) {
    const double seconds = static_cast<double>(nfdump::duration_ms(f)) / 1000;
    const auto rate = [&](std::uint64_t n) {
      return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(n) / seconds) : 0;
    };
    fmt::format_to(to, " {:>8} {:>8} {:>6}", scaled(rate(f.src_packets)), scaled(rate(8 * f.src_bytes)),
                   f.src_packets == 0 ? 0 : f.src_bytes / f.src_packets);
  }
  out += "     1\n";  // how many flows
}

constexpr std::string_view headers[] = {
    "Date first seen             Duration     Proto      Src IP Addr:Port          Dst IP Addr:Port   "
    "Packets    Bytes Flows\n",
    "Date first seen             Duration     Proto      Src IP Addr:Port          Dst IP Addr:Port     "
    "Flags Tos  Packets    Bytes Flows\n",
    "Date first seen             Duration     Proto      Src IP Addr:Port          Dst IP Addr:Port     "
    "Flags Tos  Packets    Bytes      pps      bps    Bpp Flows\n",
};

class LineSink final : public nfdump::FlowSink {
 public:
  LineSink(Form form, OutputSet outputs) : FlowSink(std::move(outputs)), form_(form) {
    prolog_ = headers[static_cast<std::size_t>(form)];
  }

 private:
  void put(const Flow& flow, std::string& out) const override {
    for_each_direction(flow, [&](const Flow& f) { put_direction(f, form_, out); });
  }
  Form form_;
};

template <Form form>
Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(nfdump::check(options, "nfdump's line"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "txt"));
  return std::make_unique<LineSink>(form, std::move(outputs));
}

constexpr SinkSpec line{.name = "line",
                        .doc = "nfdump's line: a direction of a flow in each line",
                        .mixes_types = false,
                        .open = open<Form::line>,
                        .takes = nfdump::takes};
constexpr SinkSpec long_line{.name = "long",
                             .doc = "nfdump's long: line, with TCP flags and type of service",
                             .mixes_types = false,
                             .open = open<Form::with_flags>,
                             .takes = nfdump::takes};
constexpr SinkSpec extended{.name = "extended",
                            .doc = "nfdump's extended: long, with rates and bytes per packet",
                            .mixes_types = false,
                            .open = open<Form::extended>,
                            .takes = nfdump::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, line);
WEIR_REGISTER(SinkSpec, long_line);
WEIR_REGISTER(SinkSpec, extended);
}  // namespace weir

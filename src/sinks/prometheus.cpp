// Prometheus' text format (exposition format 0.0.4) of ping_stats, with blackbox_exporter's names where it
// has some, and of counters with node_exporter's: the latest of each target or interface, when the output is
// closed. With -w PATH.prom it suits node_exporter's
// textfile collector.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <span>

#include "core/format.hpp"
#include "os/output_file.hpp"
#include "plugin/sink.hpp"
#include "records/counter.hpp"
#include "records/ping.hpp"

namespace weir {
namespace {

// A label's value: backslash, quote and line feed are escaped.
void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? "" : ",";
  out.append(name) += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  out += '"';
}

template <class R>
struct Family {
  std::string_view name, help;
  std::optional<double> (*value)(const R&);
};
std::optional<double> seconds_of(const std::optional<Duration>& d) {
  if (!d) return std::nullopt;
  return d->seconds();
}
constexpr Family<PingStats> ping_families[] = {
    {"probe_success", "Whether any probe was answered",
     [](const PingStats& s) -> std::optional<double> { return s.received > 0 ? 1 : 0; }},
    {"probe_duration_seconds", "Mean round trip", [](const PingStats& s) { return seconds_of(s.rtt_avg); }},
    {"probe_ip_protocol", "4 or 6",
     [](const PingStats& s) -> std::optional<double> { return s.to.dst_ip.is_v4() ? 4 : 6; }},
    {"probe_sent", "Probes answered or given up",
     [](const PingStats& s) -> std::optional<double> { return static_cast<double>(s.sent); }},
    {"probe_received", "Probes answered in time",
     [](const PingStats& s) -> std::optional<double> { return static_cast<double>(s.received); }},
    {"probe_loss_ratio", "Share without answer, 0 to 1",
     [](const PingStats& s) -> std::optional<double> { return s.loss / 100; }},
    {"probe_rtt_min_seconds", "Shortest round trip",
     [](const PingStats& s) { return seconds_of(s.rtt_min); }},
    {"probe_rtt_max_seconds", "Longest round trip", [](const PingStats& s) { return seconds_of(s.rtt_max); }},
    {"probe_rtt_mdev_seconds", "Standard deviation of round trips",
     [](const PingStats& s) { return seconds_of(s.rtt_mdev); }},
    {"probe_rtt_p50_seconds", "Median round trip", [](const PingStats& s) { return seconds_of(s.rtt_p50); }},
    {"probe_rtt_p95_seconds", "95 % of round trips took at most this",
     [](const PingStats& s) { return seconds_of(s.rtt_p95); }},
    {"probe_rtt_p99_seconds", "99 % of round trips took at most this",
     [](const PingStats& s) { return seconds_of(s.rtt_p99); }},
    {"probe_jitter_seconds", "Jitter by RFC 3550", [](const PingStats& s) { return seconds_of(s.jitter); }},
    {"probe_duplicates", "Replies beyond the first to one probe",
     [](const PingStats& s) -> std::optional<double> { return static_cast<double>(s.duplicates); }},
    {"probe_reordered", "Replies out of order",
     [](const PingStats& s) -> std::optional<double> { return static_cast<double>(s.reordered); }},
};

std::string labels_of(const PingStats& stats) {
  std::string labels;
  append_label(labels, "target", stats.to.target);
  append_label(labels, "ip", to_string(stats.to.dst_ip));
  append_label(labels, "probe", stats.to.probe);
  if (stats.to.dst_port) append_label(labels, "port", std::to_string(*stats.to.dst_port));
  return labels;
}
void forget_texts(PingStats& stats) {
  stats.to.target = stats.to.probe = {};
}

std::optional<double> number(std::optional<std::uint64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}
// node_exporter's, of its netdev and netclass collectors.
constexpr Family<Counter> counter_families[] = {
    {"node_network_receive_bytes_total", "Bytes received",
     [](const Counter& c) { return number(c.in_bytes); }},
    {"node_network_receive_packets_total", "Packets received",
     [](const Counter& c) { return number(c.in_packets); }},
    {"node_network_receive_errs_total", "Packets received with errors",
     [](const Counter& c) { return number(c.in_errors); }},
    {"node_network_receive_drop_total", "Packets received and thrown away",
     [](const Counter& c) { return number(c.in_discards); }},
    {"node_network_receive_multicast_total", "Multicast packets received",
     [](const Counter& c) { return number(c.in_multicast); }},
    {"node_network_transmit_bytes_total", "Bytes sent", [](const Counter& c) { return number(c.out_bytes); }},
    {"node_network_transmit_packets_total", "Packets sent",
     [](const Counter& c) { return number(c.out_packets); }},
    {"node_network_transmit_errs_total", "Packets not sent because of errors",
     [](const Counter& c) { return number(c.out_errors); }},
    {"node_network_transmit_drop_total", "Packets thrown away before sending",
     [](const Counter& c) { return number(c.out_discards); }},
    {"node_network_carrier_changes_total", "How often the link came or went",
     [](const Counter& c) { return number(c.carrier_changes); }},
    {"node_network_up", "Whether the interface is operational",
     [](const Counter& c) -> std::optional<double> {
       if (!c.up) return std::nullopt;
       return *c.up ? 1 : 0;
     }},
    {"node_network_speed_bytes", "Speed of the link in bytes a second",
     [](const Counter& c) -> std::optional<double> {
       if (!c.speed) return std::nullopt;
       return static_cast<double>(*c.speed) / 8;
     }},
};
std::string labels_of(const Counter& c) {
  std::string labels;
  if (c.device) append_label(labels, "agent", to_string(*c.device));  // which node_exporter has none of
  append_label(labels, "device", c.name);
  return labels;
}
void forget_texts(Counter& c) {
  c.name = c.alias = {};
}

template <class R>
class PrometheusSink final : public Sink {
 public:
  PrometheusSink(std::unique_ptr<OutputFile> file, std::span<const Family<R>> families)
      : file_(std::move(file)), families_(families) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void* record, std::string_view) override {
    R kept = *static_cast<const R*>(record);
    std::string labels = labels_of(kept);
    forget_texts(kept);  // the batch's
    latest_.insert_or_assign(std::move(labels), kept);
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override {
    for (const Family<R>& family : families_) {
      std::string text = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help,
                                     family.name.ends_with("_total") ? "counter" : "gauge");
      for (const auto& [labels, record] : latest_) {
        const auto value = family.value(record);
        if (!value) continue;
        text.append(family.name).append("{").append(labels).append("} ");
        append_value(text, Kind::f64, &*value, TimeStyle::epoch);
        text += '\n';
      }
      WEIR_CHECK(file_->write(text));
    }
    return file_->close();
  }

 private:
  std::unique_ptr<OutputFile> file_;
  std::span<const Family<R>> families_;
  std::map<std::string, R> latest_;  // by labels
};

bool takes(const RecordType& type) {
  return &type == &record_type<Counter>() || &type == &record_type<PingStats>();
}

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  using Types = std::vector<const RecordType*>;
  const bool counters = options.types == Types{&record_type<Counter>()};
  if (!counters && options.types != Types{&record_type<PingStats>()})
    return fail(Code::usage, "takes ping_stats or counter records alone", "--output prometheus",
                "add -r ping_stats or -r counter");
  if (!options.fields.empty())
    return fail(Code::usage, "has no effect on Prometheus' format", "--fields", "leave it out");
  if (options.destination.ends_with('/'))
    return fail(Code::usage, "is one file", "--write", "leave the / out");
  WEIR_TRY(auto file, OutputFile::open(options.destination));
  if (counters) return std::make_unique<PrometheusSink<Counter>>(std::move(file), counter_families);
  return std::make_unique<PrometheusSink<PingStats>>(std::move(file), ping_families);
}

constexpr SinkSpec spec{.name = "prometheus",
                        .doc = "Prometheus' text format of ping_stats or counter, for the textfile collector",
                        .mixes_types = false,
                        .open = open,
                        .takes = takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

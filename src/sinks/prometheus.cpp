// Prometheus' text format (exposition format 0.0.4) of ping_stats, with blackbox_exporter's names where it
// has some: the latest of each target, when the output is closed. With -w PATH.prom it suits node_exporter's
// textfile collector.
#include <fmt/format.h>

#include <map>
#include <optional>

#include "core/format.hpp"
#include "os/output_file.hpp"
#include "plugin/sink.hpp"
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

struct Family {
  std::string_view name, help;
  std::optional<double> (*value)(const PingStats&);
};
std::optional<double> seconds_of(const std::optional<Duration>& d) {
  if (!d) return std::nullopt;
  return d->seconds();
}
constexpr Family families[] = {
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

class PrometheusSink final : public Sink {
 public:
  explicit PrometheusSink(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void* record, std::string_view) override {
    const PingStats& stats = *static_cast<const PingStats*>(record);
    std::string labels;
    append_label(labels, "target", stats.to.target);
    append_label(labels, "ip", to_string(stats.to.dst_ip));
    append_label(labels, "probe", stats.to.probe);
    if (stats.to.dst_port) append_label(labels, "port", std::to_string(*stats.to.dst_port));
    PingStats kept = stats;
    kept.to.target = kept.to.probe = {};  // the batch's
    latest_.insert_or_assign(std::move(labels), kept);
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override {
    for (const Family& family : families) {
      std::string text = fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", family.name, family.help);
      for (const auto& [labels, stats] : latest_) {
        const auto value = family.value(stats);
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
  std::map<std::string, PingStats> latest_;  // by labels
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  if (options.types != std::vector<const RecordType*>{&record_type<PingStats>()})
    return fail(Code::usage, "takes ping_stats records alone", "--output prometheus", "add -r ping_stats");
  if (!options.fields.empty())
    return fail(Code::usage, "has no effect on Prometheus' format", "--fields", "leave it out");
  if (options.destination.ends_with('/'))
    return fail(Code::usage, "is one file", "--write", "leave the / out");
  WEIR_TRY(auto file, OutputFile::open(options.destination));
  return std::make_unique<PrometheusSink>(std::move(file));
}

constexpr SinkSpec spec{.name = "prometheus",
                        .doc = "Prometheus' text format of ping_stats, for the textfile collector",
                        .mixes_types = false,
                        .open = open};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir

#include "cli/front/collect_summary.hpp"

#include <fmt/core.h>

#include "core/human.hpp"

namespace weir {
namespace {

constexpr std::size_t samples_kept = 5;

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", human_count(count), one, count == 1 ? "" : "s");
}

}  // namespace

std::string CollectSummary::line(const CollectorStatus& status) {
  const ExporterTotals& all = status.exporters;
  samples_.push_back({status.running, all[ExportCount::flows], outlet_.packets(), outlet_.bytes()});
  if (samples_.size() > samples_kept) samples_.pop_front();
  const Sample &first = samples_.front(), &last = samples_.back();
  const double s = samples_.size() > 1 ? last.at.seconds() - first.at.seconds() : 0;
  const auto rate = [&](std::uint64_t a, std::uint64_t b) {
    return s > 0 && b >= a ? static_cast<std::uint64_t>(static_cast<double>(b - a) / s + 0.5) : 0;
  };
  std::string out =
      fmt::format("{}  {} flows/s  {} packets/s  {}/s", counted(all.exporters, "exporter"),
                  human_count(rate(first.flows, last.flows)), human_count(rate(first.packets, last.packets)),
                  human_bytes(rate(first.bytes, last.bytes)));
  const std::size_t without = out.size();
  const auto tell = [&](std::uint64_t count, std::string_view what) {
    if (count != 0) out += fmt::format("  {} {}", what, human_count(count));
  };
  tell(status.dropped, "dropped");
  tell(all[ExportCount::lost], "lost");
  tell(all[ExportCount::unknown_templates], "unknown templates");
  tell(all[ExportCount::malformed], "malformed");
  tell(all.unrecognised, "unrecognised");
  if (store_ != nullptr) {
    const StoreStatus stored = store_->status();
    tell(stored.refused, stored.full ? "DISK FULL, refused" : "refused");
    if (stored.waiting_segments > 1) tell(stored.waiting_segments, "segments waiting");
  }
  if (out.size() == without) out += "  nothing lost";
  return out;
}

std::string CollectSummary::end(const CollectorStatus& status) const {
  const ExporterTotals& all = status.exporters;
  std::string out =
      fmt::format("weir: {} from {} in {}\n", counted(all[ExportCount::flows], "flow"),
                  counted(all.exporters + all.forgotten, "exporter"), human_duration(status.running));
  const auto tell = [&](std::uint64_t count, std::string_view what) {
    if (count != 0) out += fmt::format("weir: {} {}\n", human_count(count), what);
  };
  tell(all[ExportCount::lost], "lost on the way, by the exporters' sequence numbers");
  tell(status.dropped, "datagrams dropped by the kernel, which found the queue full: raise --rcvbuf");
  tell(all[ExportCount::pending_dropped], "data sets dropped, whose template did not come");
  tell(all[ExportCount::malformed], "malformed messages");
  tell(all.unrecognised, "datagrams or connections of no protocol known here");
  tell(all.forgotten, "exporters forgotten to make room for others");
  if (store_ != nullptr) {
    const StoreStatus stored = store_->status();
    out += fmt::format("weir: {} stored in {}, {}\n", counted(stored.published, "record"),
                       counted(stored.files, "file"), human_bytes(stored.file_bytes));
    tell(stored.refused, "records refused while the disk was full");
  }
  tell(status.streams.refused, "connections refused, being too many");
  return out;
}

}  // namespace weir

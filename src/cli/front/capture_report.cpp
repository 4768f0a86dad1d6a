#include "cli/front/capture_report.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include "core/human.hpp"

namespace weir {
namespace {

constexpr Duration interval = milliseconds(250);
constexpr std::size_t samples_kept = 8;

double cpu_seconds() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace

bool CaptureReport::due(Time steady) noexcept {
  if (steady < next_) return false;
  next_ = steady + interval;
  return true;
}

std::string CaptureReport::line(const LiveStatus& status) {
  samples_.push_back({status.running, status.packets, status.bytes, cpu_seconds()});
  if (samples_.size() > samples_kept) samples_.pop_front();
  const Sample &first = samples_.front(), &last = samples_.back();
  const double s = last.at.seconds() - first.at.seconds();
  const double packets = static_cast<double>(last.packets - first.packets),
               bits = static_cast<double>(last.bytes - first.bytes) * 8, cpu = last.cpu - first.cpu;
  std::string out =
      fmt::format("{}  {} packets  {}", where_, human_count(status.packets), human_bytes(status.bytes));
  if (s > 0)
    out += fmt::format("  {}/s  {}  CPU {:.0f}%", human_count(static_cast<std::uint64_t>(packets / s + 0.5)),
                       human_bits_per_second(bits / s), cpu / s * 100);
  out += fmt::format("  dropped: {} nic, {} ring", human_count(status.nic_drops),
                     human_count(status.ring_drops));
  if (store_ != nullptr) out += fmt::format(", {} records", human_count(store_->status().refused));
  return out;
}

std::string CaptureReport::end(const LiveStatus& status) const {
  std::string out =
      fmt::format("weir: {} packet{}, {} on the wire, in {}\n", human_count(status.packets),
                  status.packets == 1 ? "" : "s", human_bytes(status.bytes), human_duration(status.running));
  const auto tell = [&](std::uint64_t count, std::string_view what) {
    if (count != 0) out += fmt::format("weir: {} {}\n", human_count(count), what);
  };
  tell(status.ring_drops, "packets dropped by the kernel, which found the ring full: raise --buffer");
  tell(status.nic_drops, "packets dropped by the interface");
  tell(status.kernel_times, "packets have the kernel's time, the card made none");
  tell(status.copies,
       "copies left out, of packets that passed a bridge, bond or VLAN as well (--all-copies keeps them)");
  if (store_ != nullptr) {
    const StoreStatus stored = store_->status();
    tell(stored.published, "records stored");
    tell(stored.refused, "records refused while the disk was full");
  }
  return out;
}

std::string CaptureReport::written(const PacketFiles& files, const std::string& path) {
  const std::string where = path == "-" ? std::string("standard output") : path;
  const std::string packets =
      fmt::format("{} packet{}", human_count(files.packets()), files.packets() == 1 ? "" : "s");
  const std::string many =
      files.files() == 1 ? std::string{} : fmt::format("{} files like ", human_count(files.files()));
  return fmt::format("weir: {}, {} in {}{}\n", packets, human_bytes(files.bytes()), many, where);
}

}  // namespace weir

#include "engine/ping_recorder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/hash.hpp"
#include "packet/icmp_names.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

using Outcome = PingEvent::Kind;

std::string_view status_of(Outcome kind) noexcept {
  switch (kind) {
    case Outcome::reply: return "reply";
    case Outcome::timeout: return "timeout";
    case Outcome::unreachable: return "unreachable";
    case Outcome::refused: return "refused";
    case Outcome::failed: return "failed";
    case Outcome::late: return "late";
    case Outcome::duplicate: return "duplicate";
  }
  __builtin_unreachable();
}

bool is_answer(Outcome kind) noexcept {
  return kind == Outcome::reply || kind == Outcome::late || kind == Outcome::duplicate;
}

// Records that are made before they are written, at most.
constexpr std::size_t batch_records = 512;

}  // namespace

std::string_view reason_of(const PingEvent& event) {
  if (event.kind == Outcome::timeout) return "timeout";
  const ProbeNews& news = *event.news;
  if (!news.reason.empty()) return news.reason;
  if (event.kind == Outcome::failed) return ::strerrordesc_np(news.error);
  if (event.kind != Outcome::unreachable) return status_of(event.kind);
  // The family is the target's.
  const bool v6 = !news.to.is_v4();
  const std::string_view name = icmp_code_name(v6, news.type, news.code);
  return name.empty() ? icmp_type_name(v6, news.type) : name;
}

PingRecorder::PingRecorder(const std::vector<ProbeTarget>& targets, const PingRecorderOptions& options,
                           const Emitter::Wants& wants, Outlet& outlet)
    : list_(targets),
      options_(options),
      outlet_(outlet),
      emitter_(wants, delivery_.batch),
      kept_(std::clamp<std::size_t>(
          most_samples / targets.size(), 1,
          options.stats.ns == 0 ? std::min<std::size_t>(options.burst, most_of_one) : most_of_one)),
      samples_(targets.size() * kept_),
      targets_(targets.size()) {}

void PingRecorder::joined() {
  samples_.resize(list_.size() * kept_);
  targets_.resize(list_.size());
}

PingTarget PingRecorder::to(std::uint32_t target) {
  const ProbeTarget& t = list_[target];
  PingTarget to{.target = t.name, .dst_ip = t.address, .probe = options_.probe};
  if (t.port != 0) to.dst_port = t.port;
  return to;
}

void PingRecorder::happened(const PingEvent& event) {
  Watched& w = targets_[event.target];
  if (w.first.ns == 0) w.first = event.time;
  w.last = std::max(w.last, event.known);
  switch (event.kind) {
    case Outcome::reply:
      random_ = mix(random_, static_cast<std::uint64_t>(event.rtt.ns));
      w.tally.replied(event.seq, event.rtt, samples(event.target), random_);
      break;
    case Outcome::late: w.tally.late(); break;
    case Outcome::duplicate: w.tally.duplicate(); break;
    case Outcome::timeout: w.tally.lost(); break;
    default: w.tally.lost(); w.tally.error();
  }
  if (!is_answer(event.kind)) w.lost = reason_of(event);
  if (emitter_.wants<Ping>()) record(event);
  watch(w, event);
  if (delivery_.batch.entries().size() >= batch_records) {
    outlet_.deliver(delivery_, false);
    emitter_.into(delivery_.batch);
  }
}

void PingRecorder::record(const PingEvent& event) {
  Ping ping{.time = event.time, .to = to(event.target), .seq = event.seq, .status = status_of(event.kind)};
  if (is_answer(event.kind)) {
    ping.rtt = event.rtt;
    ping.clock = event.kernel ? "kernel" : "program";
    ping.reason = event.news->reason;
  } else if (event.kind != Outcome::timeout) {
    ping.reason = reason_of(event);
  }
  if (event.news != nullptr) {
    const ProbeNews& news = *event.news;
    if (news.from != Addr{}) ping.from_ip = news.from;
    ping.ttl = news.ttl;
    if (news.bytes != 0) ping.reply_bytes = news.bytes;
    if (event.kind == Outcome::unreachable) {
      ping.icmp_type = news.type;
      ping.icmp_code = news.code;
    }
  }
  emitter_.emit(ping);
}

// Silence, and its end.
void PingRecorder::watch(Watched& w, const PingEvent& event) {
  if (event.kind == Outcome::late || event.kind == Outcome::duplicate) return;
  if (event.kind == Outcome::reply) {
    if (w.silent == 0 || event.seq < w.silent_seq) return;
    if (w.down) record_outage(w, event);
    w.down = false;
    w.silent = 0;
    w.reason = {};
    return;
  }
  // Known late: a probe after it was answered.
  if (event.seq < w.tally.answered_up_to()) return;
  if (w.silent == 0) {
    w.silent_since = event.time;
    w.silent_seq = event.seq;
  }
  ++w.silent;
  if (event.kind != Outcome::timeout || w.reason.empty()) {
    w.reason = reason_of(event);
    if (event.kind == Outcome::unreachable) {
      w.type = event.news->type;
      w.code = event.news->code;
      w.from = event.news->from;
    } else {
      w.from = {};
    }
  }
  if (w.down || w.silent < options_.down_after) return;
  w.down = true;
  record_outage(w, event);
}

void PingRecorder::record_outage(const Watched& w, const PingEvent& event) {
  const bool up = event.kind == Outcome::reply;
  Outage outage{.time = event.known,
                .to = to(event.target),
                .state = up ? "up" : "down",
                .start = w.silent_since,
                .lost = w.silent,
                .reason = w.reason};
  if (up) {
    outage.end = event.time;
    outage.duration = event.time - w.silent_since;
  }
  if (w.from != Addr{}) {
    outage.icmp_type = w.type;
    outage.icmp_code = w.code;
    outage.from_ip = w.from;
  }
  emitter_.emit(outage);
}

void PingRecorder::record_stats(std::uint32_t target) {
  Watched& w = targets_[target];
  const PingTally& t = w.tally;
  if (t.sent() == 0) return;
  if (t.received() < t.sent() && !std::exchange(w.lossy, true)) lossy_.push_back(target);
  const bool lossy = options_.loss_percent ? t.loss_percent() > *options_.loss_percent : t.received() == 0;
  if (lossy || (t.received() > 0 && t.avg() > options_.rtt)) ++too_bad_;
  if (emitter_.wants<PingStats>()) {
    PingStats stats{.time = w.first,
                    .end = w.last,
                    .to = to(target),
                    .sent = t.sent(),
                    .received = t.received(),
                    .loss = t.loss_percent(),
                    .reordered = t.reordered(),
                    .duplicates = t.duplicates(),
                    .late = t.late_replies(),
                    .errors = t.errors(),
                    .sampled = t.received() > kept_,
                    .reason = w.lost};
    if (t.received() > 0) {
      const RttSamples kept = samples(target).first(t.kept(samples(target)));
      stats.rtt_min = t.min();
      stats.rtt_avg = t.avg();
      stats.rtt_max = t.max();
      stats.rtt_mdev = t.mdev();
      stats.rtt_p50 = percentile(kept, 50);
      stats.rtt_p95 = percentile(kept, 95);
      stats.rtt_p99 = percentile(kept, 99);
      if (t.received() > 1) stats.jitter = t.jitter();
    }
    emitter_.emit(stats);
  }
  w.tally.restart();
  w.first = {};
  w.lost = {};
}

void PingRecorder::burst_ended(std::uint32_t target) {
  if (options_.stats.ns == 0) record_stats(target);
}

bool PingRecorder::idle() {
  if (delivery_.batch.entries().empty()) return true;
  const bool more = outlet_.deliver(delivery_, true);
  emitter_.into(delivery_.batch);
  return more;
}

Time PingRecorder::tick(Time now) {
  if (options_.stats.ns == 0) return {INT64_MAX};
  if (next_stats_.ns != 0)
    for (std::uint32_t i = 0; i < targets_.size(); ++i) record_stats(i);
  next_stats_ = std::max(next_stats_, now) + options_.stats;
  return next_stats_;
}

void PingRecorder::finish(const PingCounts& counts, std::uint64_t dropped) {
  for (std::uint32_t i = 0; i < targets_.size(); ++i) record_stats(i);
  if (emitter_.wants<Stat>()) {
    const Time at = wall_now();
    const auto stat = [&](std::string_view name, std::uint64_t value) {
      emitter_.emit(Stat{.time = at, .name = name, .value = value});
    };
    stat("targets", list_.size());
    stat("probes", counts.sent);
    stat("replies", counts.replies);
    stat("timeouts", counts.timeouts);
    stat("errors", counts.errors);
    stat("late_replies", counts.late);
    stat("duplicates", counts.duplicates);
    stat("strays", counts.strays);
    stat("waits", counts.waits);
    stat("kernel_drops", dropped);
  }
  outlet_.deliver(delivery_, true);
  emitter_.into(delivery_.batch);
}

}  // namespace weir

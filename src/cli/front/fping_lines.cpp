#include "cli/front/fping_lines.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace weir {
namespace {

using Outcome = PingEvent::Kind;

std::atomic<bool> snapshot_wanted{false};
extern "C" void want_snapshot(int) {
  snapshot_wanted = true;
}

// RFC 792's codes, in fping's words.
constexpr std::string_view unreachable_words[] = {
    "ICMP Network Unreachable",
    "ICMP Host Unreachable",
    "ICMP Protocol Unreachable",
    "ICMP Port Unreachable",
    "ICMP Unreachable (Fragmentation Needed)",
    "ICMP Unreachable (Source Route Failed)",
    "ICMP Unreachable (Destination Network Unknown)",
    "ICMP Unreachable (Destination Host Unknown)",
    "ICMP Unreachable (Source Host Isolated)",
    "ICMP Unreachable (Communication with Network Prohibited)",
    "ICMP Unreachable (Communication with Host Prohibited)",
    "ICMP Unreachable (Network Unreachable For Type Of Service)",
    "ICMP Unreachable (Host Unreachable For Type Of Service)",
    "ICMP Unreachable (Communication Administratively Prohibited)",
    "ICMP Unreachable (Host Precedence Violation)",
    "ICMP Unreachable (Precedence cutoff in effect)",
};

std::string_view error_words(std::uint8_t type, std::uint8_t code) noexcept {
  switch (type) {
    case 3:
      return code < std::size(unreachable_words) ? unreachable_words[code]
                                                 : "ICMP Unreachable (Invalid Code)";
    case 4: return "ICMP Source Quench";
    case 11: return "ICMP Time Exceeded";
    case 12: return "ICMP Parameter Problem";
    default: return {};
  }
}

std::string from_elsewhere(const PingEvent& event, const Addr& target) {
  const Addr& from = event.news->from;
  return from == target ? std::string() : fmt::format(" [<- {}]", to_string(from));
}

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) noexcept {
  return whole == 0 ? 0 : part * 100 / whole;
}

}  // namespace

void watch_for_fping_snapshots() {
  std::signal(SIGQUIT, want_snapshot);
}

std::string fping_ms(std::int64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  if (ms < 0) return fmt::format("{:.2g}", ms);
  if (ms < 1) return fmt::format("{:.3f}", ms);
  if (ms < 10) return fmt::format("{:.2f}", ms);
  if (ms < 100) return fmt::format("{:.1f}", ms);
  if (ms < 1'000'000) return fmt::format("{:.0f}", ms);
  return fmt::format("{:.3e}", ms);
}

void FpingLines::Sum::add(std::int64_t rtt) noexcept {
  ++sent;
  ++received;
  if (max == 0 || rtt > max) max = rtt;
  if (min == 0 || rtt < min) min = rtt;
  total += rtt;
}

FpingLines::FpingLines(const FpingOptions& options, const std::vector<ProbeTarget>& targets,
                       const std::vector<std::string>& names, std::size_t unknown)
    : options_(options), targets_(targets), names_(names), unknown_(unknown), hosts_(targets.size()) {
  const bool chosen = options.alive || options.unreachable || options.min_reachable != 0;
  const bool verbose = !options.quiet && !chosen;
  verbose_ = verbose && options.until_answer();
  each_ping_ = (options.count != 0 && verbose) || (options.loop && options.report.ns == 0);
  for (const ProbeTarget& t : targets) width_ = std::max(width_, static_cast<int>(t.name.size()));
  if (options.every_round_trip) round_trips_.assign(targets.size() * options.count, unanswered);
}

void FpingLines::happened(const PingEvent& event) {
  switch (event.kind) {
    case Outcome::reply: return replied(event);
    case Outcome::late:
    case Outcome::duplicate: return again(event);
    case Outcome::timeout: return timed_out(event);
    case Outcome::failed: return not_sent(event);
    default: return told(event);
  }
}

std::string FpingLines::loss(const Host& h) const {
  if (h.all.received <= h.all.sent)
    return fmt::format("{}% loss", percent(h.all.sent - h.all.received, h.all.sent));
  return fmt::format("{}% return", percent(h.replies, h.all.sent));
}

void FpingLines::replied(const PingEvent& event) {
  Host& h = hosts_[event.target];
  const ProbeTarget& target = targets_[event.target];
  ++h.replies;
  ++replies_;
  h.all.add(event.rtt.ns);
  h.since.add(event.rtt.ns);
  total_.add(event.rtt.ns);
  if (!round_trips_.empty()) round_trips_[event.target * options_.count + event.seq] = event.rtt.ns;
  if (h.all.received == 1) {
    ++alive_;
    alive(event);
  }
  if (!each_ping_) return;
  std::string line;
  if (options_.timestamp) line = fmt::format("[{:.5f}] ", static_cast<double>(event.known.ns) / 1e9);
  line += fmt::format("{:<{}} : [{}], {} bytes, {} ms ({} avg, {})", target.name, width_, event.seq,
                      event.news->bytes, fping_ms(event.rtt.ns),
                      fping_ms(h.all.total / static_cast<std::int64_t>(h.all.received)), loss(h));
  fmt::print(stderr, "{}", from_elsewhere(event, target.address));
  fmt::print("{}\n", line);
}

void FpingLines::alive(const PingEvent& event) {
  const bool shown = verbose_ || (options_.alive && options_.until_answer());
  if (!shown) return;
  const ProbeTarget& target = targets_[event.target];
  std::string line(target.name);
  if (verbose_) line += " is alive";
  if (options_.elapsed) line += fmt::format(" ({} ms)", fping_ms(event.rtt.ns));
  fmt::print(stderr, "{}", from_elsewhere(event, target.address));
  fmt::print("{}\n", line);
}

// A reply too many, or too late.
void FpingLines::again(const PingEvent& event) {
  Host& h = hosts_[event.target];
  ++h.replies;
  ++replies_;
  if (event.kind != Outcome::duplicate || options_.loop || each_ping_) return;
  const ProbeTarget& target = targets_[event.target];
  fmt::print(stderr, "{} : duplicate for [{}], {} bytes, {} ms{}\n", target.name,
             options_.until_answer() ? 0 : event.seq, event.news->bytes, fping_ms(event.rtt.ns),
             from_elsewhere(event, target.address));
}

void FpingLines::timed_out(const PingEvent& event) {
  Host& h = hosts_[event.target];
  ++h.all.sent;
  ++h.since.sent;
  ++timeouts_;
  if (!each_ping_) return;
  if (options_.timestamp) fmt::print("[{:.5f}] ", static_cast<double>(event.known.ns) / 1e9);
  const std::string avg =
      h.all.received == 0 ? "NaN" : fping_ms(h.all.total / static_cast<std::int64_t>(h.all.received));
  fmt::print("{:<{}} : [{}], timed out ({} avg, {})\n", targets_[event.target].name, width_, event.seq, avg,
             loss(h));
}

// An ICMP error came.
void FpingLines::told(const PingEvent& event) {
  const std::string_view words = error_words(event.news->type, event.news->code);
  if (!targets_[event.target].address.is_v4() || words.empty()) return;  // fping understands IPv4's alone
  ++others_;
  if (!options_.quiet)
    fmt::print(stderr, "{} from {} for ICMP Echo sent to {}\n", words, to_string(event.news->from),
               targets_[event.target].name);
}

void FpingLines::not_sent(const PingEvent& event) {
  Host& h = hosts_[event.target];
  ++h.all.sent;
  ++h.since.sent;
  if (verbose_)
    fmt::print(stderr, "{}: error while sending ping: {}\n", targets_[event.target].name,
               ::strerrordesc_np(event.news->error));
}

bool FpingLines::idle() {
  if (snapshot_wanted.exchange(false)) summaries();
  return true;
}

Time FpingLines::tick(Time now) {
  if (options_.report.ns == 0 || options_.until_answer()) return {INT64_MAX};
  if (next_report_.ns != 0) options_.netdata ? netdata() : summaries();
  if (next_report_.ns == 0) next_report_ = now;
  while (next_report_ <= now) next_report_ = next_report_ + options_.report;
  return next_report_;
}

void FpingLines::counts(const Sum& sum) const {
  if (sum.received <= sum.sent) {
    fmt::print(stderr, " xmt/rcv/%loss = {}/{}/{}%", sum.sent, sum.received,
               percent(sum.sent - sum.received, sum.sent));
    if (options_.outage)
      fmt::print(stderr, ", outage(ms) = {}",
                 static_cast<std::int64_t>(sum.sent - sum.received) * options_.period.ns / 1'000'000);
  } else {
    fmt::print(stderr, " xmt/rcv/%return = {}/{}/{}%", sum.sent, sum.received,
               percent(sum.received, sum.sent));
  }
  if (sum.received > 0)
    fmt::print(stderr, ", min/avg/max = {}/{}/{}", fping_ms(sum.min),
               fping_ms(sum.total / static_cast<std::int64_t>(sum.received)), fping_ms(sum.max));
  fmt::print(stderr, "\n");
}

void FpingLines::last_summaries() {
  if (each_ping_) fmt::print(stderr, "\n");
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    fmt::print(stderr, "{:<{}} :", targets_[i].name, width_);
    if (!options_.every_round_trip) {
      counts(hosts_[i].all);
      continue;
    }
    for (std::size_t k = 0; k < hosts_[i].all.sent; ++k) {
      const std::int64_t rtt = round_trips_[i * options_.count + k];
      fmt::print(stderr, " {}", rtt == unanswered ? "-" : fping_ms(rtt));
    }
    fmt::print(stderr, "\n");
  }
}

void FpingLines::summaries() {
  if (verbose_ || each_ping_) fmt::print(stderr, "\n");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  fmt::print(stderr, "[{:02}:{:02}:{:02}]\n", local.tm_hour, local.tm_min, local.tm_sec);
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    fmt::print(stderr, "{:<{}} :", targets_[i].name, width_);
    counts(hosts_[i].since);
    hosts_[i].since = {};
  }
}

void FpingLines::netdata() {
  const auto seconds = static_cast<double>(options_.report.ns) / 1e9;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    std::string id = names_[i];
    std::ranges::replace_if(id, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    const std::string_view host = targets_[i].name;
    Sum& s = hosts_[i].since;
    const auto chart = [&](std::string_view what, std::string_view title, std::string_view unit,
                           std::string_view form, int priority) {
      if (!charts_)
        fmt::print("CHART fping.{}_{} '' 'FPing {} for host {}' {} '{}' fping.{} {} {} {:.0f}\n", id, what,
                   title, host, unit, host, what, form, priority, seconds);
    };
    const auto dimension = [&](std::string_view text) {
      if (!charts_) fmt::print("DIMENSION {}\n", text);
    };
    chart("packets", "Packets", "packets", "line", 110020);
    dimension("xmt sent absolute 1 1");
    dimension("rcv received absolute 1 1");
    fmt::print("BEGIN fping.{}_packets\nSET xmt = {}\nSET rcv = {}\nEND\n", id, s.sent, s.received);
    chart("quality", "Quality", "percentage", "area", 110010);
    dimension("returned '' absolute 1 1");
    fmt::print("BEGIN fping.{}_quality\nSET returned = {}\nEND\n", id, percent(s.received, s.sent));
    chart("latency", "Latency", "ms", "area", 110000);
    dimension("min minimum absolute 1 1000000");
    dimension("max maximum absolute 1 1000000");
    dimension("avg average absolute 1 1000000");
    fmt::print("BEGIN fping.{}_latency\n", id);
    if (s.received > 0)
      fmt::print("SET min = {}\nSET avg = {}\nSET max = {}\n", s.min,
                 s.total / static_cast<std::int64_t>(s.received), s.max);
    fmt::print("END\n");
    s = {};
  }
  charts_ = true;
}

void FpingLines::totals(std::uint64_t sent, Duration elapsed) {
  const std::uint64_t hosts = hosts_.size();
  const Sum& t = total_;
  const std::int64_t avg = t.received == 0 ? 0 : t.total / static_cast<std::int64_t>(t.received);
  fmt::print(
      stderr,
      "\n {:7} targets\n {:7} alive\n {:7} unreachable\n {:7} unknown addresses\n\n"
      " {:7} timeouts (waiting for response)\n {:7} ICMP Echos sent\n {:7} ICMP Echo Replies received\n"
      " {:7} other ICMP received\n\n"
      " {} ms (min round trip time)\n {} ms (avg round trip time)\n {} ms (max round trip time)\n"
      " {:12.3f} sec (elapsed real time)\n\n",
      hosts, alive_, hosts - alive_, unknown_, timeouts_, sent, replies_, others_, fping_ms(t.min),
      fping_ms(avg), fping_ms(t.max), elapsed.seconds());
}

int FpingLines::finish(std::uint64_t sent, Duration elapsed) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const bool shown = verbose_ || (options_.unreachable && options_.until_answer());
    if (hosts_[i].all.received == 0 && shown)
      fmt::print("{}{}\n", targets_[i].name, verbose_ ? " is unreachable" : "");
  }
  if (!options_.until_answer()) last_summaries();
  if (options_.stats) totals(sent, elapsed);
  if (options_.min_reachable != 0) {
    const bool enough = alive_ >= options_.min_reachable;
    fmt::print("{}nough hosts reachable (required: {}, reachable: {})\n", enough ? "E" : "Not e",
               options_.min_reachable, alive_);
    return enough ? 0 : 1;
  }
  if (unknown_ != 0) return 2;
  return alive_ == hosts_.size() ? 0 : 1;
}

}  // namespace weir

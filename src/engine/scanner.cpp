#include "engine/scanner.hpp"

#include <algorithm>
#include <cmath>

#include "core/digest.hpp"
#include "engine/scan_connect.hpp"
#include "engine/scan_raw.hpp"

namespace weir {
namespace {

constexpr double too_fast = 1.5;  // so many times what the network takes

CookieKey key_of(std::uint64_t seed) noexcept {
  return {mix(seed, 0x77656972), mix(seed, 0x7363616e)};
}

TargetSet to_set(std::vector<AddrRange> ranges) {
  return TargetSet(std::move(ranges));
}

std::vector<AddrRange> singles(const std::vector<Addr>& hosts) {
  std::vector<AddrRange> out;
  out.reserve(hosts.size());
  for (const Addr& host : hosts) out.push_back({host, host});
  return out;
}

}  // namespace

std::string scan_identity(const ScanOptions& options) {
  DigestStream stream(Digest::sha256);
  for (const AddrRange& r : options.targets.ranges()) {
    stream.add(r.first.bytes);
    stream.add(r.last.bytes);
  }
  const std::string rest = to_string(options.ports) + (options.method == TcpMethod::ack ? "ack" : "syn") +
                           (options.assume_up ? "Pn" : "") + std::to_string(options.shard) + "/" +
                           std::to_string(options.shards);
  stream.add(as_bytes(rest));
  return stream.hex();
}

Result<void> may_send_packets() {
  // Not a packet socket: the kernel takes tens of milliseconds to close one.
  WEIR_TRY(const RawIpSender sender, RawIpSender::open(RawIpSender::Version::v4));
  return {};
}

Scanner::Scanner(const ScanOptions& options, const Emitter::Wants& wants, Outlet& outlet,
                 std::unique_ptr<ScanJournal> journal)
    : options_(options),
      journal_(std::move(journal)),
      resumed_(journal_ == nullptr ? JournalPlace{} : journal_->place()),
      replayed_(journal_ == nullptr ? std::vector<JournalEntry>{} : journal_->take_entries()),
      ledger_(wants, outlet, journal_.get(), options.names,
              options.systems != nullptr ? *options.systems : Systems::built_in(), options.shown,
              options.on_open),
      pacer_(options.rate, steady_now()),
      governor_(options.rate) {}

Result<std::unique_ptr<Scanner>> Scanner::open(const ScanOptions& options, const Emitter::Wants& wants,
                                               Outlet& outlet, std::unique_ptr<ScanJournal> resumed) {
  const std::string identity = scan_identity(options);
  if (resumed != nullptr && resumed->identity() != identity)
    return fail(Code::failed, "its targets or ports are not what they were", "--resume",
                "a name or a file may say something else now: begin anew with --journal");
  if (resumed == nullptr && !options.journal.empty()) {
    WEIR_TRY(resumed, ScanJournal::create(options.journal, options.plan, identity, options.seed));
  }
  std::unique_ptr<Scanner> scanner(new Scanner(options, wants, outlet, std::move(resumed)));
  if (options.method != TcpMethod::connect) {
    WEIR_TRY(scanner->routes_, Routes::open());
    WEIR_TRY(scanner->paths_, ScanPaths::find(scanner->routes_, options.targets, options.interface));
  }
  WEIR_CHECK(scanner->open_prober());
  return scanner;
}

Result<void> Scanner::open_prober() {
  if (options_.method == TcpMethod::connect) {
    WEIR_TRY(prober_, ConnectProber::open(ledger_, options_.spacing, options_.interface));
    return {};
  }
  const TcpProbe kind = options_.method == TcpMethod::ack ? TcpProbe::ack : TcpProbe::syn;
  WEIR_TRY(auto raw, RawProber::open(ledger_, paths_, key_of(options_.seed), kind, options_.spacing));
  raw_ = raw.get();
  prober_ = std::move(raw);
  return {};
}

// Until all have answered, or the time for it is over.
Result<void> Scanner::wait_for_answers(ScanStage& stage, Duration longest, const std::function<bool()>& go_on,
                                       std::uint64_t expected) {
  const Time end = steady_now() + longest;
  constexpr Duration step = milliseconds(1);
  for (Time now = steady_now(); now < end && stage.answered() < expected && go_on(); now = steady_now()) {
    WEIR_CHECK(prober_->tend(pacer_, governor_));
    const timespec wait{0, std::min(step, end - now).ns};
    ::nanosleep(&wait, nullptr);
  }
  return {};
}

// From a pass to the next: many times what the slowest answer took, and long enough for a full queue to
// empty.
Duration Scanner::pause() const {
  constexpr std::int64_t times = 8;
  const auto slowest = prober_->slowest_answer();
  if (!slowest) return options_.spacing;
  return std::min(options_.spacing, std::max(milliseconds(200), Duration{slowest->ns * times}));
}

// The first of the passes that were not made far too fast, as rates are now.
unsigned Scanner::steady_since() const {
  auto pass = static_cast<unsigned>(pass_rates_.size());
  while (pass > 0 && pass_rates_[pass - 1] <= too_fast * pacer_.rate()) --pass;
  return pass;
}

std::optional<Missed> Scanner::estimate(const ScanStage& stage, unsigned passes) const {
  const CellState wanted = stage.kind() == StageKind::ports ? CellState::open : CellState::up;
  CanaryTally canaries = prober_->canaries();
  canaries.steady = steady_since();
  if (stage.kinds() > 1) return missed_hosts(passes, stage.answered_once(), stage.answered(), canaries);
  return missed(stage.first_answers(passes), ledger_.count(wanted), canaries);
}

bool Scanner::go_on(PassView& view, std::uint64_t done) {
  if (view.journaled) journal_->progress({view.stage.kind(), view.pass, done, false});
  const double rate = pacer_.rate();
  if (!view.repeated && view.stretches.back().rate != rate) view.stretches.push_back({rate, done});
  const Time now = steady_now();
  if (now < view.next_look) return !stopped_;
  view.next_look = now + milliseconds(100);
  ScanStatus& status = view.status;
  status.done = done;
  status.hosts_up = ledger_.count(CellState::up);
  status.open = ledger_.count(CellState::open);
  status.rate = rate;
  pass_rates_[view.pass] = std::max(pass_rates_[view.pass], rate);
  const double left = static_cast<double>(status.total - done) / rate;
  status.left = Duration{static_cast<std::int64_t>(std::min(left, 1e9) * 1e9)} + options_.spacing;
  stopped_ = stopped_ || !view.tick(status) || !ledger_.result();
  return !stopped_;
}

// What was probed at a rate that turned out to be too high is probed again at the right one, as if it had not
// been before: without another pass over the rest.
Result<void> Scanner::repeat_hasty(PassView& view, const Walk& walk) {
  const double limit = governor_.limit();
  const std::uint64_t end = walk.done();
  view.repeated = true;
  view.journaled = false;
  bool any = false;
  for (std::size_t i = 0; i < view.stretches.size() && !stopped_; ++i) {
    const auto [rate, first] = view.stretches[i];
    const std::uint64_t last = i + 1 < view.stretches.size() ? view.stretches[i + 1].first : end;
    if (rate <= limit || first == last) continue;
    if (!any) prober_->forget_canaries_above(limit);
    any = true;
    Walk part = walk.part(first, last);
    ScanPass job{view.stage, view.pass, part,
                 pacer_,     governor_, [&](std::uint64_t done) { return go_on(view, done); }};
    WEIR_CHECK(prober_->run(job));
  }
  if (any) pass_rates_[view.pass] = std::min(pass_rates_[view.pass], limit);
  return {};
}

bool Scanner::is_enough(const ScanStage& stage, unsigned pass, std::uint64_t expected) const {
  constexpr unsigned enough_silence = 3;
  if (stopped_ || stage.answered() >= expected) return true;
  // Several kinds of probes are as good as several passes.
  const bool often = pass >= 1 || stage.kinds() > 1;
  if (const auto now = estimate(stage, pass + 1)) return often && now->share_most <= options_.goal;
  // Closed UDP ports alone: they are asked for slowly.
  if (pass >= 1 && stage.answered() > 0) return !ledger_.rations().empty();
  return stage.answered() == 0 && pass + 1 >= enough_silence;
}

Result<bool> Scanner::run_pass(ScanStage& stage, unsigned pass, Walk& walk,
                               const std::function<bool(const ScanStatus&)>& tick) {
  PassView view{.stage = stage,
                .pass = pass,
                .journaled = journal_ != nullptr && stage.kind() != StageKind::gateways,
                .tick = tick,
                .status = {.stage = stage.kind(), .pass = pass, .total = walk.size()},
                .stretches = {{pacer_.rate(), walk.done()}}};
  // What was far too fast has asked nobody properly.
  if (steady_since() == pass_rates_.size()) stage.ask_every_kind(pass);
  pass_rates_.resize(pass + 1, pacer_.rate());
  const auto left = static_cast<double>(walk.size() - std::min(walk.size(), walk.done() + stage.answered()));
  const Time began = steady_now();
  ScanPass job{stage, pass, walk, pacer_, governor_, [&](std::uint64_t done) { return go_on(view, done); }};
  WEIR_CHECK(prober_->run(job));
  WEIR_CHECK(repeat_hasty(view, walk));
  if (stage.kind() == StageKind::ports && pass == 0) port_cells_asked_ = walk.done();
  // A shard has as many things to find as cells to walk; in a discovery by several probes, fewer.
  const std::uint64_t expected = std::min(stage.things(), walk.size());
  const Duration took{std::max<std::int64_t>((steady_now() - began).ns, 1)};
  const auto wait = [&](Duration longest) -> Result<void> {
    if (stopped_) return {};
    return wait_for_answers(stage, longest, [&] { return go_on(view, walk.done()); }, expected);
  };
  const Duration first = pause();
  WEIR_CHECK(wait(first));
  WEIR_CHECK(ledger_.result());
  const bool last = pass + 1 >= most_passes();
  if (!last && !is_enough(stage, pass, expected)) {
    slow_down(stage, pass + 1, left * 1e9 / static_cast<double>(took.ns));
    return false;
  }
  // Hosts that are not known yet may be slower than those that are.
  const bool known = stage.kind() == StageKind::ports && !options_.assume_up;
  if (!known && stage.answered() < expected) WEIR_CHECK(wait({options_.spacing.ns - first.ns}));
  return last || is_enough(stage, pass, expected);
}

// For passes that are over before canaries could say anything: what was lost in them and not in the quiet
// between them, the rate has done.
void Scanner::slow_down(const ScanStage& stage, unsigned passes, double rate) {
  CanaryTally canaries = prober_->canaries();
  canaries.steady = steady_since();
  if (const auto loss = loss_by_load(stage.first_answers(passes), canaries)) {
    // A host is lost with all its probes.
    governor_.cut(stage.kinds() > 1 ? std::pow(*loss, 1.0 / stage.kinds()) : *loss, rate);
    pacer_.set_rate(governor_.rate());
    pass_rates_[passes - 1] = std::max(pass_rates_[passes - 1], too_fast * governor_.rate() * 1.01);
  }
}

// Those that the network could not take do not count.
unsigned Scanner::most_passes() const {
  return std::min(options_.passes + steady_since(), ScanStage::most_passes);
}

void Scanner::take_sureness(const ScanStage& stage, std::optional<Missed> estimate) {
  if (stage.kind() == StageKind::gateways) return;
  if (stage.answered() == stage.things()) {
    if (estimate) estimate->share_most = 0;  // there is nothing more that could be missed
  } else {
    sureness_.known = sureness_.known && estimate.has_value();
  }
  if (!estimate) return;
  sureness_.kept *= 1 - estimate->share_most;
  // Ports tell more of it than the few hosts.
  sureness_.loss = stage.kind() == StageKind::ports ? estimate->loss
                                                    : std::max(sureness_.loss.value_or(0), estimate->loss);
}

Result<void> Scanner::run_stage(ScanStage& stage, const std::function<bool(const ScanStatus&)>& tick) {
  if (stage.cells() == 0 || stopped_) return {};
  prober_->begin(stage);
  for (const JournalEntry& entry : replayed_)
    if (entry.stage == stage.kind()) ledger_.replay(stage, entry);
  ledger_.flush();
  const bool own = stage.kind() == StageKind::gateways;
  const bool past = !own && journal_ != nullptr && (resumed_.finished || resumed_.stage > stage.kind());
  const bool here = !own && journal_ != nullptr && !past && resumed_.stage == stage.kind();
  const Permutation order(stage.cells(), mix(options_.seed, static_cast<std::uint64_t>(stage.kind())));
  const bool split = sharded_ && stage.kind() == StageKind::ports;
  if (sharded_ && !own && !split) stage.take_shard(options_.shard, options_.shards);
  unsigned pass = here ? resumed_.pass : 0;
  const Time began = steady_now();
  constexpr Duration unknown = seconds(1'000'000);  // since the first probe of a scan that was broken off
  if (stage.kind() == StageKind::ports && (past || pass > 0))
    port_cells_asked_ = Walk(order, split ? options_.shard : 0, split ? options_.shards : 1).size();
  pass_rates_.assign(pass, pacer_.rate());
  for (bool done = past || pass >= most_passes(); !done; ++pass) {
    // Each pass in another order: what comes first meets empty queues, and must not be the same cells always.
    Walk walk(order, split ? options_.shard : 0, split ? options_.shards : 1,
              here && pass == resumed_.pass ? resumed_.done : 0, pass == 0 ? 0 : mix(options_.seed, pass));
    WEIR_TRY(done, run_pass(stage, pass, walk, tick));
  }
  if (stage.kind() == StageKind::ports && !past && !stopped_)
    WEIR_CHECK(ask_slowly(stage, pass, here ? unknown : steady_now() - began, tick));
  if (past) pass = options_.passes;
  if (stopped_) return {};
  take_sureness(stage, estimate(stage, pass));
  if (stage.kind() == StageKind::ports) port_passes_ = pass;
  std::unordered_set<std::uint64_t> asked_on;
  if (stage.kind() == StageKind::ports && options_.on_silent)
    asked_on = ledger_.tell_silent(stage, options_.on_silent);
  if (!own) ledger_.tell_unanswered(stage, pass, wall_now(), asked_on);
  return {};
}

Result<void> Scanner::ask_slowly(ScanStage& stage, unsigned passes, Duration took,
                                 const std::function<bool(const ScanStatus&)>& tick) {
  constexpr Duration hasty =
      milliseconds(500);  // whoever waits less than this for answers waits for none here
  if (options_.passes < 2 || options_.spacing < hasty || raw_ == nullptr || options_.ports.udp().empty())
    return {};
  RationedHosts hosts(stage, ledger_.rations(), took);
  if (hosts.empty()) return {};
  const unsigned pass = std::min(passes, ScanStage::most_passes - 1);
  ScanStatus status{.stage = stage.kind(), .pass = pass, .total = stage.cells()};
  WEIR_TRY(rationed_, hosts.ask(*prober_, pass, [&](Duration left) {
    status.done = stage.answered();
    status.hosts_up = ledger_.count(CellState::up);
    status.open = ledger_.count(CellState::open);
    status.rate = 1;
    status.left = left;
    stopped_ = stopped_ || !tick(status) || !ledger_.result();
    return !stopped_;
  }));
  return {};
}

Result<void> Scanner::find_gateways(const std::function<bool(const ScanStatus&)>& tick) {
  ByAddr<LinkHop> hops;
  ByAddr<Mac> known;
  std::vector<Addr> unknown;
  for (const ScanPath& path : paths_.paths()) {
    if (!path.ethernet || !path.gateway || hops.contains(*path.gateway)) continue;
    const auto own = routes_.find(*path.gateway, path.interface);
    hops[*path.gateway] = {path.interface, own ? own->source : path.source, path.source_mac};
    if (const auto mac = routes_.neighbour(path.interface, *path.gateway))
      known[*path.gateway] = *mac;
    else
      unknown.push_back(*path.gateway);
  }
  raw_->set_gateways(hops);
  raw_->set_macs(known);
  if (!unknown.empty()) {
    past_.push_back(std::make_unique<ScanStage>(StageKind::gateways, to_set(singles(unknown)), PortSet{}));
    WEIR_CHECK(run_stage(*past_.back(), tick));
    ByAddr<Mac> found = ledger_.macs();
    found.merge(known);
    raw_->set_macs(std::move(found));
  }
  return {};
}

Result<void> Scanner::find_hosts(StageKind kind, std::vector<AddrRange> ranges,
                                 const std::function<bool(const ScanStatus&)>& tick) {
  // Without packets of our own: connections to where the web is.
  TargetSet hosts = to_set(std::move(ranges));
  if (hosts.size() > ScanStage::most_cells / host_probes)
    return fail(Code::usage, count_text(hosts.size()) + " addresses are more than can be kept", {},
                "scan fewer at a time");
  PortSet ports = raw_ == nullptr ? PortSet({80, 443}, {}) : PortSet{};
  const unsigned kinds = raw_ != nullptr && kind == StageKind::discovery ? host_probes : 1;
  past_.push_back(std::make_unique<ScanStage>(kind, std::move(hosts), std::move(ports), kinds));
  return run_stage(*past_.back(), tick);
}

std::vector<AddrRange> Scanner::hosts_to_scan() const {
  std::vector<AddrRange> hosts = singles(ledger_.hosts_up());
  if (!options_.assume_up) return hosts;
  if (raw_ == nullptr) return options_.targets.ranges();
  const auto beyond = paths_.ranges_where([](const ScanPath& p) { return !p.local && !p.on_link(); });
  hosts.insert(hosts.end(), beyond.begin(), beyond.end());
  return hosts;
}

Result<void> Scanner::stages(const std::function<bool(const ScanStatus&)>& tick) {
  const Time now = wall_now();
  sharded_ = options_.shards > 1;
  if (raw_ == nullptr) {
    if (!options_.assume_up) WEIR_CHECK(find_hosts(StageKind::discovery, options_.targets.ranges(), tick));
  } else {
    WEIR_CHECK(find_gateways(tick));
    for (const AddrRange& own : paths_.ranges_where([](const ScanPath& p) { return p.local; }))
      for (Wide n = to_number(own.first); n <= to_number(own.last); ++n) {
        constexpr Wide most_own = 65'536;  // 127.0.0.0/8 is all ours; more of it says nothing new
        if (n - to_number(own.first) >= most_own) break;
        if (options_.shard == 0) ledger_.assume_up(to_addr(n), "local", now);
      }
    ledger_.flush();
    WEIR_CHECK(find_hosts(StageKind::link, paths_.ranges_where([](const ScanPath& p) { return p.on_link(); }),
                          tick));
    ByAddr<Mac> macs = ledger_.macs();
    for (const ScanPath& path : paths_.paths())
      if (path.ethernet && path.gateway && !macs.contains(*path.gateway))
        if (const auto mac = routes_.neighbour(path.interface, *path.gateway)) macs[*path.gateway] = *mac;
    raw_->set_macs(std::move(macs));
    if (!options_.assume_up)
      WEIR_CHECK(find_hosts(StageKind::discovery,
                            paths_.ranges_where([](const ScanPath& p) { return !p.local && !p.on_link(); }),
                            tick));
  }
  if (options_.ports.empty()) return {};
  if (!options_.assume_up) sharded_ = false;  // the hosts were found by this shard alone
  TargetSet hosts = to_set(hosts_to_scan());
  const Wide cells = Wide{hosts.size()} * options_.ports.size();
  if (cells > ScanStage::most_cells)
    return fail(Code::usage, count_text(cells) + " pairs of address and port are more than can be kept", {},
                "scan fewer ports or addresses at a time, or a --shard of them");
  stage_ = std::make_unique<ScanStage>(StageKind::ports, std::move(hosts), options_.ports);
  port_cells_ = stage_->cells();
  return run_stage(*stage_, tick);
}

Result<Scan> Scanner::run(const std::function<bool(const ScanStatus&)>& tick) {
  const Time started = wall_now();
  auto done = stages(tick);
  if (done && !stopped_ && journal_ != nullptr) journal_->progress({StageKind::ports, 0, 0, true});
  stopped_ = stopped_ || !done;
  if (stage_ != nullptr) ledger_.tell_counts(*stage_, !stopped_, wall_now());
  auto scan = summary(started, port_cells_);
  ledger_.flush();
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  WEIR_CHECK(ledger_.result());
  return scan;
}

Result<Scan> Scanner::summary(Time started, std::uint64_t cells) {
  const bool ports = !options_.ports.empty();
  std::string method = options_.method == TcpMethod::ack   ? "ack"
                       : options_.method == TcpMethod::syn ? "syn"
                                                           : "connect";
  if (options_.ports.tcp().empty()) method.clear();
  if (!options_.ports.udp().empty()) method += method.empty() ? "udp" : ",udp";
  if (!ports) method = "discovery";
  static thread_local std::string kept, port_list, target_list;
  constexpr std::size_t most_list = std::size_t{256} << 10U;
  kept = method;
  port_list = to_string(options_.ports);
  target_list = options_.whole_link.empty() ? to_string(options_.targets) : "%" + options_.whole_link;
  const auto count = [this](CellState s) { return ledger_.count(s); };
  Scan scan{.time = started,
            .duration = wall_now() - started,
            .command = options_.command.empty() ? Text{} : Text{options_.command},
            .method = kept,
            .target_list = target_list.size() > most_list ? Text{} : Text{target_list},
            .port_list = ports ? Text{port_list} : Text{},
            .targets = options_.targets.size(),
            .hosts_up = std::max(count(CellState::up), stage_ == nullptr ? 0 : stage_->hosts().size()),
            .ports = options_.ports.size(),
            .cells = cells,
            .sent = prober_->sent(),
            .passes = port_passes_,
            .open = count(CellState::open),
            .closed = count(CellState::closed),
            .filtered = count(CellState::filtered),
            .unfiltered = count(CellState::unfiltered)};
  const std::uint64_t answered = scan.open + scan.closed + scan.filtered + scan.unfiltered;
  const std::uint64_t asked = std::min(cells, port_cells_asked_);
  scan.unanswered = asked - std::min(asked, answered);
  scan.rate = pacer_.rate();
  scan.loss = sureness_.loss;
  if (sureness_.known && !stopped_) scan.missed = 1 - sureness_.kept;
  scan.receive_drops = prober_->receive_drops();
  scan.send_errors = prober_->send_errors();
  scan.rate_limited = governor_.limited();
  if (rationed_.hosts > 0) scan.rationed_hosts = rationed_.hosts;
  scan.closed_unseen = rationed_.closed_unseen;
  scan.complete = !stopped_;
  scan.seed = options_.seed;
  ledger_.emit(scan);
  return scan;
}

}  // namespace weir

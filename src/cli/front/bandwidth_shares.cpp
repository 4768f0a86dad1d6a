#include "cli/front/bandwidth_shares.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>

#include "cli/front/live_board.hpp"
#include "cli/front/live_option.hpp"
#include "cli/front/share_board.hpp"
#include "cli/front/stop_watcher.hpp"
#include "core/human.hpp"
#include "engine/interface_watch.hpp"
#include "engine/live_source.hpp"
#include "engine/outlet.hpp"
#include "os/kernel_clock.hpp"
#include "os/privileges.hpp"
#include "os/routes.hpp"
#include "packet/decode.hpp"

namespace weir {
namespace {

const std::atomic<bool> never{false};

// After the counters are read: until the packets that they count are here. The ring hands over what it has
// every 40 ms.
constexpr Duration settling = milliseconds(70);
constexpr Duration frame = seconds(1);

// Where the numbers of an interval come from: packets, or, where they may not be captured, sockets.
struct Eyes {
  std::unique_ptr<LiveSource> source;  // nullptr: sockets tell
  std::optional<SocketOwners> owners;  // for processes
};

struct Meant {
  std::vector<std::string> names;
  std::vector<bool> loopback;
};

class ShareSession {
 public:
  ShareSession(const SharesAsked& asked, const SharesOutput& output, const Arguments& arguments,
               const Meant& meant, Eyes eyes, Sink& sink)
      : asked_(asked),
        quiet_(arguments.has("quiet")),
        eyes_(std::move(eyes)),
        watch_(meant.names, std::nullopt),
        places_(meant.names.size()),
        board_(name_of(asked.by)),
        wants_(wants_of(output.types, output.filter, arguments.value("where"))),
        outlet_(sink),
        emitter_(wants_, delivery_.batch) {
    if (asked.by == ShareBy::app) choose_parsers(parsers_);
    for (std::size_t i = 0; i < meant.names.size(); ++i)
      meters_.emplace_back(TrafficMeter::Options{.parsers = asked.by == ShareBy::app ? &parsers_ : nullptr,
                                                 .loopback = meant.loopback[i]});
  }

  void show_on(TerminalWriter terminal) {
    live_.emplace(std::move(terminal),
                  [this](Duration running, const BoardSize& size) { return board_.lines(running, size); });
  }

  Result<void> run(Links& links, const Event& stop) {
    if (eyes_.source != nullptr) WEIR_CHECK(eyes_.source->start());
    const Time start = steady_now();
    WEIR_CHECK(read_counters(links));
    Time next = start + asked_.every;
    for (std::uint64_t taken = 0; !asked_.count || taken < *asked_.count; ++taken) {
      const bool last = asked_.duration && next >= start + *asked_.duration;
      if (last) next = start + *asked_.duration;
      WEIR_TRY(const bool going, wait(next, stop));
      // What has begun is told of, too.
      WEIR_CHECK(read_counters(links));
      if (!going || last || ended_) break;
      const Time now = steady_now();
      while (next <= now) next = next + asked_.every;
    }
    WEIR_CHECK(settle());
    if (live_) live_->finish();
    return outlet_.result();
  }

 private:
  struct Place {
    std::optional<Counter> before;  // the latest reading
    std::string name;
    Volume counted;       // between the last two readings
    Duration interval{};  // 0: there is nothing to tell
    Time start;
    ShareLedger ledger;
  };

  // Ends the interval that runs. Its packets may still be under way: settle() comes later.
  Result<void> read_counters(Links& links) {
    WEIR_CHECK(settle());
    WEIR_TRY(const std::vector<Link> now, links.read());
    const std::vector<Counter> counters = watch_.take(now);
    for (const std::string& what : watch_.happened())
      note(what, what.ends_with(" gone") || what.ends_with(" down"));
    std::vector<bool> there(places_.size());
    for (const Counter& c : counters) {
      const auto place = watch_.place(c.interface);
      if (!place || *place >= places_.size()) continue;
      there[*place] = true;
      take(places_[*place], c);
      meters_[*place].end_at(c.time);
    }
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (!there[i]) places_[i].before.reset(), places_[i].interval = {};
    if (eyes_.owners) WEIR_CHECK(eyes_.owners->look());
    pending_ = true;
    settle_at_ = steady_now() + (eyes_.source != nullptr ? settling : Duration{});
    return {};
  }

  static void take(Place& place, const Counter& c) {
    place.name = c.name;
    place.interval = {};
    if (place.before && c.interval && c.in_bytes_delta && c.out_bytes_delta) {
      const auto since = [](const auto& now, const auto& then) {
        return now && then && *now >= *then ? *now - *then : 0;
      };
      place.start = place.before->time;
      place.interval = *c.interval;
      place.counted = {*c.in_bytes_delta, *c.out_bytes_delta, since(c.in_packets, place.before->in_packets),
                       since(c.out_packets, place.before->out_packets)};
    } else {
      place.ledger.forget();
    }
    place.before = c;
  }

  // Tells of the interval that has ended, if one has.
  Result<void> settle() {
    if (!pending_) return {};
    while (eyes_.source != nullptr && !ended_ && steady_now() < settle_at_) WEIR_CHECK(pump());
    pending_ = false;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].interval.ns > 0) tell(i);
      meters_[i].begin_next();
    }
    if (live_) draw();
    if (!outlet_.deliver(delivery_, true)) ended_ = true;
    return {};
  }

  void tell(std::size_t i) {
    Place& place = places_[i];
    Shares shares;
    Volume overflow;
    const SocketOwners* const owners = eyes_.owners ? &*eyes_.owners : nullptr;
    if (eyes_.source != nullptr) {
      meters_[i].each([&](const MeteredFlow& flow) { add_shares(shares, asked_.by, flow, owners); });
      const WaySums& beyond = meters_[i].overflow();
      // Nobody looked whose these are.
      if (asked_.by != ShareBy::process)
        overflow = {beyond.bytes[0][0] + beyond.bytes[0][1], beyond.bytes[1][0] + beyond.bytes[1][1],
                    beyond.packets[0][0] + beyond.packets[0][1], beyond.packets[1][0] + beyond.packets[1][1]};
    } else if (const auto it = owners->carried().find(place.before->interface);
               it != owners->carried().end()) {
      shares = it->second;
    }
    const Settled settled = place.ledger.settle(std::move(shares), overflow, place.counted, asked_.top);
    std::vector<ShareBoard::Named> named;
    for (const Share& share : settled.top) {
      std::string who;
      append_printable(who, who_of(share.key, owners));
      emit(place, who, share.volume, &share.key);
      if (live_) named.push_back({std::move(who), share.volume});
    }
    if (settled.others != Volume{}) emit(place, others_row, settled.others, nullptr);
    emit(place, unattributed_row, settled.unattributed, nullptr);
    if (live_) board_.take(i, place.name, place.interval, named, settled.unattributed, place.counted);
  }

  void emit(const Place& place, std::string_view who, const Volume& volume, const ShareKey* key) {
    Usage usage;
    usage.time = place.start;
    usage.name = emitter_.text(place.name);
    usage.kind = name_of(asked_.by);
    usage.who = emitter_.text(who);
    set_volume(usage, volume, place.interval);
    if (key != nullptr) describe(usage, *key, eyes_.owners ? &*eyes_.owners : nullptr);
    for (Text Usage::* text : {&Usage::process, &Usage::user})
      if ((usage.*text).data() != nullptr) usage.*text = emitter_.text(usage.*text);
    emitter_.emit(usage);
  }

  // False when a signal came, or nobody takes records any more.
  Result<bool> wait(Time until, const Event& stop) {
    for (Time now = steady_now(); now < until && !ended_; now = steady_now()) {
      if (stop.is_set()) return false;
      if (pending_ && now >= settle_at_) WEIR_CHECK(settle());
      if (eyes_.source != nullptr) {
        WEIR_CHECK(pump());
      } else {
        const Duration left = std::min(until - now, milliseconds(250));
        const timespec time{0, left.ns};
        pollfd entry{stop.fd(), POLLIN, 0};
        ::ppoll(&entry, 1, &time, nullptr);
      }
      if (live_ && now - drawn_ >= frame) draw();
    }
    return !ended_;
  }

  // Takes packets that are there, or waits for some, but not long.
  Result<void> pump() {
    constexpr std::size_t most = 4096;
    slice_.clear();
    WEIR_TRY(const bool more, eyes_.source->read(slice_, most));
    if (!more) ended_ = true;
    bool fresh = false;
    for (const RawPacket& packet : slice_.packets) {
      const std::size_t place = packet.interface / 2;
      if (place >= meters_.size()) continue;
      layers_.clear();
      decode(packet, layers_);
      const bool flow_begins = meters_[place].add(layers_.front(), packet.time, packet.length,
                                                  packet.interface % 2 == 0 ? Way::in : Way::out);
      fresh = fresh || flow_begins;
    }
    if (fresh && eyes_.owners) WEIR_CHECK(eyes_.owners->look_soon());
    return {};
  }

  void draw() {
    live_->draw();
    drawn_ = steady_now();
  }
  void note(const std::string& what, bool bad) {
    if (live_)
      live_->note(wall_now(), what, bad);
    else if (!quiet_)
      fmt::print(stderr, "weir: {}\n", what);
  }

  const SharesAsked& asked_;
  const bool quiet_;
  Eyes eyes_;
  InterfaceWatch watch_;
  std::vector<Place> places_;
  Plan parsers_;
  std::vector<TrafficMeter> meters_;
  PacketSlice slice_;
  std::vector<Layer> layers_;
  ShareBoard board_;
  const Emitter::Wants wants_;
  Outlet outlet_;
  Delivery delivery_;
  Emitter emitter_;
  std::optional<LiveBoard> live_;
  bool pending_ = false;  // an interval has ended and is not told yet
  bool ended_ = false;    // no packets, or nobody takes records
  Time settle_at_, drawn_;
};

// The user's interfaces, or all that are in use.
Result<Meant> meant_of(const SharesAsked& asked, Links& links) {
  WEIR_TRY(const std::vector<Link> all, links.read());
  InterfaceWatch watch(asked.names, std::nullopt);
  const std::vector<Counter> found = watch.take(all);
  if (const auto missing = watch.missing(); !missing.empty())
    return tl::unexpected<Error>(no_such_interface(missing, all));
  if (found.empty())
    return fail(Code::environment, "no interface is in use, but for the loopback", "--by", "name one");
  Meant meant;
  for (const Counter& c : found) {
    if (std::ranges::find(meant.names, c.name) != meant.names.end()) continue;  // named twice
    meant.names.emplace_back(c.name);
    meant.loopback.push_back(std::ranges::find(all, c.name, &Link::name)->loopback);
  }
  return meant;
}

Result<std::unique_ptr<LiveSource>> open_source(const SharesAsked& asked,
                                                const std::vector<std::string>& names, const Event& stop) {
  constexpr std::size_t buffer = std::size_t{32} << 20U, least_buffer = std::size_t{4} << 20U;
  // Headers; for applications what they are recognised by.
  constexpr std::uint32_t headers = 192, beginnings = 1600;
  // Sockets may be gone soon.
  const Duration retire = asked.by == ShareBy::process ? milliseconds(8) : milliseconds(40);
  // Not promiscuous: who looks at an interface does not change what it counts.
  return LiveSource::open({.interfaces = names,
                           .buffer = std::max(buffer / names.size(), least_buffer),
                           .snaplen = asked.by == ShareBy::app ? beginnings : headers,
                           .promiscuous = false,
                           .directions = true,
                           .retire = retire,
                           .patience = milliseconds(20)},
                          nullptr, stop, [](const std::string&) {});
}

Result<void> set_addresses(SocketOwners& owners) {
  WEIR_TRY(Routes routes, Routes::open());
  std::vector<std::pair<Addr, std::uint32_t>> addresses;
  std::uint32_t loopback = 0;
  for (const Interface& i : routes.interfaces()) {
    if (i.loopback) loopback = i.index;
    WEIR_TRY(const std::vector<Addr> own, routes.addresses(i.index));
    for (const Addr& a : own) addresses.emplace_back(a, i.index);
  }
  owners.set_addresses(std::move(addresses), loopback);
  return {};
}

// Packets need a privilege; processes do without, and are told of by what their sockets count.
Result<Eyes> open_eyes(const SharesAsked& asked, const std::vector<std::string>& names, const Event& stop,
                       bool quiet) {
  Eyes eyes;
  auto source = open_source(asked, names, stop);
  if (asked.by != ShareBy::process) {
    if (!source) return tl::unexpected<Error>(source.error());
    eyes.source = std::move(*source);
    return eyes;
  }
  WEIR_TRY(eyes.owners, SocketOwners::open());
  if (source) {
    eyes.source = std::move(*source);
    return eyes;
  }
  WEIR_CHECK(set_addresses(*eyes.owners));
  if (!quiet)
    fmt::print(stderr, "weir: {}; TCP sockets tell how much they carry, and the rest is unattributed\n",
               source.error().line());
  return eyes;
}

}  // namespace

Result<int> bandwidth_shares(const Arguments& arguments, const SharesAsked& asked,
                             const SharesOutput& output) {
  auto terminal = is_live(arguments) ? TerminalWriter::open() : std::nullopt;
  StopWatcher watcher;  // before any thread
  WEIR_TRY(Links links, Links::open());
  WEIR_TRY(const Meant meant, meant_of(asked, links));
  WEIR_TRY(Eyes eyes, open_eyes(asked, meant.names, watcher.stop(), arguments.has("quiet")));
  const Keep keep = asked.by == ShareBy::process ? Keep::other_processes : Keep::nothing;
  WEIR_CHECK(drop_privileges(written_folders(arguments), keep));
  watcher.start();
  Storing storing;
  if (terminal && !stores(arguments)) {
    storing.sink = nowhere();
  } else {
    WEIR_TRY(storing, open_destination(arguments, output.output, WhenDiskFull::refuse, never));
  }
  ShareSession session(asked, output, arguments, meant, std::move(eyes), *storing.sink);
  if (terminal) session.show_on(std::move(*terminal));
  WEIR_CHECK(session.run(links, watcher.stop()));
  WEIR_CHECK(storing.sink->close());
  return 0;
}

}  // namespace weir

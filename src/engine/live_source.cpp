#include "engine/live_source.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/utsname.h>

#include <algorithm>
#include <limits>

#include "core/human.hpp"
#include "engine/ring_program.hpp"
#include "os/kernel_clock.hpp"
#include "os/link.hpp"

namespace weir {
namespace {

// Between two looks at whether links are up.
constexpr Duration check_interval = milliseconds(500);
// A packet is stamped before it is in a block, and the block is handed over later.
constexpr Duration hand_over = seconds(1);

std::string system_name() {
  utsname name{};
  return ::uname(&name) == 0 ? fmt::format("{} {}", name.sysname, name.release) : "Linux";
}

}  // namespace

LiveSource::LiveSource(const LiveOptions& options, const CaptureFilter* filter, const Event& stop,
                       std::function<void(const std::string&)> say)
    : options_(options), filter_(filter), stop_(stop), say_(std::move(say)) {}

LiveSource::~LiveSource() = default;

Result<std::unique_ptr<LiveSource>> LiveSource::open(const LiveOptions& options, const CaptureFilter* filter,
                                                     const Event& stop,
                                                     std::function<void(const std::string&)> say) {
  std::unique_ptr<LiveSource> made(new LiveSource(options, filter, stop, std::move(say)));
  // That interfaces come and go is seen at once with it, and a little later without.
  if (auto changes = LinkChanges::open()) made->changes_.emplace(std::move(*changes));
  for (const std::string& name : options.interfaces) {
    const auto number = static_cast<std::uint16_t>(made->interfaces_.size());
    WEIR_TRY(auto link, LiveLink::open(name, number, made->options_, filter));
    if (!link->every()) made->add_interface(name, link->link_type());
    made->every_once_ = link->every() && !options.copies;
    made->links_.push_back(std::move(link));
  }
  WEIR_CHECK(made->choose_times());
  return made;
}

Result<void> LiveSource::choose_times() {
  std::vector<StampFacts> facts;
  for (const std::string& name : options_.interfaces) facts.push_back(stamp_facts(name));
  WEIR_TRY(times_, weir::choose_times(options_.times, facts));
  for (const std::string& name : times_.to_set) {
    const auto state = link_state(name);
    const StampSetting before = stamp_setting(name).value_or(StampSetting{});
    WEIR_TRY(Afterwards restored,
             Afterwards::arrange([&] { (void)set_stamps(link_name(state ? state->index : 0), before); }));
    card_settings_.push_back(std::move(restored));
    WEIR_CHECK(set_stamps(name, stamping_every(before)));
  }
  if (!times_.hardware) return {};
  for (InterfaceInfo& about : interfaces_) about.description = "timestamps by the card's clock";
  const bool behind = times_.lead < Duration{};
  const Duration lead{behind ? -times_.lead.ns : times_.lead.ns};
  if (lead > seconds(1))
    say_(fmt::format("the card's clock is {} {} the system's", human_duration(lead),
                     behind ? "behind" : "ahead of"));
  return {};
}

Result<void> LiveSource::start() {
  started_ = next_check_ = steady_now();
  learn_relations();
  for (const auto& link : links_) WEIR_CHECK(link->start(times_.hardware));
  return {};
}

Result<bool> LiveSource::read(PacketSlice& slice, std::size_t most) {
  if (phase_ == Phase::ended) return false;
  if (phase_ == Phase::running &&
      (stop_.is_set() || (options_.duration.ns > 0 && steady_now() - started_ >= options_.duration)))
    end();
  if (const Time now = steady_now(); now >= next_check_) {
    check_links();
    next_check_ = now + check_interval;
  }
  const std::size_t before = slice.packets.size();
  if (options_.most_packets != 0) most = std::min<std::uint64_t>(most, options_.most_packets - packets_);
  const Time looked = wall_now();
  take(slice, most);
  if (slice.packets.size() == before) {
    given_until_ = {looked.ns - hand_over.ns + times_.lead.ns};
    if (phase_ == Phase::draining && steady_now() >= drained_) {
      phase_ = Phase::ended;
      return false;
    }
    wait();
    take(slice, most);
  }
  count(slice, before);
  if (options_.most_packets != 0 && packets_ == options_.most_packets) phase_ = Phase::ended;
  return true;
}

void LiveSource::count(const PacketSlice& slice, std::size_t from) {
  if (from == slice.packets.size()) return;
  const unsigned numbers_each = options_.directions ? 2 : 1;
  std::uint64_t bytes = 0;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = from; i < slice.packets.size(); ++i) {
    const RawPacket& p = slice.packets[i];
    Given& given = given_[p.interface / numbers_each];
    ++given.packets;
    given.bytes += p.length;
    bytes += p.length;
  }
  bytes_ += bytes;
  packets_ += slice.packets.size() - from;
}

// The rings' packets by time, as far as they are there.
void LiveSource::take(PacketSlice& slice, std::size_t most) {
  constexpr Time never{std::numeric_limits<std::int64_t>::max()};
  const std::size_t goal = slice.packets.size() + most;
  while (slice.packets.size() < goal) {
    LiveRing* first = nullptr;
    const LiveLink* of = nullptr;
    Time other = never;
    each_ring([&](const LiveLink& link, LiveRing& ring) {
      if (!ring.ready()) return;
      if (first == nullptr || ring.next.time < first->next.time) {
        if (first != nullptr) other = std::min(other, first->next.time);
        first = &ring;
        of = &link;
      } else {
        other = std::min(other, ring.next.time);
      }
    });
    if (first == nullptr) return;
    take_run(slice, *of, *first, goal - slice.packets.size(), other);
  }
}

// Packets of one block up to a time.
void LiveSource::take_run(PacketSlice& slice, const LiveLink& link, LiveRing& ring, std::size_t most,
                          Time until) {
  const std::size_t before = slice.packets.size();
  do {
    const RingPacket& p = ring.next;
    RawPacket raw{p.time,   p.data,           std::min(p.captured, most_captured),
                  p.length, link.link_type(), link.number()};
    bool certain = !p.tagged;
    if (times_.hardware && !p.by_hardware) ++kernel_times_;
    if (link.every()) {
      raw.link_type = link_type_of(p.hardware);
      if (raw.link_type == link_raw) {
        const auto skipped = std::min<std::uint32_t>(p.network, raw.captured);
        raw.data += skipped;
        raw.captured -= skipped;
        raw.length -= skipped;
      }
      certain = certain && raw.link_type == link_ethernet;
    }
    const bool wanted = certain || filter_ == nullptr || filter_->accepts(raw);
    if (wanted && every_once_ && copies_.is_copy(p.interface, p.outgoing, raw)) {
      ++copies_left_out_;
    } else if (wanted) {
      if (link.every()) raw.interface = number_of(raw, p.interface);
      if (options_.directions) raw.interface = static_cast<std::uint16_t>(raw.interface * 2 + p.outgoing);
      slice.packets.push_back(raw);
      --most;
    }
    ring.waiting = ring.block->next(ring.next);
  } while (ring.waiting && most != 0 && ring.next.time <= until);
  if (slice.packets.size() != before && (slice.memory.empty() || slice.memory.back() != ring.block))
    slice.memory.push_back(ring.block);
}

// Where all interfaces share a ring: each is known when its first packet comes.
std::uint16_t LiveSource::number_of(const RawPacket& packet, std::uint32_t index) {
  constexpr std::size_t most = 0xffff;
  const auto [it, fresh] =
      numbers_.try_emplace(index, static_cast<std::uint16_t>(std::min(interfaces_.size(), most)));
  if (fresh && interfaces_.size() < most) add_interface(link_name(index), packet.link_type);
  return it->second;
}

void LiveSource::add_interface(std::string name, std::uint16_t link_type) {
  InterfaceInfo about{.link_type = link_type, .snaplen = options_.snaplen};
  about.ticks_per_second = 1'000'000'000;
  about.name = std::move(name);
  about.os = system_name();
  if (filter_ != nullptr) about.filter = filter_->expression();
  const std::lock_guard lock(mutex_);
  interfaces_.push_back(std::move(about));
  given_.emplace_back();
}

std::optional<InterfaceInfo> LiveSource::interface(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  return number < interfaces_.size() ? std::optional{interfaces_[number]} : std::nullopt;
}

void LiveSource::wait() {
  std::vector<pollfd> entries;
  if (phase_ == Phase::running) entries.push_back({stop_.fd(), POLLIN, 0});
  if (changes_) entries.push_back({changes_->fd(), POLLIN, 0});
  each_ring([&](const LiveLink& link, const LiveRing& ring) {
    if (link.present() && !ring.leaving) entries.push_back({ring.ring.fd(), POLLIN, 0});
  });
  const int patience =
      static_cast<int>((phase_ == Phase::running ? options_.patience : options_.retire).ns / 1'000'000);
  if (::poll(entries.data(), entries.size(), patience) <= 0) return;
  if (changes_ && changes_->take()) {
    relations_changed_ = true;
    next_check_ = {};
  }
  for (const pollfd& entry : entries)
    if ((entry.revents & (POLLERR | POLLHUP)) != 0) next_check_ = {};
  // A ring is readable as long as the block before the kernel's is out, given out or not.
  constexpr int until_blocks_are_back_ms = 1;
  bool any = false;
  each_ring([&](const LiveLink&, LiveRing& ring) { any = any || ring.ready(); });
  if (!any) ::poll(entries.data(), phase_ == Phase::running ? 1 : 0, until_blocks_are_back_ms);
}

void LiveSource::check_links() {
  for (const auto& link : links_) link->check(say_);
  if (!changes_ || changes_->take()) relations_changed_ = true;
  learn_relations();
}

// What changed while they were asked for is asked for again.
void LiveSource::learn_relations() {
  if (!every_once_ || !std::exchange(relations_changed_, false)) return;
  if (const auto links = link_relations()) copies_.learn(*links);
}

// Nothing more is accepted; what was, is in the rings.
void LiveSource::end() {
  for (const auto& link : links_) link->end();
  phase_ = Phase::draining;
  drained_ = steady_now() + Duration{3 * options_.retire.ns};  // until the last block is handed over
}

InterfaceCounts LiveSource::counts(std::size_t interface) const {
  InterfaceCounts counts;
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    if (interface < given_.size()) {
      counts.packets = given_[interface].packets;
      counts.bytes = given_[interface].bytes;
      name = interfaces_[interface].name;
    }
  }
  for (const auto& link : links_) {
    if (!link->every() && link->number() != interface) continue;
    counts.nic_drops += link->nic_drops(name);
    if (link->every() && interface != 0) continue;
    const RingCounts rings = link->ring_counts();
    counts.received += rings.received;
    counts.ring_drops += rings.dropped;
  }
  return counts;
}

LiveStatus LiveSource::status() const {
  LiveStatus status{.running = steady_now() - started_,
                    .packets = packets_,
                    .bytes = bytes_,
                    .copies = copies_left_out_,
                    .hardware_times = times_.hardware,
                    .kernel_times = kernel_times_};
  // Interfaces of "any" are there when their first packet has come; rings before that.
  for (std::size_t i = 0; i == 0 || interface(i); ++i) {
    const InterfaceCounts one = counts(i);
    status.received += one.received;
    status.ring_drops += one.ring_drops;
    status.nic_drops += one.nic_drops;
  }
  return status;
}

void LiveSource::each_counter(const CounterTaker& f) const {
  const LiveStatus all = status();
  f("kernel_received", all.received, {});
  f("kernel_drops", all.ring_drops, {});
  f("interface_drops", all.nic_drops, {});
  if (every_once_) f("copies", all.copies, {});
  if (times_.hardware) f("kernel_times", all.kernel_times, {});
  const bool own_rings = std::ranges::none_of(links_, [](const auto& link) { return link->every(); });
  for (std::size_t i = 0; const auto about = interface(i); ++i) {
    const InterfaceCounts one = counts(i);
    f("packets", one.packets, about->name);
    f("bytes", one.bytes, about->name);
    if (own_rings) {
      f("kernel_received", one.received, about->name);
      f("kernel_drops", one.ring_drops, about->name);
    }
    f("interface_drops", one.nic_drops, about->name);
  }
}

}  // namespace weir

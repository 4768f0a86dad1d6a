#include "engine/live_source.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "core/suggest.hpp"
#include "os/kernel_clock.hpp"
#include "os/link.hpp"

namespace weir {
namespace {

constexpr std::uint16_t link_ethernet = 1, link_raw = 101, link_wlan = 105, link_radiotap = 127;
// Between two looks at whether links are up.
constexpr Duration check_interval = milliseconds(500);
// A packet is stamped before it is in a block, and the block is handed over later.
constexpr Duration hand_over = seconds(1);
constexpr std::uint32_t whole = 262'144;  // as tcpdump's default snap length: readers take no more

// What packets of this kind of hardware begin with; links with a header that is not known here, or none, are
// captured from the network header on.
std::uint16_t link_type_of(std::uint16_t hardware) noexcept {
  switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK: return link_ethernet;
    case ARPHRD_IEEE80211: return link_wlan;
    case ARPHRD_IEEE80211_RADIOTAP: return link_radiotap;
    default: return link_raw;
  }
}

constexpr std::uint32_t ancillary(int what) noexcept {
  return static_cast<std::uint32_t>(SKF_AD_OFF + what);
}
constexpr BpfInstruction load(int what) noexcept {
  return {BPF_LD | BPF_H | BPF_ABS, 0, 0, ancillary(what)};
}
constexpr BpfInstruction if_equal(std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) noexcept {
  return {BPF_JMP | BPF_JEQ | BPF_K, then, otherwise, value};
}
constexpr BpfInstruction accept(std::uint32_t length) noexcept {
  return {BPF_RET | BPF_K, 0, 0, length};
}

// What the kernel is to run. The expression was compiled for packets as they are on the wire, but the kernel
// looks at them when the VLAN tag is off: those with a tag pass, and are looked at again when it is back. So
// do those of other link types than `link_type`, where all interfaces share a ring. What goes out over
// loopback comes in again and would be there twice.
std::vector<BpfInstruction> kernel_program(std::vector<BpfInstruction> expression, std::uint16_t link_type,
                                           bool every_interface, std::uint32_t snaplen) {
  std::vector<BpfInstruction> program;
  const auto add = [&](std::initializer_list<BpfInstruction> more) { program.insert(program.end(), more); };
  const std::uint32_t length = snaplen == 0 ? whole : snaplen;
  if (link_type == link_ethernet)
    add({load(SKF_AD_PKTTYPE), if_equal(PACKET_OUTGOING, 0, 3), load(SKF_AD_HATYPE),
         if_equal(ARPHRD_LOOPBACK, 0, 1), accept(0)});
  if (expression.empty()) {
    add({accept(length)});
    return program;
  }
  if (link_type == link_ethernet) add({load(SKF_AD_VLAN_TAG_PRESENT), if_equal(0, 1, 0), accept(length)});
  if (every_interface)
    add({load(SKF_AD_HATYPE), if_equal(ARPHRD_ETHER, 2, 0), if_equal(ARPHRD_LOOPBACK, 1, 0), accept(length)});
  for (BpfInstruction& i : expression) {
    if (i.code == (BPF_RET | BPF_K) && i.k != 0) i.k = length;
    program.push_back(i);
  }
  return program;
}

Error no_interface(const std::string& name) {
  const std::vector<std::string> names = link_names();
  std::vector<std::string_view> known(names.begin(), names.end());
  known.push_back("any");
  std::string all;
  for (const std::string_view one : known) all += (all.empty() ? "there are " : ", ") + std::string(one);
  return {Code::environment, "there is no such interface", name, suggestion(name, known, all)};
}

std::string system_name() {
  utsname name{};
  return ::uname(&name) == 0 ? fmt::format("{} {}", name.sysname, name.release) : "Linux";
}

}  // namespace

struct LiveSource::Link {
  std::string name;
  unsigned index = 0;  // 0: all interfaces
  std::uint16_t link_type = link_ethernet, number = 0;
  bool every = false, loopback = false, present = true, up = true;
  // What interfaces had dropped when the capture began, by name.
  std::map<std::string, std::uint64_t> nic_drops_before;
  std::vector<BpfInstruction> program;
  std::vector<Ring*> rings;
};

struct LiveSource::Ring {
  CaptureRing ring;
  Link* link;
  std::shared_ptr<RingBlock> block;
  RingPacket next;       // of the block
  bool waiting = false;  // `next` is set
};

LiveSource::LiveSource(const LiveOptions& options, const CaptureFilter* filter, const Event& stop,
                       std::function<void(const std::string&)> say)
    : options_(options), filter_(filter), stop_(stop), say_(std::move(say)) {}

LiveSource::~LiveSource() = default;

Result<std::unique_ptr<LiveSource>> LiveSource::open(const LiveOptions& options, const CaptureFilter* filter,
                                                     const Event& stop,
                                                     std::function<void(const std::string&)> say) {
  std::unique_ptr<LiveSource> made(new LiveSource(options, filter, stop, std::move(say)));
  for (const std::string& name : options.interfaces) WEIR_CHECK(made->open_link(name));
  return made;
}

Result<void> LiveSource::open_link(const std::string& name) {
  auto link = std::make_unique<Link>();
  link->name = name;
  link->every = name == "any";
  if (!link->every) {
    const auto state = link_state(name);
    if (!state) return tl::unexpected<Error>(no_interface(name));
    link->index = state->index;
    link->up = state->up;
    link->link_type = link_type_of(state->hardware);
    link->loopback = state->hardware == ARPHRD_LOOPBACK;
    link->number = static_cast<std::uint16_t>(interfaces_.size());
    add_interface(name, link->link_type);
  }
  for (const std::string& one : link->every ? link_names() : std::vector{name})
    link->nic_drops_before[one] = link_drops(one);
  std::vector<BpfInstruction> program;
  if (filter_ != nullptr) {
    program = filter_->program(link->link_type);
    if (program.empty())
      return fail(Code::usage, "the BPF expression makes no sense for its packets", name,
                  "they begin with IP");
  }
  const bool plain = filter_ == nullptr && options_.snaplen == 0 && !link->every && !link->loopback;
  if (!plain) program = kernel_program(std::move(program), link->link_type, link->every, options_.snaplen);
  link->program = std::move(program);
  for (unsigned i = 0; i < options_.rings; ++i) WEIR_CHECK(open_ring(*link));
  links_.push_back(std::move(link));
  return {};
}

Result<void> LiveSource::open_ring(Link& link) {
  auto ring = CaptureRing::open({.bytes = options_.buffer / options_.rings,
                                 .retire = options_.retire,
                                 .network_layer = link.link_type == link_raw && !link.every});
  if (ring) {
    rings_.push_back(std::make_unique<Ring>(Ring{std::move(*ring), &link, {}, {}}));
    link.rings.push_back(rings_.back().get());
    auto filtered = rings_.back()->ring.filter(link.program);
    if (filtered) return {};
    ring = tl::unexpected<Error>(filtered.error());
  }
  if (ring.error().where.empty()) ring.error().where = link.name;
  return tl::unexpected<Error>(ring.error());
}

Result<void> LiveSource::start() {
  started_ = next_check_ = steady_now();
  for (const auto& link : links_) {
    // The number of a group is the host's, of all programs that capture.
    const auto group = static_cast<std::uint16_t>(static_cast<std::size_t>(::getpid()) * 16 +
                                                  static_cast<std::size_t>(&link - links_.data()));
    for (Ring* ring : link->rings) {
      auto done = ring->ring.bind(link->index, options_.promiscuous);
      if (done && options_.rings > 1) done = ring->ring.join(group);
      if (done) continue;
      done.error().where = link->name;
      return done;
    }
  }
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
    given_until_ = {looked.ns - hand_over.ns};
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
    Ring* first = nullptr;
    Time other = never;
    for (const auto& ring : rings_) {
      if (!ready(*ring)) continue;
      if (first == nullptr || ring->next.time < first->next.time) {
        if (first != nullptr) other = std::min(other, first->next.time);
        first = ring.get();
      } else {
        other = std::min(other, ring->next.time);
      }
    }
    if (first == nullptr) return;
    take_run(slice, *first, goal - slice.packets.size(), other);
  }
}

bool LiveSource::ready(Ring& ring) {
  while (!ring.waiting) {
    if (ring.block != nullptr && ring.block->next(ring.next)) {
      ring.waiting = true;
    } else {
      ring.block = nullptr;
      ring.block = ring.ring.next();
      if (ring.block == nullptr) return false;
    }
  }
  return true;
}

// Packets of one block up to a time.
void LiveSource::take_run(PacketSlice& slice, Ring& ring, std::size_t most, Time until) {
  const Link& link = *ring.link;
  const std::size_t before = slice.packets.size();
  do {
    const RingPacket& p = ring.next;
    RawPacket raw{p.time, p.data, std::min(p.captured, whole), p.length, link.link_type, link.number};
    bool certain = !p.tagged;
    if (link.every) {
      raw.link_type = link_type_of(p.hardware);
      if (raw.link_type == link_raw) {
        const auto skipped = std::min<std::uint32_t>(p.network, raw.captured);
        raw.data += skipped;
        raw.captured -= skipped;
        raw.length -= skipped;
      }
      raw.interface = number_of(raw, p.interface);
      certain = certain && raw.link_type == link_ethernet;
    }
    if (options_.directions) raw.interface = static_cast<std::uint16_t>(raw.interface * 2 + p.outgoing);
    if (certain || filter_ == nullptr || filter_->accepts(raw)) {
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
  for (const auto& ring : rings_)
    if (ring->link->present) entries.push_back({ring->ring.fd(), POLLIN, 0});
  const int patience =
      static_cast<int>((phase_ == Phase::running ? options_.patience : options_.retire).ns / 1'000'000);
  if (::poll(entries.data(), entries.size(), patience) <= 0) return;
  for (const pollfd& entry : entries)
    if ((entry.revents & (POLLERR | POLLHUP)) != 0) next_check_ = {};
  // A ring is readable as long as the block before the kernel's is out, given out or not.
  constexpr int until_blocks_are_back_ms = 1;
  if (std::ranges::none_of(rings_, [&](const auto& ring) { return ready(*ring); }))
    ::poll(entries.data(), phase_ == Phase::running ? 1 : 0, until_blocks_are_back_ms);
}

void LiveSource::check_links() {
  for (const auto& link : links_)
    if (!link->every) check(*link);
}

// A ring goes on by itself when its interface comes up again, but not when it comes back as another one.
void LiveSource::check(Link& link) {
  for (Ring* ring : link.rings) ring->ring.take_error();
  const auto state = link_state(link.name);
  // Renamed, it is still there.
  const bool present = (state && state->index == link.index) || !link_name(link.index).empty();
  const bool up = state && state->up;
  // A kernel that has lost the interface of a ring in a fanout group does not bind the ring anew.
  const bool again = link.rings.size() == 1;
  if (!present && state && again) return reopen(link, state->index);
  if (link.present && !present) {
    say_(again ? fmt::format("{} is gone; capturing goes on when it is back", link.name)
               : fmt::format("{} is gone, and with several rings it is not captured again", link.name));
  } else if (state && link.up && !up) {
    say_(fmt::format("{} is down; capturing goes on when it is up", link.name));
  } else if (state && !link.up && up && link.present) {
    say_(fmt::format("{} is up", link.name));
  }
  link.present = present;
  if (state) link.up = up;
}

void LiveSource::reopen(Link& link, unsigned index) {
  // When it fails the interface has gone again, and the next check sees more.
  if (!link.rings.front()->ring.bind(index, options_.promiscuous)) return;
  say_(fmt::format("{} is back", link.name));
  link.index = index;
  link.present = true;
  link.up = true;
}

// Nothing more is accepted; what was, is in the rings.
void LiveSource::end() {
  const BpfInstruction nothing[] = {accept(0)};
  for (const auto& ring : rings_) (void)ring->ring.filter(nothing);
  phase_ = Phase::draining;
  drained_ = steady_now() + Duration{3 * options_.retire.ns};  // until the last block is handed over
}

// Since the capture began.
std::uint64_t LiveSource::nic_drops(const Link& link, std::size_t interface) const {
  if (link.every && interface >= interfaces_.size()) return 0;
  const std::string& name = link.every ? interfaces_[interface].name : link.name;
  const std::uint64_t now = link_drops(name);
  const auto before = link.nic_drops_before.find(name);
  const std::uint64_t then = before == link.nic_drops_before.end() ? 0 : before->second;
  return now > then ? now - then : 0;
}

InterfaceCounts LiveSource::counts(std::size_t interface) const {
  InterfaceCounts counts;
  const std::lock_guard lock(mutex_);
  if (interface < given_.size()) {
    counts.packets = given_[interface].packets;
    counts.bytes = given_[interface].bytes;
  }
  for (const auto& link : links_) {
    if (!link->every && link->number != interface) continue;
    counts.nic_drops += nic_drops(*link, interface);
    if (link->every && interface != 0) continue;
    for (Ring* ring : link->rings) {
      const RingCounts& c = ring->ring.counts();
      counts.received += c.received;
      counts.ring_drops += c.dropped;
    }
  }
  return counts;
}

LiveStatus LiveSource::status() const {
  LiveStatus status{.running = steady_now() - started_, .packets = packets_, .bytes = bytes_};
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
  const bool own_rings = std::ranges::none_of(links_, [](const auto& link) { return link->every; });
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

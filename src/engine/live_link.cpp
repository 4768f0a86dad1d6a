#include "engine/live_link.hpp"

#include <fmt/format.h>
#include <linux/if_arp.h>

#include <algorithm>

#include "core/suggest.hpp"
#include "engine/ring_program.hpp"
#include "os/kernel_clock.hpp"
#include "os/link.hpp"

namespace weir {

Error no_such_link(const std::string& name) {
  const std::vector<std::string> names = link_names();
  std::vector<std::string_view> known(names.begin(), names.end());
  known.push_back("any");
  std::string all;
  for (const std::string_view one : known) all += (all.empty() ? "there are " : ", ") + std::string(one);
  return {Code::environment, "there is no such interface", name, suggestion(name, known, all)};
}

bool LiveRing::ready() {
  while (!waiting) {
    if (block != nullptr && block->next(next)) {
      waiting = true;
    } else {
      block = nullptr;
      block = ring.next();
      if (block == nullptr) return false;
    }
  }
  return true;
}

LiveLink::LiveLink(std::string name, std::uint16_t number, const LiveOptions& options)
    : options_(options), asked_(name), number_(number), every_(name == "any"), name_(std::move(name)) {}

Result<std::unique_ptr<LiveLink>> LiveLink::open(const std::string& name, std::uint16_t number,
                                                 const LiveOptions& options, const CaptureFilter* filter) {
  std::unique_ptr<LiveLink> link(new LiveLink(name, number, options));
  if (!link->every_) {
    const auto state = link_state(name);
    if (!state) return tl::unexpected<Error>(no_such_link(name));
    link->index_ = state->index;
    link->up_ = state->up;
    link->link_type_ = link_type_of(state->hardware);
    link->loopback_ = state->hardware == ARPHRD_LOOPBACK;
    link->name_ = link_name(state->index);  // the user's may be an alternative one
  }
  for (const std::string& one : link->every_ ? link_names() : std::vector{link->name_})
    link->nic_drops_before_[one] = link_drops(one);
  if (filter != nullptr) {
    link->expression_ = filter->program(link->link_type_);
    if (link->expression_.empty())
      return fail(Code::usage, "the BPF expression makes no sense for its packets", name,
                  "they begin with IP");
  }
  auto opened = link->open_rings();
  if (opened) return link;
  if (opened.error().where.empty()) opened.error().where = name;
  return tl::unexpected<Error>(opened.error());
}

RingOptions LiveLink::ring_options() const noexcept {
  return {.bytes = options_.buffer / options_.rings,
          .retire = options_.retire,
          .network_layer = link_type_ == link_raw && !every_};
}

std::vector<BpfInstruction> LiveLink::program(unsigned interface) const {
  return ring_program({.expression = expression_,
                       .link_type = link_type_,
                       .every_interface = every_,
                       .loopback = loopback_,
                       .snaplen = options_.snaplen,
                       .interface = interface});
}

Result<void> LiveLink::open_rings() {
  for (unsigned i = 0; i < options_.rings; ++i) WEIR_CHECK(add_ring(CaptureRing::open(ring_options()), 0));
  if (options_.rings == 1 || every_) return {};
  for (unsigned i = 0; i < options_.rings; ++i) {
    WEIR_TRY(RingSocket socket, RingSocket::open(ring_options().network_layer));
    spare_.push_back(std::move(socket));
  }
  return {};
}

Result<void> LiveLink::add_ring(Result<CaptureRing> ring, unsigned interface) {
  if (!ring) return tl::unexpected<Error>(ring.error());
  WEIR_CHECK(ring->filter(program(interface)));
  const std::lock_guard lock(mutex_);
  rings_.push_back(std::make_unique<LiveRing>(LiveRing{.ring = std::move(*ring)}));
  return {};
}

Result<void> LiveLink::start(bool hardware_times) {
  hardware_times_ = hardware_times;
  return bind_rings();
}

Result<void> LiveLink::bind_rings() {
  std::optional<std::uint16_t> group;
  for (const auto& ring : rings_) {
    if (ring->leaving) continue;
    Result<void> done;
    if (hardware_times_) done = ring->ring.take_hardware_times();
    if (done) done = ring->ring.bind(selects_ ? 0 : index_, options_.promiscuous);
    if (done && options_.rings > 1) {
      auto joined = ring->ring.join(group);
      if (joined)
        group = *joined;
      else
        done = tl::unexpected<Error>(joined.error());
    }
    if (done) continue;
    done.error().where = asked_;
    return done;
  }
  return {};
}

// A ring goes on by itself when its interface comes up again, but not when it comes back as another one.
void LiveLink::check(const Say& say) {
  if (every_) return;
  for (const auto& ring : rings_) ring->ring.take_error();
  let_go();
  if (std::string now = link_name(index_); !now.empty()) return found(std::move(now), index_, say);
  // Another one of that name; the user's own word for it comes first.
  for (const std::string& name : {asked_, name_}) {
    const auto state = link_state(name);
    if (!state) continue;
    if (link_type_of(state->hardware) != link_type_) {
      if (std::exchange(present_, false))
        say(fmt::format("{} is another kind of interface now, and not captured", name));
      return;
    }
    // When it fails the interface has gone again, and the next check sees more.
    if (!come_back(state->index)) return;
    say(fmt::format("{} is back", name));
    const std::lock_guard lock(mutex_);
    name_ = link_name(index_);
    up_ = state->up;
    return;
  }
  if (std::exchange(present_, false))
    say(fmt::format("{} is gone; capturing goes on when it is back", name_));
}

// It is there, perhaps by another name.
void LiveLink::found(std::string name, unsigned index, const Say& say) {
  if (name != name_) {
    say(fmt::format("{} is called {} now", name_, name));
    const std::lock_guard lock(mutex_);
    nic_drops_before_[name] = nic_drops_before_[name_];
    name_ = std::move(name);
  }
  const std::uint64_t drops = nic_drops({});
  const auto state = link_state(name_);
  if (!state || state->index != index) return;  // things move on; the next check sees more
  if (up_ && !state->up) say(fmt::format("{} is down; capturing goes on when it is up", name_));
  if (!up_ && state->up) say(fmt::format("{} is up", name_));
  up_ = state->up;
  const std::lock_guard lock(mutex_);
  nic_drops_seen_ = drops;
}

Result<void> LiveLink::come_back(unsigned index) {
  if (options_.rings == 1) {
    WEIR_CHECK(rings_.front()->ring.bind(index, options_.promiscuous));
  } else if (!selects_) {
    WEIR_CHECK(replace_rings(index));
  } else {
    for (const auto& ring : rings_)
      if (!ring->leaving) WEIR_CHECK(ring->ring.filter(program(index)));
  }
  if (selects_ && options_.promiscuous)
    for (const auto& ring : rings_)
      if (!ring->leaving) ring->ring.promiscuous(index);
  index_ = index;
  present_ = true;
  const std::lock_guard lock(mutex_);
  nic_drops_gone_ = nic_drops_seen_;
  nic_drops_before_.clear();
  return {};
}

Result<void> LiveLink::replace_rings(unsigned index) {
  for (const auto& ring : rings_) {
    ring->leaving = true;
    ring->left = steady_now();
  }
  selects_ = true;
  for (RingSocket& socket : spare_)
    WEIR_CHECK(add_ring(CaptureRing::open(ring_options(), std::move(socket)), index));
  spare_.clear();
  return bind_rings();
}

// Rings that are left, when nothing can be in them any more.
void LiveLink::let_go() {
  const Time blocks_are_out{steady_now().ns - 3 * options_.retire.ns};
  const std::lock_guard lock(mutex_);
  std::erase_if(rings_, [&](const auto& ring) {
    if (!ring->leaving || ring->left > blocks_are_out || ring->ready()) return false;
    const RingCounts& counts = ring->ring.counts();
    gone_.received += counts.received;
    gone_.dropped += counts.dropped;
    return true;
  });
}

void LiveLink::end() {
  for (const auto& ring : rings_) (void)ring->ring.filter(closed_program());
}

RingCounts LiveLink::ring_counts() const {
  const std::lock_guard lock(mutex_);
  RingCounts all = gone_;
  for (const auto& ring : rings_) {
    const RingCounts& counts = ring->ring.counts();
    all.received += counts.received;
    all.dropped += counts.dropped;
  }
  return all;
}

std::uint64_t LiveLink::nic_drops(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const std::string& which = every_ ? name : name_;
  if (which.empty()) return 0;
  const std::uint64_t now = link_drops(which);
  const auto before = nic_drops_before_.find(which);
  const std::uint64_t then = before == nic_drops_before_.end() ? 0 : before->second;
  const std::uint64_t sum = nic_drops_gone_ + (now > then ? now - then : 0);
  return every_ ? sum : std::max(sum, nic_drops_seen_);
}

}  // namespace weir

#include "engine/link_sweep.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>

#include "os/kernel_clock.hpp"
#include "os/packet_socket.hpp"
#include "packet/build.hpp"
#include "probe/pacer.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ether_ip6 = 0x86dd, ether_arp = 0x0806;
constexpr std::size_t batch_most = 64;
constexpr Duration tick_every = milliseconds(200);
constexpr std::uint8_t echo_request = 128, echo_reply = 129, solicitation = 135, advertisement = 136;

Addr all_nodes() {
  Addr a;
  a.bytes[0] = 0xff;
  a.bytes[1] = 0x02;
  a.bytes[15] = 1;
  return a;
}

class LinkSweep {
 public:
  LinkSweep(const LinkSweepOptions& options, const std::function<void(const Neighbour&)>& found,
            const std::function<bool(double)>& tick, PacketReceiver receiver)
      : options_(options),
        found_(found),
        tick_(tick),
        receiver_(std::move(receiver)),
        pacer_(options.rate, steady_now()),
        answered_(options.targets.size()) {}

  Result<LinkSweepOutcome> run();

 private:
  struct Output {
    PacketSender sender;
    FrameBatch batch{batch_most};
  };

  Result<void> open_paths();
  Result<void> open_output(unsigned interface);
  Result<void> pass(unsigned number);
  Result<void> ask(const Addr& target, const ScanPath& path);
  Result<void> ask_all_nodes();
  Result<void> commit(unsigned interface, const std::uint8_t* end);
  Result<void> flush(Output& output);
  Result<void> flush();
  void wait_until(Time until);
  void receive();
  bool go_on(Time now);
  double expected_missing(unsigned passes) const;
  bool edge_of_own_network(const Addr& a) const;

  const LinkSweepOptions& options_;
  const std::function<void(const Neighbour&)>& found_;
  const std::function<bool(double)>& tick_;
  PacketReceiver receiver_;
  Routes routes_;
  ScanPaths paths_;
  std::vector<InterfaceNetwork> own_;
  std::map<unsigned, Output> outputs_;
  Pacer pacer_;
  std::vector<bool> answered_;
  LinkSweepOutcome outcome_;
  std::uint64_t done_ = 0;
  std::uint64_t heard_ = 0, at_once_ = 0;  // targets that have answered; in the first pass
  Time next_tick_{};
};

Result<void> LinkSweep::open_output(unsigned interface) {
  if (outputs_.contains(interface)) return {};
  WEIR_TRY(PacketSender sender, PacketSender::open(interface));
  outputs_.emplace(interface, Output{std::move(sender)});
  return {};
}

Result<void> LinkSweep::open_paths() {
  WEIR_TRY(routes_, Routes::open());
  WEIR_TRY(paths_, ScanPaths::find(routes_, options_.targets, options_.interface));
  WEIR_TRY(own_, interface_networks());
  for (const ScanPath& path : paths_.paths())
    if (path.on_link() && !path.local) WEIR_CHECK(open_output(path.interface));
  if (options_.all_nodes) WEIR_CHECK(open_output(options_.interface));
  return {};
}

Result<LinkSweepOutcome> LinkSweep::run() {
  WEIR_CHECK(open_paths());
  constexpr unsigned most = 16;
  constexpr double little = 0.02;  // hosts
  for (unsigned number = 0; number < most && !outcome_.stopped; ++number) {
    if (number >= options_.passes && (!options_.more || expected_missing(number) < little)) break;
    WEIR_CHECK(pass(number));
    if (number == 0) at_once_ = heard_;
  }
  outcome_.dropped = receiver_.dropped();
  return outcome_;
}

Result<void> LinkSweep::pass(unsigned number) {
  if (options_.all_nodes) WEIR_CHECK(ask_all_nodes());
  for (std::uint64_t i = 0; i < options_.targets.size() && !outcome_.stopped; ++i, ++done_) {
    if (answered_[i]) continue;
    const Addr target = options_.targets.nth(i);
    const ScanPath* path = paths_.of(target);
    if (path == nullptr || (!path->local && !path->on_link())) {
      // A network's first and last address lead nowhere by themselves.
      outcome_.off_link += number == 0 && !edge_of_own_network(target);
      answered_[i] = true;
      continue;
    }
    outcome_.asked += number == 0;
    if (path->local) {
      answered_[i] = true;
      const auto own = std::ranges::find(own_, target, &InterfaceNetwork::address);
      const Interface* interface = own == own_.end() ? nullptr : routes_.find_interface(own->interface);
      if (interface != nullptr && interface->ethernet)
        found_({KernelClock().wall(steady_now()), target, interface->mac, false, "local"});
      else
        ++outcome_.without_link;
      continue;
    }
    WEIR_CHECK(ask(target, *path));
  }
  WEIR_CHECK(flush());
  wait_until(steady_now() + options_.wait);
  return {};
}

// Hosts that have missed every pass so far, if each loses what those lost that did not answer the first.
double LinkSweep::expected_missing(unsigned passes) const {
  const auto heard = static_cast<double>(heard_);
  const double lost = (heard - static_cast<double>(at_once_) + 1) / (heard + 2);
  return heard * std::pow(lost, passes);
}

bool LinkSweep::edge_of_own_network(const Addr& a) const {
  return std::ranges::any_of(own_, [&](const InterfaceNetwork& own) {
    return own.network.contains(a) && (a == own.network.address || a.bytes[15] == 255);
  });
}

Result<void> LinkSweep::ask(const Addr& target, const ScanPath& path) {
  while (pacer_.take(steady_now(), 1) == 0) {
    WEIR_CHECK(flush());
    wait_until(pacer_.next());
    if (outcome_.stopped) return {};
  }
  std::uint8_t* room = outputs_.at(path.interface).batch.room();
  const std::uint8_t* end = target.is_v4()
                                ? write_arp_request(room, path.source_mac, path.source, target)
                                : write_neighbor_solicitation(room, path.source_mac, path.source, target);
  return commit(path.interface, end);
}

// From each of our addresses: a node answers from one of the same network.
Result<void> LinkSweep::ask_all_nodes() {
  const Interface* interface = routes_.find_interface(options_.interface);
  if (interface == nullptr) return {};
  constexpr std::uint8_t body[] = {'w', 'r', 0, 1};
  for (const InterfaceNetwork& own : own_) {
    if (own.interface != options_.interface || own.address.is_v4()) continue;
    std::uint8_t* const room = outputs_.at(own.interface).batch.room();
    std::uint8_t* const network =
        write_ethernet(room, Mac{{0x33, 0x33, 0, 0, 0, 1}}, interface->mac, ether_ip6);
    const IpFields ip{.src = own.address, .dst = all_nodes(), .ttl = 255};
    WEIR_CHECK(commit(own.interface, write_icmp(network, ip, echo_request, 0, Bytes(body, sizeof body))));
  }
  return {};
}

Result<void> LinkSweep::commit(unsigned interface, const std::uint8_t* end) {
  Output& output = outputs_.at(interface);
  output.batch.commit(static_cast<std::size_t>(end - output.batch.room()));
  return output.batch.full() ? flush(output) : Result<void>{};
}

Result<void> LinkSweep::flush() {
  for (auto& [interface, output] : outputs_) WEIR_CHECK(flush(output));
  receive();
  go_on(steady_now());
  return {};
}

Result<void> LinkSweep::flush(Output& output) {
  for (std::size_t first = 0; first < output.batch.size();) {
    const SendOutcome sent = output.sender.send(output.batch, first);
    first += sent.sent;
    outcome_.sent += sent.sent;
    if (sent.error == ENOBUFS || sent.error == EAGAIN)
      wait_until(steady_now() + milliseconds(1));
    else if (sent.error != 0)
      return fail(Code::environment, std::strerror(sent.error), "sending", "is the interface up?");
  }
  output.batch.clear();
  return {};
}

void LinkSweep::wait_until(Time until) {
  while (!outcome_.stopped) {
    receive();
    const Time now = steady_now();
    if (until <= now || !go_on(now)) return;
    pollfd ready{receiver_.fd(), POLLIN, 0};
    const std::int64_t ns = std::min((until - now).ns, tick_every.ns);
    const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    ppoll(&ready, 1, &timeout, nullptr);
  }
}

void LinkSweep::receive() {
  for (auto packets = receiver_.receive(); !packets.empty(); packets = receiver_.receive())
    for (const ReceivedPacket& packet : packets) {
      if (!outputs_.contains(packet.interface)) continue;
      const auto neighbour = read_neighbour_packet(packet);
      if (!neighbour) continue;
      const auto index = options_.targets.index_of(neighbour->ip);
      if (index && neighbour->answered && !answered_[*index]) {
        answered_[*index] = true;
        ++heard_;
      }
      if (index || (options_.all_nodes && !neighbour->ip.is_v4())) found_(*neighbour);
    }
}

bool LinkSweep::go_on(Time now) {
  if (now < next_tick_) return true;
  next_tick_ = now + tick_every;
  const double all =
      static_cast<double>(std::max<std::uint64_t>(options_.targets.size() * options_.passes, 1));
  outcome_.stopped = !tick_(std::min(static_cast<double>(done_) / all, 1.0));
  return !outcome_.stopped;
}

std::optional<Neighbour> read_arp(const ReceivedPacket& packet) noexcept {
  const Bytes b = packet.bytes;
  if (b.size() < 28 || b[0] != 0 || b[1] != 1 || b[2] != 8 || b[3] != 0 || b[4] != 6 || b[5] != 4 ||
      b[6] != 0)
    return std::nullopt;
  if (b[7] != 1 && b[7] != 2) return std::nullopt;
  const bool reply = b[7] == 2;
  return Neighbour{packet.time, Addr::v4(&b[14]), Mac::from(&b[8]), reply,
                   reply ? "arp_reply" : "arp_request"};
}

std::optional<Neighbour> read_icmp6(const ReceivedPacket& packet) noexcept {
  constexpr std::size_t header = 40, icmp6 = 58;
  const Bytes b = packet.bytes;
  if (b.size() < header + 8 || b[0] >> 4 != 6 || b[6] != icmp6) return std::nullopt;
  Neighbour neighbour{packet.time, Addr::v6(&b[8]), packet.sender, false, {}};
  switch (b[header]) {
    case echo_reply: neighbour.how = "echo_reply"; return neighbour;
    case solicitation:
      // Only what has passed no router (RFC 4861 §7.1).
      if (b[7] != 255) return std::nullopt;
      neighbour.how = "neighbor_solicitation";
      return neighbour;
    case advertisement:
      if (b[7] != 255 || b.size() < header + 24) return std::nullopt;
      neighbour.ip = Addr::v6(&b[header + 8]);
      if (b.size() >= header + 32 && b[header + 24] == 2 && b[header + 25] == 1)
        neighbour.mac = Mac::from(&b[header + 26]);
      neighbour.answered = true;
      neighbour.how = "neighbor_advertisement";
      return neighbour;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Neighbour> read_neighbour_packet(const ReceivedPacket& packet) noexcept {
  std::optional<Neighbour> neighbour;
  if (packet.type == ether_arp) neighbour = read_arp(packet);
  if (packet.type == ether_ip6) neighbour = read_icmp6(packet);
  if (!neighbour || neighbour->ip.is_unspecified() || neighbour->ip.is_multicast()) return std::nullopt;
  if ((neighbour->mac.bytes[0] & 1) != 0 || neighbour->mac == Mac{}) return std::nullopt;
  return neighbour;
}

Result<LinkSweepOutcome> sweep_link(const LinkSweepOptions& options,
                                    const std::function<void(const Neighbour&)>& found,
                                    const std::function<bool(double)>& tick) {
  WEIR_TRY(PacketReceiver receiver, PacketReceiver::open(1, 1));
  return LinkSweep(options, found, tick, std::move(receiver)).run();
}

}  // namespace weir

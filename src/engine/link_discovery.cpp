#include "engine/link_discovery.hpp"

#include <poll.h>

#include <algorithm>
#include <random>
#include <set>

#include "os/kernel_clock.hpp"
#include "packet/build.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ether_type_ip6 = 0x86dd;
constexpr Addr all_nodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr Mac all_nodes_mac{{0x33, 0x33, 0, 0, 0, 1}};  // RFC 2464 §7
constexpr std::uint8_t hop_by_hop = 0, destination_options = 60, icmp6 = 58;
constexpr std::uint8_t last_hop = 255;  // what comes with it was sent on the link
constexpr std::size_t ip6_size = 40;
constexpr std::size_t most_found = 65'536;

bool is_link_local(const Addr& a) noexcept {
  return !a.is_v4() && a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

// Identifier, sequence number, proof.
std::array<std::uint8_t, 12> echo_body(const LinkProbe& probe) noexcept {
  std::array<std::uint8_t, 12> body{};
  std::copy_n(probe.proof.begin(), 2, body.begin());
  std::ranges::copy(probe.proof, body.begin() + 4);
  return body;
}

class Discovery {
 public:
  Discovery(Routes& routes, const Interface& interface) : routes_(routes), interface_(interface) {
    std::random_device source;
    for (std::uint8_t& byte : probe_.proof) byte = static_cast<std::uint8_t>(source());
  }

  Result<void> open() {
    WEIR_TRY(const std::vector<Addr> own, routes_.addresses(interface_.index));
    for (const Addr& a : own) {
      own_.insert(a);
      if (!a.is_v4()) sources_.push_back(a);
      if (is_link_local(a)) link_local_ = a;
    }
    if (!link_local_)
      return fail(
          Code::environment, "has no IPv6 address to ask from", interface_.name,
          "ip addr shows them; IPv6 may be off: sysctl net.ipv6.conf." + interface_.name + ".disable_ipv6");
    WEIR_TRY(auto receiver, PacketReceiver::open(1, 1));
    receiver_.emplace(std::move(receiver));
    WEIR_CHECK(receiver_->take_multicast(interface_.index));
    WEIR_TRY(sender_, PacketSender::open(interface_.index));
    return {};
  }

  Result<void> ask() {
    FrameBatch batch(2 * sources_.size() + 1);
    const auto add = [&](auto&& write) {
      std::uint8_t* const room = batch.room();
      batch.commit(static_cast<std::size_t>(write(room) - room));
    };
    for (const Addr& from : sources_) {
      add([&](std::uint8_t* out) { return write_all_nodes_echo(out, probe_, interface_.mac, from); });
      add([&](std::uint8_t* out) { return write_all_nodes_odd_echo(out, probe_, interface_.mac, from); });
    }
    add([&](std::uint8_t* out) { return write_listener_query(out, interface_.mac, *link_local_); });
    if (const SendOutcome outcome = sender_->send(batch); outcome.error != 0 && outcome.sent == 0)
      return fail(Code::environment, std::string("cannot send: ") + std::strerror(outcome.error),
                  interface_.name);
    return {};
  }

  // False when `go_on` said so.
  bool listen(Duration time, const std::function<bool()>& go_on) {
    constexpr int look_around = 100;  // ms
    for (const Time end = steady_now() + time; steady_now() < end;) {
      pollfd waiting{receiver_->fd(), POLLIN, 0};
      const auto left = static_cast<int>((end - steady_now()).ns / 1'000'000) + 1;
      ::poll(&waiting, 1, std::clamp(left, 0, look_around));
      for (auto packets = receiver_->receive(); !packets.empty(); packets = receiver_->receive())
        for (const ReceivedPacket& packet : packets) take(packet);
      if (!go_on()) return false;
    }
    return true;
  }

  std::vector<Addr> found() {
    std::vector<Addr> out;
    for (const Addr& a : found_) {
      // Whoever claims another network's address is not reached on the link.
      const auto route = routes_.find(a, interface_.index);
      if (route && !route->local && !route->gateway) out.push_back(a);
    }
    return out;
  }

 private:
  void take(const ReceivedPacket& packet) {
    if (packet.interface != interface_.index || packet.type != ether_type_ip6) return;
    const auto from = read_link_answer(packet.bytes, probe_);
    if (from && !own_.contains(*from) && found_.size() < most_found) found_.insert(*from);
  }

  Routes& routes_;
  const Interface& interface_;
  LinkProbe probe_;
  std::set<Addr> own_, found_;
  std::vector<Addr> sources_;
  std::optional<Addr> link_local_;
  std::optional<PacketReceiver> receiver_;
  std::optional<PacketSender> sender_;
};

}  // namespace

std::uint8_t* write_all_nodes_echo(std::uint8_t* out, const LinkProbe& probe, const Mac& mac,
                                   const Addr& from) noexcept {
  out = write_ethernet(out, all_nodes_mac, mac, ether_type_ip6);
  return write_icmp(out, {.src = from, .dst = all_nodes, .ttl = last_hop}, 128, 0, echo_body(probe));
}

std::uint8_t* write_all_nodes_odd_echo(std::uint8_t* out, const LinkProbe& probe, const Mac& mac,
                                       const Addr& from) noexcept {
  // RFC 8200 §4.2: the two highest bits 10, "discard and say so, also of multicast"; kind 0x1e is for
  // experiments (RFC 4727).
  constexpr std::uint8_t odd[] = {0x80 | 0x1e, 4, 0, 0, 0, 0};
  out = write_ethernet(out, all_nodes_mac, mac, ether_type_ip6);
  return write_icmp6_behind(out, {.src = from, .dst = all_nodes, .ttl = last_hop}, destination_options, odd,
                            128, 0, echo_body(probe));
}

std::uint8_t* write_listener_query(std::uint8_t* out, const Mac& mac, const Addr& from) noexcept {
  constexpr std::uint8_t router_alert[] = {5, 2, 0, 0, 1, 0};  // RFC 2711, then PadN
  // RFC 3810 §5.1: answers within 500 ms, about any group; routers keep their timers (S); robustness 2, query
  // interval 125 s; no sources.
  constexpr std::uint8_t body[24] = {500 >> 8, 500 & 0xff, 0, 0, 0, 0, 0, 0, 0,        0,   0, 0,
                                     0,        0,          0, 0, 0, 0, 0, 0, 0x08 | 2, 125, 0, 0};
  out = write_ethernet(out, all_nodes_mac, mac, ether_type_ip6);
  return write_icmp6_behind(out, {.src = from, .dst = all_nodes, .ttl = 1}, hop_by_hop, router_alert, 130, 0,
                            body);
}

std::optional<Addr> read_link_answer(Bytes packet, const LinkProbe& probe) noexcept {
  if (packet.size() < ip6_size || packet[0] >> 4 != 6) return std::nullopt;
  const Addr from = Addr::v6(&packet[8]);
  if (from.is_unspecified() || from.is_multicast() || from.is_v4()) return std::nullopt;
  Bytes message = packet.subspan(ip6_size);
  std::uint8_t next = packet[6];
  if (next == hop_by_hop) {
    const std::size_t size = message.size() < 2 ? 0 : (message[1] + std::size_t{1}) * 8;
    if (size == 0 || size > message.size()) return std::nullopt;
    next = message[0];
    message = message.subspan(size);
  }
  if (next != icmp6 || message.size() < 8) return std::nullopt;
  const auto proven = [&](std::size_t at) {
    return message.size() >= at + probe.proof.size() &&
           std::equal(probe.proof.begin(), probe.proof.end(),
                      message.begin() + static_cast<std::ptrdiff_t>(at));
  };
  constexpr std::size_t echo = 8, quoted_echo = 8 + ip6_size + 8 + 8;
  const bool local_sender = packet[7] == last_hop;
  bool shown = false;
  switch (message[0]) {
    case 4: shown = message[1] == 2 && proven(quoted_echo); break;  // the odd option
    case 129: shown = proven(echo); break;                          // echo reply
    case 131:                                                       // listener reports
    case 143: shown = is_link_local(from); break;
    case 133:  // routers and neighbours (RFC 4861)
    case 134:
    case 135:
    case 136: shown = local_sender; break;
    default: break;
  }
  return shown ? std::optional(from) : std::nullopt;
}

Result<std::vector<Addr>> find_on_link(Routes& routes, const Interface& interface,
                                       const std::function<bool()>& go_on,
                                       const LinkDiscoveryOptions& options) {
  if (!interface.ethernet)
    return fail(Code::environment, "has no neighbours that could be asked", interface.name,
                "name an interface with MAC addresses");
  if (!interface.up) return fail(Code::environment, "is down", interface.name, "ip link set it up");
  Discovery discovery(routes, interface);
  WEIR_CHECK(discovery.open());
  for (const Duration time : {options.spacing, options.wait}) {
    WEIR_CHECK(discovery.ask());
    if (!discovery.listen(time, go_on)) break;
  }
  return discovery.found();
}

}  // namespace weir

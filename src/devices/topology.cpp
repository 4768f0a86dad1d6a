#include "devices/topology.hpp"

#include <algorithm>

#include "core/ascii.hpp"
#include "devices/inventory.hpp"

namespace weir {
namespace {

constexpr std::string_view bridge = "bridge";

// Who is at an end: a device's number, or what it is called.
using Node = std::pair<std::uint64_t, std::string>;

// "Gi0/1" is GigabitEthernet0/1, too.
bool same_port(std::string_view a, std::string_view b) noexcept {
  if (a.empty() || b.empty()) return false;
  if (equal_nocase(a, b)) return true;
  const std::size_t digits_a = a.find_first_of("0123456789"), digits_b = b.find_first_of("0123456789");
  if (digits_a == a.npos || digits_b == b.npos || digits_a < 2 || digits_b < 2) return false;
  return equal_nocase(a.substr(0, 2), b.substr(0, 2)) && a.substr(digits_a) == b.substr(digits_b);
}

struct Half {
  Node from, to;
  const LinkTold* told;
};

Node node_of(Inventory& inventory, const std::string& called, const std::string& name = {}) {
  if (called == Topology::here) return {0, called};
  const KnownDevice* device = inventory.find(std::string_view(called));
  if (device == nullptr && !name.empty()) device = inventory.find(std::string_view(name));
  if (device != nullptr) return {device->id, {}};
  return {0, name.empty() ? called : name};
}

// What newer words have made untrue.
class Freshness {
 public:
  explicit Freshness(const std::map<Topology::Key, LinkTold>& told) {
    for (const auto& [key, link] : told) {
      note(by_device_[{link.device, link.source}], link.last);
      note(link.source == bridge ? by_neighbour_[{link.device, link.neighbour}]
                                 : by_port_[{link.device, link.port, link.source}],
           link.last);
    }
  }
  bool holds(const LinkTold& link) const {
    // A bridge forgets who is silent for minutes: it is still there.
    if (link.last + seconds(86'400) < by_device_.at({link.device, link.source})) return false;
    if (link.source == bridge) return link.last == by_neighbour_.at({link.device, link.neighbour});
    return by_port_.at({link.device, link.port, link.source}) <= link.last + seconds(600);
  }

 private:
  static void note(Time& latest, Time time) { latest = std::max(latest, time); }
  std::map<std::tuple<std::string, std::string>, Time> by_device_;     // its words by source
  std::map<std::tuple<std::string, std::string>, Time> by_neighbour_;  // a bridge's of one neighbour
  std::map<std::tuple<std::string, std::string, std::string>, Time> by_port_;
};

class Joining {
 public:
  Joining(Inventory& inventory, const std::map<Topology::Key, LinkTold>& told) {
    const Freshness fresh(told);
    for (const auto& [key, link] : told) {
      if (!fresh.holds(link)) continue;
      Half half{node_of(inventory, link.device), node_of(inventory, link.neighbour, link.neighbour_name),
                &link};
      if (half.from == half.to) continue;
      if (link.source == bridge) {
        seen_[half.from][link.port].insert_or_assign(half.to, &link);
        continue;
      }
      ports_[{half.from, half.to, link.source}].insert(link.port);
      halves_.push_back(std::move(half));
    }
  }

  std::vector<Joint> all() {
    for (const Half& half : halves_)
      if (half.to != here_) add(half);
    for (const Half& half : halves_)
      if (half.to == here_ && !heard_.contains(half.from)) add(half);
    join_bridges();
    for (const auto& [at, ports] : seen_)
      for (const auto& [port, devices] : ports) join_hosts(at, devices);
    for (Joint& j : joints_)  // a port and what hangs on it
      if (j.a.port.empty()) std::swap(j.a, j.b);
    std::ranges::stable_sort(joints_, {}, [](const Joint& j) {
      return std::tie(j.a.device, j.a.called, j.b.device, j.b.called, j.a.port);
    });
    return std::move(joints_);
  }

 private:
  using Devices = std::map<Node, const LinkTold*>;

  using Pair = std::pair<Node, Node>;  // the lower first

  bool joined(const Node& x, const Node& y) const { return by_pair_.contains(std::minmax(x, y)); }
  void push(const Node& x, const Node& y, Joint&& joint) {
    by_pair_[{x, y}].push_back(joints_.size());
    heard_.insert(x);
    heard_.insert(y);
    joints_.push_back(std::move(joint));
  }

  void add(const Half& half) {
    const LinkTold& told = *half.told;
    const bool other_way = half.to < half.from;
    const Node &x = other_way ? half.to : half.from, &y = other_way ? half.from : half.to;
    const std::string &x_port = other_way ? told.neighbour_port : told.port,
                      &y_port = other_way ? told.port : told.neighbour_port;
    // More ports of one end than one lead to the other.
    const bool parallel = ports_[{half.from, half.to, told.source}].size() > 1;
    for (const std::size_t place : by_pair_[{x, y}]) {
      Joint& j = joints_[place];
      // A second cable has other ports at both ends; the same one may be told by names of two kinds.
      const bool own = other_way ? same_port(j.b.port, y_port) : same_port(j.a.port, x_port);
      const bool its = other_way ? same_port(j.a.port, x_port) : same_port(j.b.port, y_port);
      if (!own && !its && parallel) continue;
      // Each end knows its own port best.
      std::string& port = other_way ? j.b.port : j.a.port;
      port = other_way ? y_port : x_port;
      if (j.a.port.empty()) j.a.port = x_port;
      if (j.b.port.empty()) j.b.port = y_port;
      return widen(j, told);
    }
    push(x, y,
         {{x.first, x.second, x_port}, {y.first, y.second, y_port}, {told.source}, told.first, told.last});
  }
  static void widen(Joint& j, const LinkTold& told) {
    j.sources.insert(told.source);
    j.first = std::min(j.first, told.first);
    j.last = std::max(j.last, told.last);
  }

  // Two bridges that see each other, with no third one that both see on the way.
  void join_bridges() {
    for (const auto& [x, x_ports] : seen_)
      for (const auto& [x_port, at_x] : x_ports)
        for (const auto& [y, x_told] : at_x) {
          const auto found = seen_.find(y);
          if (!(x < y) || found == seen_.end() || joined(x, y)) continue;
          for (const auto& [y_port, at_y] : found->second) {
            const auto back = at_y.find(x);
            if (back == at_y.end()) continue;
            const bool between = std::ranges::any_of(at_x, [&](const auto& entry) {
              return entry.first != y && seen_.contains(entry.first) && at_y.contains(entry.first);
            });
            if (between) continue;
            push(x, y,
                 {{x.first, x.second, x_port},
                  {y.first, y.second, y_port},
                  {std::string(bridge)},
                  std::min(x_told->first, back->second->first),
                  std::max(x_told->last, back->second->last)});
          }
        }
  }

  // Behind a port with another bridge, hosts are that one's.
  void join_hosts(const Node& at, const Devices& devices) {
    if (std::ranges::any_of(devices, [&](const auto& entry) { return seen_.contains(entry.first); })) return;
    for (const auto& [host, told] : devices)
      if (!joined(at, host)) add({at, host, told});
  }

  const Node here_{0, Topology::here};
  std::vector<Half> halves_;
  std::map<std::tuple<Node, Node, std::string>, std::set<std::string>> ports_;  // from, to, source
  std::map<Node, std::map<std::string, Devices>> seen_;                         // by bridge, then by port
  std::vector<Joint> joints_;
  std::map<Pair, std::vector<std::size_t>> by_pair_;  // of joints_
  std::set<Node> heard_;                              // at an end of one
};

}  // namespace

void Topology::tell(LinkTold link) {
  if (link.device.empty() || link.neighbour.empty()) return;
  Key key{link.device, link.port, link.neighbour, link.neighbour_port, link.source};
  const auto it = told_.find(key);
  if (it == told_.end()) {
    if (told_.size() < most_links)
      told_.emplace(std::move(key), std::move(link));
    else
      ++refused_;
    return;
  }
  it->second.changed = true;
  it->second.first = std::min(it->second.first, link.first);
  it->second.last = std::max(it->second.last, link.last);
  if (!link.neighbour_name.empty()) it->second.neighbour_name = link.neighbour_name;
}

void Topology::restore(LinkTold link) {
  Key key{link.device, link.port, link.neighbour, link.neighbour_port, link.source};
  link.changed = false;
  told_.insert_or_assign(std::move(key), std::move(link));
}

void Topology::hear(std::uint16_t interface, const LinkTold& speaker, Duration holds) {
  auto& heard = heard_[interface];
  constexpr std::size_t most_speakers = 256;  // at one interface; a forger's are not remembered beyond
  if (heard.size() >= most_speakers)
    std::erase_if(heard, [&](const auto& entry) { return entry.second.until < speaker.last; });
  if (heard.size() < most_speakers) heard[speaker.device + speaker.source] = {speaker, speaker.last + holds};
  bool alone = true;
  for (const auto& [key, other] : heard) {
    if (other.speaker.device == speaker.device || other.until < speaker.last) continue;
    alone = false;
    LinkTold both = speaker;
    both.neighbour = other.speaker.device;
    both.neighbour_port = other.speaker.port;
    both.neighbour_name.clear();
    if (other.speaker.source == speaker.source) tell(std::move(both));
  }
  if (!alone) return;
  LinkTold lone = speaker;
  lone.neighbour = here;
  lone.neighbour_name.clear();
  tell(std::move(lone));
}

std::vector<Joint> Topology::joints(Inventory& inventory) const {
  return Joining(inventory, told_).all();
}

}  // namespace weir

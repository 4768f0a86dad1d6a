#include "engine/interface_watch.hpp"

#include <algorithm>

#include "core/suggest.hpp"

namespace weir {
namespace {

const Link* with_index(const std::vector<Link>& links, std::uint32_t index) noexcept {
  const auto it = std::ranges::find_if(links, [&](const Link& l) { return l.counter.interface == index; });
  return it == links.end() ? nullptr : &*it;
}
const Link* with_name(const std::vector<Link>& links, std::string_view name) noexcept {
  const auto it = std::ranges::find(links, name, &Link::name);
  return it == links.end() ? nullptr : &*it;
}

}  // namespace

void InterfaceWatch::update(Followed& f, const std::vector<Link>& links) {
  const Link* link = f.index == 0 ? nullptr : with_index(links, f.index);
  if (link == nullptr) {
    // Another one may have the name now: its counters are its own.
    link = with_name(links, f.name);
    const bool was_there = f.index != 0;
    if (was_there) rates_.forget(std::to_string(f.index));
    f.index = link == nullptr ? 0 : link->counter.interface;
    if (started_ && was_there)
      happened_.push_back(f.name + (link == nullptr ? " is gone" : " is another interface of that name now"));
    if (started_ && !was_there && link != nullptr) happened_.push_back(f.name + " is back");
    if (link != nullptr) f.up = *link->counter.up;
    return;
  }
  if (link->name != f.name) {
    happened_.push_back(f.name + " is called " + link->name + " now");
    f.name = link->name;
  }
  if (*link->counter.up != f.up) happened_.push_back(f.name + (f.up ? " is down" : " is up"));
  f.up = *link->counter.up;
}

void InterfaceWatch::follow(const std::vector<Link>& links) {
  for (Followed& f : followed_) update(f, links);
  if (!names_.empty()) {
    if (!started_) {
      for (const std::string& name : names_) {
        followed_.push_back({.name = name});
        update(followed_.back(), links);
      }
    }
    return;
  }
  std::erase_if(followed_, [](const Followed& f) { return f.index == 0; });
  for (const Link& link : links) {
    const Counter& c = link.counter;
    const bool unused = !c.up.value_or(false) && c.in_bytes.value_or(0) == 0 && c.out_bytes.value_or(0) == 0;
    if (link.loopback || unused ||
        std::ranges::find(followed_, c.interface, &Followed::index) != followed_.end())
      continue;
    followed_.push_back({.name = link.name, .index = link.counter.interface, .up = *link.counter.up});
    if (started_) happened_.push_back(link.name + " is new");
  }
}

std::vector<Counter> InterfaceWatch::take(const std::vector<Link>& links) {
  follow(links);
  started_ = true;
  std::vector<Counter> out;
  for (const Followed& f : followed_) {
    const Link* link = f.index == 0 ? nullptr : with_index(links, f.index);
    if (link == nullptr) continue;
    Counter c = link->counter;
    if (speed_) c.speed = speed_;
    rates_.complete(std::to_string(f.index), c, {.steady = link->steady});
    c.name = link->name;
    if (!link->alias.empty()) c.alias = link->alias;
    out.push_back(c);
  }
  return out;
}

std::optional<std::size_t> InterfaceWatch::place(std::uint32_t interface) const noexcept {
  const auto it = std::ranges::find(followed_, interface, &Followed::index);
  return it == followed_.end() ? std::nullopt
                               : std::optional{static_cast<std::size_t>(it - followed_.begin())};
}

Error no_such_interface(const std::vector<std::string>& missing, const std::vector<Link>& links) {
  std::vector<std::string_view> names;
  std::string all;
  for (const Link& link : links) {
    names.push_back(link.name);
    all += (all.empty() ? "there are " : ", ") + link.name;
  }
  return {Code::environment, "no such interface", missing.front(), suggestion(missing.front(), names, all)};
}

std::vector<std::string> InterfaceWatch::missing() const {
  std::vector<std::string> out;
  for (const Followed& f : followed_)
    if (f.index == 0) out.push_back(f.name);
  return out;
}

}  // namespace weir

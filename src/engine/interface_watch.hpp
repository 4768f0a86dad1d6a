// Which of this machine's interfaces are meant, through their coming, going, renaming and replacement.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/counter_rates.hpp"
#include "os/links.hpp"

namespace weir {

class InterfaceWatch {
 public:
  // `names` are the user's; none: all but the loopback
  // and those that were never in use, later ones as well. `speed` is the user's
  // word for all of them, against the drivers'.
  InterfaceWatch(std::vector<std::string> names, std::optional<std::uint64_t> speed)
      : names_(std::move(names)), speed_(speed) {}

  // Of a reading of all links, those that are meant, completed with rates, their texts pointing into `links`;
  // in the user's order, else the kernel's.
  std::vector<Counter> take(const std::vector<Link>& links);
  // What happened since it was last asked: "eth0 is gone", "eth0 is called wan0 now".
  std::vector<std::string> happened() { return std::exchange(happened_, {}); }
  // The user's place of the interface that has this number now; nothing when it is not one of those meant.
  std::optional<std::size_t> place(std::uint32_t interface) const noexcept;
  // The user's names that no link has.
  std::vector<std::string> missing() const;

 private:
  struct Followed {
    std::string name;         // as it is called now
    std::uint32_t index = 0;  // 0: gone
    bool up = false;
  };
  void follow(const std::vector<Link>& links);
  void update(Followed& followed, const std::vector<Link>& links);

  std::vector<std::string> names_;
  std::optional<std::uint64_t> speed_;
  std::vector<Followed> followed_;
  CounterRates rates_;
  std::vector<std::string> happened_;
  bool started_ = false;
};

// The error of names that no link has, with those that there are. `missing` is not empty.
Error no_such_interface(const std::vector<std::string>& missing, const std::vector<Link>& links);

}  // namespace weir

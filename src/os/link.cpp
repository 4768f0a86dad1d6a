#include "os/link.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "os/descriptor.hpp"

namespace weir {
namespace {

// The interface's name in a request; false when it is too long to be one.
bool name_into(ifreq& request, const std::string& name) noexcept {
  if (name.empty() || name.size() >= sizeof request.ifr_name) return false;
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  return true;
}

Descriptor any_socket() noexcept {
  return Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

}  // namespace

std::optional<LinkState> link_state(const std::string& name) noexcept {
  ifreq request{};
  if (!name_into(request, name)) return std::nullopt;
  const Descriptor fd = any_socket();
  LinkState state;
  if (::ioctl(fd.get(), SIOCGIFINDEX, &request) != 0) return std::nullopt;
  state.index = static_cast<unsigned>(request.ifr_ifindex);
  if (::ioctl(fd.get(), SIOCGIFHWADDR, &request) != 0) return std::nullopt;
  state.hardware = request.ifr_hwaddr.sa_family;
  if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return std::nullopt;
  state.up = (request.ifr_flags & IFF_UP) != 0;
  return state;
}

std::string link_name(unsigned index) {
  char name[IF_NAMESIZE] = "";
  return ::if_indextoname(index, name) == nullptr ? std::string{} : std::string{name};
}

std::vector<std::string> link_names() {
  std::vector<std::string> names;
  struct if_nameindex* const all = ::if_nameindex();
  if (all == nullptr) return names;
  for (const struct if_nameindex* one = all; one->if_index != 0; ++one) names.emplace_back(one->if_name);
  ::if_freenameindex(all);
  return names;
}

std::vector<std::string_view> offloads_on(const std::string& name) {
  struct Question {
    std::string_view name;
    std::uint32_t command, bit;
  };
  constexpr Question questions[] = {{"gro", ETHTOOL_GGRO, 1},
                                    {"lro", ETHTOOL_GFLAGS, ETH_FLAG_LRO},
                                    {"tso", ETHTOOL_GTSO, 1},
                                    {"gso", ETHTOOL_GGSO, 1}};
  std::vector<std::string_view> on;
  ifreq request{};
  if (!name_into(request, name)) return on;
  const Descriptor fd = any_socket();
  for (const Question& question : questions) {
    ethtool_value value{.cmd = question.command, .data = 0};
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(fd.get(), SIOCETHTOOL, &request) == 0 && (value.data & question.bit) != 0)
      on.push_back(question.name);
  }
  return on;
}

std::uint64_t link_drops(const std::string& name) noexcept {
  std::uint64_t sum = 0;
  if (name.find('/') != name.npos) return 0;
  for (const char* counter : {"rx_dropped", "rx_missed_errors"}) {
    std::uint64_t value = 0;
    if (std::ifstream("/sys/class/net/" + name + "/statistics/" + counter) >> value) sum += value;
  }
  return sum;
}

}  // namespace weir

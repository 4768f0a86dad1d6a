#include "os/hardware_stamps.hpp"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "os/descriptor.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

// Asks the driver; errno's number, 0: it did.
template <class T>
int ask_driver(const std::string& interface, unsigned long question, T& answer) noexcept {
  ifreq request{};
  if (interface.empty() || interface.size() >= sizeof request.ifr_name) return ENODEV;
  std::memcpy(request.ifr_name, interface.c_str(), interface.size() + 1);
  request.ifr_data = reinterpret_cast<char*>(&answer);
  const Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return ::ioctl(fd.get(), question, &request) == 0 ? 0 : errno;
}

}  // namespace

std::optional<StampAbility> stamp_ability(const std::string& interface) noexcept {
  ethtool_ts_info info{};
  info.cmd = ETHTOOL_GET_TS_INFO;
  if (ask_driver(interface, SIOCETHTOOL, info) != 0) return std::nullopt;
  constexpr unsigned both = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
  StampAbility ability;
  ability.hardware = (info.so_timestamping & both) == both;
  ability.every = ability.hardware && (info.rx_filters & 1U << HWTSTAMP_FILTER_ALL) != 0;
  if (info.phc_index >= 0) ability.clock = static_cast<unsigned>(info.phc_index);
  return ability;
}

bool StampSetting::every() const noexcept {
  return received == HWTSTAMP_FILTER_ALL;
}

std::optional<StampSetting> stamp_setting(const std::string& interface) noexcept {
  hwtstamp_config config{};
  if (ask_driver(interface, SIOCGHWTSTAMP, config) != 0) return std::nullopt;
  return StampSetting{config.flags, config.tx_type, config.rx_filter};
}

StampSetting stamping_every(StampSetting setting) noexcept {
  setting.received = HWTSTAMP_FILTER_ALL;
  return setting;
}

Result<void> set_stamps(const std::string& interface, const StampSetting& setting) {
  hwtstamp_config config{};
  config.flags = setting.flags;
  config.tx_type = setting.sent;
  config.rx_filter = setting.received;
  const int error = ask_driver(interface, SIOCSHWTSTAMP, config);
  if (error == 0) return {};
  return fail(
      Code::environment, std::string("cannot have the card stamp packets: ") + std::strerror(error),
      interface,
      error == EPERM ? "that takes CAP_NET_ADMIN: run it as root" : "--timestamps kernel does without");
}

std::optional<Duration> clock_lead(unsigned clock) noexcept {
  const Descriptor fd(::open(("/dev/ptp" + std::to_string(clock)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  // clock_gettime(2): the clock of a descriptor (FD_TO_CLOCKID of linux/posix-timers.h).
  const auto id = static_cast<clockid_t>(~static_cast<unsigned>(fd.get()) << 3U | 3U);
  timespec card{};
  const Time before = wall_now();
  if (::clock_gettime(id, &card) != 0) return std::nullopt;
  const Time after = wall_now();
  const std::int64_t middle = before.ns + (after.ns - before.ns) / 2;
  return Duration{card.tv_sec * 1'000'000'000LL + card.tv_nsec - middle};
}

}  // namespace weir

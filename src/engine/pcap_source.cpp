#include "engine/pcap_source.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/ascii.hpp"
#include "engine/ring_program.hpp"
#include "os/kernel_clock.hpp"
#include "packet/decode.hpp"

namespace weir {
namespace {

// A packet is stamped before it can be read.
constexpr Duration hand_over = seconds(2);
// The kernel gathers what it logs for so long (NFULNL_TIMEOUT_DEFAULT).
constexpr Duration log_gathered = milliseconds(1100);

// The number that files have for it, which differs from libpcap's own for a few old ones.
std::uint16_t link_type_of_dlt(int dlt) noexcept {
  switch (dlt) {
    case DLT_RAW: return link_raw;
    case DLT_ATM_RFC1483: return 100;
    case DLT_SLIP_BSDOS: return 102;
    case DLT_PPP_BSDOS: return 103;
    default: return static_cast<std::uint16_t>(dlt);
  }
}

// What follows nflog: and nfqueue:, which libpcap refuses in the same way as what only needs a privilege. By
// pcap-netfilter-linux.c up to 32 numbers, commas between them.
Result<void> check_groups(const std::string& name) {
  constexpr std::ptrdiff_t most_groups = 32;
  for (const std::string_view kind : {"nflog:", "nfqueue:"}) {
    if (!name.starts_with(kind)) continue;
    const std::string remedy = fmt::format("{}5, or several of 0 to 65535: {}5,6", kind, kind);
    const std::string_view what = kind == "nflog:" ? "group" : "queue";
    if (std::ranges::count(name, ',') >= most_groups)
      return fail(Code::usage, fmt::format("too many {}s, 32 are the most", what), name, remedy);
    for (std::size_t at = kind.size(), end = 0; end < name.size(); at = end + 1) {
      end = std::min(name.find(',', at), name.size());
      const std::string group = name.substr(at, end - at);
      if (!parse_digits<std::uint16_t>(group))
        return fail(
            Code::usage,
            group.empty() ? fmt::format("a {} is missing", what) : fmt::format("{} is no {}", group, what),
            name, remedy);
    }
  }
  return {};
}

// Packets that are handed over one by one, into memory that goes with them.
struct Taking {
  static constexpr std::size_t block_size = std::size_t{64} << 10U;
  PacketSlice& slice;
  const std::uint16_t link_type;
  const bool nanoseconds;
  const CaptureFilter* filter;  // nullptr: all pass
  std::shared_ptr<std::uint8_t[]> block{};
  std::size_t used = 0, size = 0;
  std::uint64_t packets = 0, bytes = 0;

  void add(const pcap_pkthdr& header, const u_char* data) {
    const std::uint32_t captured = std::min<std::uint32_t>(header.caplen, most_captured);
    if (filter != nullptr && !filter->accepts({{}, data, captured, header.len, link_type, 0})) return;
    if (size - used < captured) {
      size = std::max<std::size_t>(block_size, captured);
      block = std::make_shared_for_overwrite<std::uint8_t[]>(size);
      used = 0;
      slice.memory.push_back(block);
    }
    if (captured != 0) std::memcpy(block.get() + used, data, captured);
    const std::int64_t fraction = header.ts.tv_usec;
    const Time time{header.ts.tv_sec * 1'000'000'000LL + (nanoseconds ? fraction : fraction * 1000)};
    slice.packets.push_back({time, block.get() + used, captured, header.len, link_type, 0});
    used += captured;
    ++packets;
    bytes += header.len;
  }
};

}  // namespace

bool PcapSource::knows(const std::string& name) {
  char unused[PCAP_ERRBUF_SIZE];
  pcap_if_t* all = nullptr;
  if (pcap_findalldevs(&all, unused) != 0) return false;
  bool found = false;
  for (const pcap_if_t* one = all; one != nullptr && !found; one = one->next)
    found = name == one->name || name.starts_with(std::string(one->name) + ':');
  pcap_freealldevs(all);
  return found;
}

Result<std::unique_ptr<PcapSource>> PcapSource::open(const LiveOptions& options, const CaptureFilter* filter,
                                                     const Event& stop,
                                                     std::function<void(const std::string&)> say,
                                                     const Error& unknown) {
  std::unique_ptr<PcapSource> made(new PcapSource(options, stop, std::move(say)));
  WEIR_CHECK(made->activate(unknown));
  if (options.times == PacketTimes::hardware)
    WEIR_CHECK(choose_times(options.times, {{options.interfaces.front(), {}, {}, {}}}));
  if (filter != nullptr) WEIR_CHECK(made->set_filter(*filter));
  return made;
}

PcapSource::~PcapSource() {
  over_.set();
  if (waker_.joinable()) waker_.join();
  if (handle_ != nullptr) pcap_close(handle_);
}

Result<void> PcapSource::activate(const Error& unknown) {
  const std::string& name = options_.interfaces.front();
  WEIR_CHECK(check_groups(name));
  char error[PCAP_ERRBUF_SIZE] = "";
  handle_ = pcap_create(name.c_str(), error);
  if (handle_ == nullptr)
    return knows(name) ? fail(Code::environment, error, name) : tl::unexpected<Error>(unknown);
  pcap_set_snaplen(handle_, static_cast<int>(options_.snaplen == 0 ? most_captured : options_.snaplen));
  pcap_set_promisc(handle_, options_.promiscuous ? 1 : 0);
  pcap_set_buffer_size(handle_, static_cast<int>(std::min<std::size_t>(options_.buffer, INT_MAX)));
  pcap_set_timeout(handle_, static_cast<int>(options_.retire.ns / 1'000'000));
  nanoseconds_ = pcap_set_tstamp_precision(handle_, PCAP_TSTAMP_PRECISION_NANO) == 0;
  const int done = pcap_activate(handle_);  // above 0: a warning
  if (done < 0) {
    if (done == PCAP_ERROR_NO_SUCH_DEVICE || !knows(name)) return tl::unexpected<Error>(unknown);
    const std::string_view detail = pcap_geterr(handle_);
    const bool refused = done == PCAP_ERROR_PERM_DENIED || detail.find(std::strerror(EPERM)) != detail.npos;
    return fail(Code::environment, std::string(detail.empty() ? pcap_statustostr(done) : detail), name,
                refused ? "run it as root" : "");
  }
  blocks_ = pcap_setnonblock(handle_, 1, error) != 0;  // D-Bus
  about_ = {.link_type = link_type_of_dlt(pcap_datalink(handle_)), .snaplen = options_.snaplen};
  about_.ticks_per_second = 1'000'000'000;
  about_.name = name;
  return {};
}

Result<void> PcapSource::set_filter(const CaptureFilter& filter) {
  about_.filter = filter.expression();
  if (about_.link_type == link_netfilter_log) {
    filter_ = &filter;
    return {};
  }
  bpf_program program{};
  int done = pcap_compile(handle_, &program, filter.expression().c_str(), 1, PCAP_NETMASK_UNKNOWN);
  if (done == 0) {
    done = pcap_setfilter(handle_, &program);
    pcap_freecode(&program);
  }
  if (done != 0)
    return fail(Code::usage,
                fmt::format("BPF expression \"{}\": {}", filter.expression(), pcap_geterr(handle_)),
                about_.name, "--where filters records of any packets");
  return {};
}

Result<void> PcapSource::start() {
  started_ = steady_now();
  if (blocks_)
    waker_ = std::thread([this] {
      const int patience = static_cast<int>(options_.patience.ns / 1'000'000);
      for (pollfd entry{over_.fd(), POLLIN, 0}; ::poll(&entry, 1, patience) == 0;) pcap_breakloop(handle_);
    });
  return {};
}

Result<bool> PcapSource::read(PacketSlice& slice, std::size_t most) {
  if (ended_) return false;
  const Time now = steady_now();
  if (!ending_ && (stop_.is_set() || (options_.duration.ns > 0 && now - started_ >= options_.duration)))
    ending_ = now;
  const std::size_t before = slice.packets.size();
  if (options_.most_packets != 0) most = std::min<std::uint64_t>(most, options_.most_packets - packets_);
  const Time looked = wall_now();
  take(slice, most);
  if (slice.packets.size() == before) {
    given_until_ = {looked.ns - hand_over.ns};
    wait();
    take(slice, most);
  }
  // Nothing keeps more from coming meanwhile.
  const Duration rest =
      about_.link_type == link_netfilter_log ? log_gathered : Duration{2 * options_.retire.ns};
  const bool over = ending_ && now - *ending_ >= rest;
  if (over || (options_.most_packets != 0 && packets_ == options_.most_packets)) ended_ = true;
  return true;
}

void PcapSource::take(PacketSlice& slice, std::size_t most) {
  if (ended_) return;
  Taking taking{
      .slice = slice, .link_type = about_.link_type, .nanoseconds = nanoseconds_, .filter = filter_};
  const auto add = [](u_char* user, const pcap_pkthdr* header, const u_char* data) {
    reinterpret_cast<Taking*>(user)->add(*header, data);
  };
  errno = 0;
  const int at_once = blocks_ ? 1 : static_cast<int>(std::min<std::size_t>(most, INT_MAX));
  int done = 0;
  do {
    done = pcap_dispatch(handle_, at_once, add, reinterpret_cast<u_char*>(&taking));
  } while (blocks_ && done > 0 && taking.packets < most);
  // Of a netfilter log, that nothing is there is an error to libpcap.
  const bool fine = done >= 0 || done == PCAP_ERROR_BREAK || errno == EAGAIN;
  packets_ += taking.packets;
  bytes_ += taking.bytes;
  pcap_stat counted{};
  if (pcap_stats(handle_, &counted) == 0) {
    received_ = counted.ps_recv;
    ring_drops_ = counted.ps_drop;
    nic_drops_ = counted.ps_ifdrop;
  }
  if (fine) return;
  say_(fmt::format("{}: {}; the capture ends", about_.name, pcap_geterr(handle_)));
  ended_ = true;
}

void PcapSource::wait() const {
  if (blocks_) return;
  std::vector<pollfd> entries;
  if (!ending_) entries.push_back({stop_.fd(), POLLIN, 0});
  const int fd = pcap_get_selectable_fd(handle_);
  if (fd >= 0) entries.push_back({fd, POLLIN, 0});
  // Some can only be asked again and again.
  const bool again = ending_ || fd < 0 || pcap_get_required_select_timeout(handle_) != nullptr;
  const Duration patience = again ? options_.retire : options_.patience;
  ::poll(entries.data(), entries.size(), static_cast<int>(patience.ns / 1'000'000));
}

std::optional<InterfaceInfo> PcapSource::interface(std::size_t number) const {
  return number == 0 ? std::optional{about_} : std::nullopt;
}

InterfaceCounts PcapSource::counts(std::size_t interface) const {
  if (interface != 0) return {};
  return {packets_, bytes_, received_, ring_drops_, nic_drops_};
}

LiveStatus PcapSource::status() const {
  LiveStatus status{.running = steady_now() - started_, .packets = packets_, .bytes = bytes_};
  status.received = received_;
  status.ring_drops = ring_drops_;
  status.nic_drops = nic_drops_;
  return status;
}

void PcapSource::each_counter(const CounterTaker& f) const {
  f("packets", packets_, about_.name);
  f("bytes", bytes_, about_.name);
  for (const std::string_view of : {std::string_view{}, std::string_view{about_.name}}) {
    f("kernel_received", received_, of);
    f("kernel_drops", ring_drops_, of);
    f("interface_drops", nic_drops_, of);
  }
}

}  // namespace weir

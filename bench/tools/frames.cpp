// Sends Ethernet frames out of an interface at a steady rate and prints what it sent as JSON.
//   weir_frames INTERFACE FRAMES-PER-SECOND SECONDS SIZE|mixed [FLOWS]
// They are UDP from 10.1.0.0/16 to 10.2.0.0/16, in so many flows by turns; sizes are those of the frames.
// Mixed is 64, 576 and 1500 bytes as 7:4:1 (IMIX). Rate 0: as fast as can be.
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr unsigned batch = 32;
constexpr std::size_t largest = 1514;
using Frame = std::array<std::uint8_t, largest>;

void put16(std::uint8_t* at, unsigned value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// Ethernet, IPv4 (RFC 791), UDP without a checksum.
void build(Frame& frame, unsigned flow, std::size_t size) {
  frame.fill(0);
  std::uint8_t* p = frame.data();
  p[0] = p[6] = 2;
  p[5] = 1;
  put16(p + 12, ETH_P_IP);
  std::uint8_t* ip = p + 14;
  ip[0] = 0x45;
  put16(ip + 2, static_cast<unsigned>(size - 14));
  ip[8] = 64;
  ip[9] = IPPROTO_UDP;
  const std::uint8_t addresses[] = {
      10, 1, static_cast<std::uint8_t>(flow >> 8), static_cast<std::uint8_t>(flow),
      10, 2, static_cast<std::uint8_t>(flow >> 8), static_cast<std::uint8_t>(flow)};
  std::memcpy(ip + 12, addresses, sizeof addresses);
  unsigned sum = 0;
  for (int i = 0; i < 20; i += 2) sum += static_cast<unsigned>(ip[i] << 8 | ip[i + 1]);
  put16(ip + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
  put16(ip + 20, 1024 + flow % 60'000);
  put16(ip + 22, 9);
  put16(ip + 24, static_cast<unsigned>(size - 34));
}

double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

int open_on(const char* interface) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
  if (fd < 0 || address.sll_ifindex == 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror(interface);
    std::exit(1);
  }
  const int on = 1, buffer = 8 << 20;
  ::setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fputs("weir_frames: INTERFACE RATE SECONDS SIZE|mixed [FLOWS]\n", stderr), 2;
  const double rate = std::atof(argv[2]), seconds = std::atof(argv[3]);
  const bool mixed = std::strcmp(argv[4], "mixed") == 0;
  const std::size_t size =
      mixed ? 0 : std::clamp<std::size_t>(std::strtoul(argv[4], nullptr, 10), 64, largest);
  const unsigned flows = argc > 5 ? static_cast<unsigned>(std::clamp(std::atoi(argv[5]), 1, 65'536)) : 1024;
  constexpr std::size_t imix[] = {64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1514};
  const std::size_t pool = std::max(flows, 1200U);
  std::vector<Frame> frames(pool);
  std::vector<iovec> vectors(pool);
  std::vector<mmsghdr> headers(pool);
  for (std::size_t i = 0; i < pool; ++i) {
    const std::size_t length = mixed ? imix[i * 7 % std::size(imix)] : size;
    build(frames[i], static_cast<unsigned>(i) % flows, length);
    vectors[i] = {frames[i].data(), length};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int fd = open_on(argv[1]);
  std::uint64_t sent = 0, bytes = 0, refused = 0;
  const double start = now();
  double elapsed = 0;
  for (std::size_t at = 0; (elapsed = now() - start) < seconds;) {
    const auto due = rate > 0 ? static_cast<std::uint64_t>(elapsed * rate) : sent + batch;
    if (due < sent + batch && rate > 0) continue;
    const auto count = static_cast<unsigned>(std::min<std::size_t>(batch, pool - at));
    const int done = ::sendmmsg(fd, &headers[at], count, 0);
    for (int i = 0; i < done; ++i) bytes += vectors[at + static_cast<std::size_t>(i)].iov_len;
    if (done > 0)
      sent += static_cast<std::uint64_t>(done);
    else
      ++refused;
    at = (at + static_cast<std::size_t>(std::max(done, 0))) % pool;
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::printf("{\"packets\":%llu,\"bytes\":%llu,\"refused\":%llu,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n",
              static_cast<unsigned long long>(sent), static_cast<unsigned long long>(bytes),
              static_cast<unsigned long long>(refused), elapsed, cpu);
  return 0;
}

// Sends NetFlow v9 to a collector on loopback at a steady rate and prints what it sent as JSON.
//   weir_blaster PORT FLOWS-PER-SECOND SECONDS [EXPORTERS]
// Flows are shaped like a campus uplink's: addresses by Zipf's law, a few ports that most of it goes to,
// sizes from one packet to thousands; none comes twice; templates are repeated every
// second.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

constexpr unsigned flows_per_datagram = 30, pool = 16'384;
constexpr std::uint16_t template_id = 260;
constexpr std::uint32_t uptime = 3'600'000;  // ms: the header's, and the records' times are before it

// RFC 3954 §8: field type and length.
constexpr std::array<std::array<std::uint16_t, 2>, 16> fields = {{{8, 4},
                                                                  {12, 4},
                                                                  {15, 4},
                                                                  {10, 2},
                                                                  {14, 2},
                                                                  {2, 4},
                                                                  {1, 4},
                                                                  {22, 4},
                                                                  {21, 4},
                                                                  {7, 2},
                                                                  {11, 2},
                                                                  {6, 1},
                                                                  {4, 1},
                                                                  {5, 1},
                                                                  {16, 4},
                                                                  {17, 4}}};

struct Datagram {
  std::vector<std::uint8_t> bytes;
  std::uint64_t flows = 0, packets = 0, octets = 0;  // that it tells of
};
// Where fields lie in a record (see `fields`).
constexpr std::size_t first_record = 24, record_size = 47;
constexpr std::size_t src_at = 0, dst_at = 4, in_at = 13, packets_at = 16, octets_at = 20, first_at = 24,
                      last_at = 28, src_port_at = 32, dst_port_at = 34, proto_at = 37, src_as_at = 39,
                      dst_as_at = 43;

void put(std::vector<std::uint8_t>& out, std::uint64_t value, unsigned size) {
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
}
std::uint32_t read32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24U | std::uint32_t{p[1]} << 16U | std::uint32_t{p[2]} << 8U | p[3];
}
void write32(std::uint8_t* p, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}
void patch32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// RFC 3954 §5.1; seconds, sequence number and source id are patched in when it is sent.
std::vector<std::uint8_t> header(unsigned records) {
  std::vector<std::uint8_t> out;
  put(out, 9, 2);
  put(out, records, 2);
  put(out, uptime, 4);
  put(out, 0, 12);
  return out;
}

std::vector<std::uint8_t> template_datagram() {
  std::vector<std::uint8_t> out = header(1);
  put(out, 0, 2);
  put(out, 8 + 4 * fields.size(), 2);
  put(out, template_id, 2);
  put(out, fields.size(), 2);
  for (const auto& [type, size] : fields) {
    put(out, type, 2);
    put(out, size, 2);
  }
  return out;
}

// Rank k of n with a probability like 1/k.
class Zipf {
 public:
  explicit Zipf(std::size_t n) {
    double sum = 0;
    for (std::size_t k = 1; k <= n; ++k) sums_.push_back(sum += 1 / static_cast<double>(k));
  }
  std::uint32_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    return static_cast<std::uint32_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

class Traffic {
 public:
  Traffic() {
    for (std::uint32_t& host : drawn_hosts_) host = 0x0a000000U + hosts_(random_);
    for (std::uint32_t& server : drawn_servers_) server = scatter(servers_(random_));
  }

  // New addresses, ports, sizes and times for the flows of a datagram: no flow comes twice.
  void renew(Datagram& d) {
    d.octets = 0;
    for (unsigned i = 0; i < flows_per_datagram; ++i) {
      std::uint8_t* record = d.bytes.data() + first_record + i * record_size;
      const std::uint64_t draw = random_();
      const bool outbound = record[in_at] == 1;
      const std::uint32_t inside = drawn_hosts_[draw % drawn_hosts_.size()];
      const std::uint32_t outside = drawn_servers_[(draw >> 16U) % drawn_servers_.size()];
      write32(record + (outbound ? src_at : dst_at), inside);
      write32(record + (outbound ? dst_at : src_at), outside);
      write32(record + (outbound ? dst_as_at : src_as_at), outside % 60'000);
      const std::uint32_t packets = read32(record + packets_at);
      const std::uint32_t octets =
          packets * (40 + static_cast<std::uint32_t>(draw >> 20U) % (packets > 3 ? 1400U : 120U));
      write32(record + octets_at, octets);
      d.octets += octets;
      const std::uint32_t lasted = read32(record + last_at) - read32(record + first_at);
      const std::uint32_t last = uptime - static_cast<std::uint32_t>(draw >> 30U) % 5000;
      write32(record + last_at, last);
      write32(record + first_at, last - lasted);
      if (record[proto_at] == 1) continue;
      const auto client = static_cast<std::uint16_t>(32'768 + (draw >> 40U) % 28'000);
      std::uint8_t* port = record + (outbound ? src_port_at : dst_port_at);
      port[0] = static_cast<std::uint8_t>(client >> 8U);
      port[1] = static_cast<std::uint8_t>(client);
    }
  }

  Datagram datagram() {
    Datagram d{header(flows_per_datagram)};
    put(d.bytes, template_id, 2);
    put(d.bytes, 0, 2);
    for (unsigned i = 0; i < flows_per_datagram; ++i) flow(d);
    while (d.bytes.size() % 4 != 0) d.bytes.push_back(0);
    const std::size_t length = d.bytes.size() - header_size;
    d.bytes[header_size + 2] = static_cast<std::uint8_t>(length >> 8);
    d.bytes[header_size + 3] = static_cast<std::uint8_t>(length);
    d.flows = flows_per_datagram;
    return d;
  }

 private:
  static constexpr std::size_t header_size = 20;

  std::uint32_t number(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

  void flow(Datagram& d) {
    static constexpr std::uint16_t services[] = {443, 443, 443, 80, 53, 53, 22, 25, 123, 8080, 993, 3389};
    const std::uint32_t inside = 0x0a000000U + hosts_(random_), outside = scatter(servers_(random_));
    const bool outbound = number(2) == 0;
    const std::uint16_t service = number(10) == 0 ? static_cast<std::uint16_t>(1024 + number(60'000))
                                                  : services[number(std::size(services))];
    const auto client = static_cast<std::uint16_t>(32'768 + number(28'000));
    const std::uint32_t kind = number(100);
    const std::uint8_t proto = kind < 2 ? 1 : service == 53 || service == 123 || kind < 12 ? 17 : 6;
    const double draw = std::uniform_real_distribution<double>(1e-5, 1)(random_);
    const auto packets = static_cast<std::uint32_t>(std::pow(draw, -0.9));  // Pareto: mostly few, some many
    const std::uint32_t octets = packets * (40 + number(packets > 3 ? 1400 : 120));
    const std::uint32_t last = uptime - number(5000),
                        first = last - std::min(3'000'000U, packets * number(200));
    put(d.bytes, outbound ? inside : outside, 4);
    put(d.bytes, outbound ? outside : inside, 4);
    put(d.bytes, 0x0a0000feU, 4);
    put(d.bytes, outbound ? 1 : 2, 2);
    put(d.bytes, outbound ? 2 : 1, 2);
    put(d.bytes, packets, 4);
    put(d.bytes, octets, 4);
    put(d.bytes, first, 4);
    put(d.bytes, last, 4);
    put(d.bytes, proto == 1 ? 0 : outbound ? client : service, 2);
    put(d.bytes, proto == 1 ? 0x0800 : outbound ? service : client, 2);
    put(d.bytes, proto == 6 ? (packets > 2 ? 0x1b : 0x02) : 0, 1);
    put(d.bytes, proto, 1);
    put(d.bytes, number(20) == 0 ? 0xb8 : 0, 1);
    put(d.bytes, outbound ? 64'512 : outside % 60'000, 4);
    put(d.bytes, outbound ? outside % 60'000 : 64'512, 4);
    d.packets += packets;
    d.octets += octets;
  }
  // Ranks all over the address space, outside of 10/8 and multicast.
  static std::uint32_t scatter(std::uint32_t rank) {
    return (11U << 24U) + static_cast<std::uint32_t>((rank * 2'654'435'761ULL) % (200ULL << 24U));
  }

  std::mt19937_64 random_{1};
  Zipf hosts_{20'000}, servers_{200'000};
  std::vector<std::uint32_t> drawn_hosts_ = std::vector<std::uint32_t>(1U << 16U);
  std::vector<std::uint32_t> drawn_servers_ = std::vector<std::uint32_t>(1U << 20U);
};

double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Of 127.0.0.1, 127.0.0.2, …
struct Exporter {
  int fd = -1;
  std::uint32_t sequence = 0;
};

Exporter exporter(unsigned index, std::uint16_t port) {
  Exporter e{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index);
  int failed = ::bind(e.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  failed |= ::connect(e.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (failed != 0) std::exit((std::perror("blaster"), 1));
  return e;
}

// Sends the datagrams as the exporter's next ones; how many the kernel took.
std::size_t send(Exporter& e, std::vector<Datagram*>& datagrams) {
  static std::vector<iovec> vectors;
  static std::vector<mmsghdr> messages;
  vectors.resize(datagrams.size());
  messages.assign(datagrams.size(), {});
  const auto seconds = static_cast<std::uint32_t>(::time(nullptr));
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    std::vector<std::uint8_t>& bytes = datagrams[i]->bytes;
    patch32(bytes, 8, seconds);
    patch32(bytes, 12, e.sequence + static_cast<std::uint32_t>(i));
    vectors[i] = {bytes.data(), bytes.size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int sent = ::sendmmsg(e.fd, messages.data(), static_cast<unsigned>(messages.size()), 0);
  e.sequence += static_cast<std::uint32_t>(std::max(sent, 0));
  return static_cast<std::size_t>(std::max(sent, 0));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fputs("blaster: PORT FLOWS-PER-SECOND SECONDS [EXPORTERS]\n", stderr), 2;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const double rate = std::atof(argv[2]) / flows_per_datagram, seconds = std::atof(argv[3]);
  const unsigned count = argc > 4 ? static_cast<unsigned>(std::max(1, std::atoi(argv[4]))) : 1;
  Traffic traffic;
  std::vector<Datagram> datagrams;
  for (unsigned i = 0; i < pool; ++i) datagrams.push_back(traffic.datagram());
  Datagram templates{template_datagram()};
  std::vector<Exporter> exporters;
  for (unsigned i = 0; i < count; ++i) exporters.push_back(exporter(i, port));

  Datagram sum;
  std::uint64_t messages = 0, done = 0, refused = 0;
  double templates_due = 0;
  const double start = now();
  const auto total = static_cast<std::uint64_t>(rate * seconds);
  std::vector<Datagram*> turn;
  for (unsigned next = 0; done < total; next = (next + 1) % count) {
    const double elapsed = now() - start;
    if (elapsed >= templates_due) {
      turn.assign(1, &templates);
      for (Exporter& e : exporters) messages += send(e, turn);
      templates_due += 1;
    }
    const std::uint64_t due = std::min(total, static_cast<std::uint64_t>(elapsed * rate));
    turn.clear();
    for (std::uint64_t i = done; i < std::min<std::uint64_t>(due, done + 64); ++i) {
      turn.push_back(&datagrams[i % pool]);
      traffic.renew(*turn.back());
    }
    if (turn.empty()) {
      const timespec pause{0, 1'000'000};
      ::nanosleep(&pause, nullptr);
      continue;
    }
    const std::size_t sent = send(exporters[next], turn);
    for (std::size_t i = 0; i < sent; ++i) {
      sum.flows += turn[i]->flows;
      sum.packets += turn[i]->packets;
      sum.octets += turn[i]->octets;
    }
    messages += sent;
    refused += turn.size() - sent;
    done += turn.size();
  }
  const double took = now() - start;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::printf(
      "{\"flows\":%llu,\"datagrams\":%llu,\"packets\":%llu,\"bytes\":%llu,\"refused\":%llu,\"seconds\":%.3f,"
      "\"cpu_seconds\":%.3f}\n",
      static_cast<unsigned long long>(sum.flows), static_cast<unsigned long long>(messages),
      static_cast<unsigned long long>(sum.packets), static_cast<unsigned long long>(sum.octets),
      static_cast<unsigned long long>(refused), took, cpu);
  return 0;
}

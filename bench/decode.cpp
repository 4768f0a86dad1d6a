// Nanoseconds per packet of decode(), by kind of packet; and over a whole classic pcap file when
// WEIR_BENCH_PCAP names one (host byte order, microseconds or nanoseconds).
#include "packet/decode.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace weir {
namespace {

constexpr std::size_t batch = 1024;

// Ethernet and what `inside` says, with addresses that differ from packet to packet.
std::vector<std::uint8_t> frame(std::initializer_list<std::uint8_t> ether_type,
                                std::initializer_list<std::uint8_t> header, std::size_t size) {
  std::vector<std::uint8_t> f{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  f.insert(f.end(), ether_type);
  f.insert(f.end(), header);
  f.resize(size, 0x50);
  return f;
}

void run(benchmark::State& state, const std::vector<RawPacket>& packets) {
  std::vector<Layer> layers;
  std::size_t at = 0, decoded = 0;
  for (auto _ : state) {
    layers.clear();
    const std::size_t end = std::min(at + batch, packets.size());
    for (; at < end; ++at, ++decoded) decode(packets[at], layers);
    benchmark::DoNotOptimize(layers.data());
    if (at == packets.size()) at = 0;
  }
  state.counters["ns/packet"] = benchmark::Counter(static_cast<double>(decoded) * 1e-9,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run_frames(benchmark::State& state, const std::vector<std::uint8_t>& one, std::size_t source_at) {
  std::vector<std::vector<std::uint8_t>> frames(batch, one);
  std::vector<RawPacket> packets;
  for (std::size_t i = 0; i < batch; ++i) {
    frames[i][source_at] = static_cast<std::uint8_t>(i * 37);
    const auto size = static_cast<std::uint32_t>(one.size());
    packets.push_back({{}, frames[i].data(), size, size, 1, 0});
  }
  run(state, packets);
}

void ipv4_tcp(benchmark::State& state) {
  run_frames(state,
             frame({8, 0}, {0x45, 0, 0, 86, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 128}, 100),
             29);
}
void ipv4_udp(benchmark::State& state) {
  run_frames(state,
             frame({8, 0}, {0x45, 0, 0,  86, 0, 1,   0x40, 0,    64,   17,   0, 0,  10, 0,
                            0,    1, 10, 0,  0, 128, 0x12, 0x34, 0x56, 0x78, 0, 66, 0,  0},
                   100),
             29);
}
void vlan_ipv6_tcp(benchmark::State& state) {
  run_frames(state,
             frame({0x81, 0, 0, 7, 0x86, 0xdd},
                   {0x60, 0, 0, 0, 0,    60, 6,   64,   0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
                    0,    0, 0, 1, 0x20, 1,  0xd, 0xb8, 0,    0, 0,   0,    0, 0, 0, 0, 0, 0, 0, 128},
                   118),
             41);
}
BENCHMARK(ipv4_tcp);
BENCHMARK(ipv4_udp);
BENCHMARK(vlan_ipv6_tcp);

void capture(benchmark::State& state) {
  const char* name = std::getenv("WEIR_BENCH_PCAP");
  if (name == nullptr) return state.SkipWithError("WEIR_BENCH_PCAP names no capture");
  std::ifstream in(name, std::ios::binary | std::ios::ate);
  std::vector<char> file(in ? static_cast<std::size_t>(in.tellg()) : 0);
  in.seekg(0);
  in.read(file.data(), static_cast<std::streamsize>(file.size()));
  const auto* data = reinterpret_cast<const std::uint8_t*>(file.data());
  std::vector<RawPacket> packets;
  for (std::size_t at = 24; at + 16 <= file.size();) {
    const auto captured = load_le<std::uint32_t>(data + at + 8),
               length = load_le<std::uint32_t>(data + at + 12);
    if (captured > file.size() - at - 16) break;
    packets.push_back({{}, data + at + 16, captured, length, load_le<std::uint16_t>(data + 20), 0});
    at += 16 + captured;
  }
  if (packets.empty()) return state.SkipWithError("no packets in WEIR_BENCH_PCAP");
  run(state, packets);
}
BENCHMARK(capture);

}  // namespace
}  // namespace weir

BENCHMARK_MAIN();

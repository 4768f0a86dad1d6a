// What it costs to add to a flow: addresses that come again, and addresses that never do. With WEIR_GEO=FILE
// out of that MMDB file as well.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <cstdlib>
#include <random>

#include "engine/enrichment.hpp"
#include "engine/reverse_names.hpp"

namespace weir {
namespace {

GeoFiles geo() {
  const char* file = std::getenv("WEIR_GEO");
  if (file == nullptr) return {};
  const std::string paths[] = {file};
  return GeoFiles::open(paths).value();
}

NetworkNames networks() {
  std::string text;
  for (unsigned i = 0; i < 10'000; ++i) text += fmt::format("10.{}.{}.0/24 site {}\n", i / 256, i % 256, i);
  return NetworkNames::parse(text, "networks").value();
}

void apply(benchmark::State& state) {
  const Enrichment enrichment(geo(), networks(), nullptr);
  const auto addresses = static_cast<std::uint32_t>(state.range(0));
  std::mt19937 random(1);
  std::vector<FlowRef> refs(1 << 16);
  for (FlowRef& ref : refs)
    for (Addr* address : {&ref.src_ip, &ref.dst_ip}) {
      // All over the address space.
      const std::uint32_t n = static_cast<std::uint32_t>(random()) % addresses * 2'654'435'761U;
      const std::uint8_t four[] = {static_cast<std::uint8_t>(n >> 24U), static_cast<std::uint8_t>(n >> 16U),
                                   static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)};
      *address = Addr::v4(four);
    }
  Arena texts;
  Flow flow;
  std::size_t i = 0;
  for (auto _ : state) {
    flow.ref = refs[i++ % refs.size()];
    flow.src_country = flow.dst_country = flow.src_network = flow.dst_network = {};
    flow.src_as = flow.dst_as = {};
    enrichment.apply(flow, texts);
    benchmark::DoNotOptimize(flow);
  }
}
BENCHMARK(apply)->Arg(500)->Arg(5'000)->Arg(1'000'000);

}  // namespace
}  // namespace weir

BENCHMARK_MAIN();

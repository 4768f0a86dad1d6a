// Nanoseconds per record for expressions of growing cost, on flow records of which most are refused.
#include <benchmark/benchmark.h>

#include <random>

#include "filter/filter.hpp"
#include "records/flow.hpp"

namespace weir {
namespace {

std::vector<Flow> flows() {
  constexpr std::uint16_t ports[] = {443, 80, 53, 22, 8080, 51000, 123, 993};
  constexpr std::string_view applications[] = {"tls", "http", "dns", "ssh"};
  std::mt19937 random(1);
  std::vector<Flow> out(1024);
  for (Flow& f : out) {
    const std::uint8_t src[] = {static_cast<std::uint8_t>(random() % 4 == 0 ? 10 : 192), 168, 1,
                                static_cast<std::uint8_t>(random() % 250)};
    f.ref.src_ip = Addr::v4(src);
    f.ref.dst_port = ports[random() % std::size(ports)];
    f.ref.proto = random() % 2 == 0 ? IpProto::tcp : IpProto::udp;
    f.bytes = random() % 100'000'000;
    f.application = applications[random() % std::size(applications)];
    if (random() % 2 == 0) f.rtt = Duration{static_cast<std::int64_t>(random() % 1'000'000'000)};
  }
  return out;
}

void evaluate(benchmark::State& state, const char* expression) {
  const RecordType* const types[] = {&record_type<Flow>()};
  const auto filter = Filter::compile(expression, types);
  const void* predicate = filter->predicate(*types[0]);
  const std::vector<Flow> records = flows();
  std::size_t accepted = 0;
  for (auto _ : state)
    for (const Flow& f : records) accepted += Filter::accept(predicate, &f) ? 1U : 0U;
  benchmark::DoNotOptimize(accepted);
  state.counters["ns/record"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(records.size()) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(evaluate, port, "dst_port == 443");
BENCHMARK_CAPTURE(evaluate, port_and_prefix, "dst_port == 443 and src_ip in 10.0.0.0/8");
BENCHMARK_CAPTURE(evaluate, either_prefix, "net 10.0.0.0/8");
BENCHMARK_CAPTURE(evaluate, port_set, "dst_port in {22, 53, 80, 123, 443, 8000-9000}");
BENCHMARK_CAPTURE(evaluate, nullable, "rtt > 100ms and bytes > 1M");
BENCHMARK_CAPTURE(evaluate, text, "application == tls");
BENCHMARK_CAPTURE(evaluate, regex, "application ~ \"^t.s$\"");

void compile(benchmark::State& state) {
  const RecordType* const types[] = {&record_type<Flow>()};
  for (auto _ : state)
    benchmark::DoNotOptimize(Filter::compile("dst_port == 443 and src_ip in 10.0.0.0/8", types));
}
BENCHMARK(compile);

}  // namespace
}  // namespace weir

BENCHMARK_MAIN();

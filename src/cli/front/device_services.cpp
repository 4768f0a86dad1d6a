#include "cli/front/device_services.hpp"

#include <charconv>
#include <mutex>

#include "cli/front/progress.hpp"
#include "devices/evidence.hpp"
#include "engine/scanner.hpp"
#include "engine/service_detection.hpp"

namespace weir {
namespace {

// The scan's own records are of no use here.
class Nowhere final : public Sink {
 public:
  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void*, std::string_view) override { return {}; }
  Result<void> flush() override { return {}; }
  Result<void> close() override { return {}; }
};

constexpr IpProto tcp[] = {IpProto::tcp};
constexpr std::string_view option = "--services";

}  // namespace

Result<PortSet> service_ports(std::string_view text) {
  constexpr std::string_view top = "top";
  if (!text.starts_with(top)) return parse_ports(text, tcp, option);
  const std::string_view digits = text.substr(top.size());
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size())
    return fail(Code::usage, "is no number of ports", std::string(option).append(" ").append(text), "top100");
  return top_ports(count, tcp, option);
}

Result<void> ask_services(Inventory& inventory, const std::vector<Addr>& devices, const PortSet& ports,
                          double rate, bool quiet, const std::atomic<bool>& interrupted) {
  std::vector<AddrRange> ranges;
  for (const Addr& device : devices) ranges.push_back({device, device});
  if (ranges.empty()) return {};
  Emitter::Wants nothing{}, wants{};
  wants[record_type<Service>().id].wanted = true;
  Batch found;
  Emitter emitter(wants, found);
  std::mutex mutex;  // of the two
  ServiceDetection detection({}, [&](const ServiceFacts& facts) {
    const std::lock_guard hold(mutex);
    emit_service(emitter, facts);
  });
  Nowhere nowhere;
  Outlet outlet(nowhere);
  ScanOptions options{
      .targets = TargetSet(std::move(ranges)), .ports = ports, .assume_up = true, .rate = rate};
  options.on_open = [&](const Addr& host, ProtoPort port, Text) {
    detection.add({host, port.port, port.proto, {}});
  };
  ProgressLine progress(!quiet);
  WEIR_TRY(const auto scanner, Scanner::open(options, nothing, outlet));
  WEIR_CHECK(scanner
                 ->run([&](const ScanStatus& status) {
                   progress.update(status.done, status.total, status.open, "open ports");
                   return !interrupted.load();
                 })
                 .map([](const Scan&) {}));
  constexpr Duration look_around = milliseconds(100);
  while (!interrupted && !detection.finish_within(look_around))
    progress.update(detection.done(), detection.added(), detection.done(), "ports asked");
  progress.clear();
  const std::lock_guard hold(mutex);
  for (const Batch::Entry& entry : found.entries()) take_evidence(inventory, *entry.type, entry.record);
  return {};
}

}  // namespace weir

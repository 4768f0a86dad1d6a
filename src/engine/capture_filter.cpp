#include "engine/capture_filter.hpp"

#include <pcap/pcap.h>

#include <array>
#include <atomic>
#include <mutex>

namespace weir {
namespace {

constexpr int snap_length = 262'144;
constexpr std::uint16_t ethernet = 1;

struct DeadHandle {
  pcap_t* handle;
  explicit DeadHandle(int link_type) : handle(pcap_open_dead(link_type, snap_length)) {}
  ~DeadHandle() { pcap_close(handle); }
  DeadHandle(const DeadHandle&) = delete;
  DeadHandle& operator=(const DeadHandle&) = delete;
};

}  // namespace

struct CaptureFilter::Programs {
  struct Program {
    bpf_program code{};
    bool compiled = false;
    ~Program() {
      if (compiled) pcap_freecode(&code);
    }
  };

  std::string expression;
  std::mutex mutex;  // guards compiling; libpcap's compiler keeps state in the handle only, but is slow
  std::array<std::atomic<const Program*>, 512> by_link_type{};

  ~Programs() {
    for (auto& p : by_link_type) delete p.load();
  }

  // The error text, or empty.
  std::string compile(int link_type, Program& out) const {
    const DeadHandle dead(link_type);
    if (dead.handle == nullptr) return "unknown link type";
    if (pcap_compile(dead.handle, &out.code, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
      return pcap_geterr(dead.handle);
    out.compiled = true;
    return {};
  }

  const Program& program(std::uint16_t link_type) {
    auto& place = by_link_type[link_type % by_link_type.size()];
    if (const Program* ready = place.load(std::memory_order_acquire)) return *ready;
    const std::lock_guard guard(mutex);
    if (const Program* ready = place.load(std::memory_order_relaxed)) return *ready;
    auto fresh = std::make_unique<Program>();
    compile(link_type, *fresh);
    place.store(fresh.get(), std::memory_order_release);
    return *fresh.release();
  }
};

CaptureFilter::CaptureFilter(std::unique_ptr<Programs> programs) noexcept : programs_(std::move(programs)) {}
CaptureFilter::CaptureFilter(CaptureFilter&&) noexcept = default;
CaptureFilter& CaptureFilter::operator=(CaptureFilter&&) noexcept = default;
CaptureFilter::~CaptureFilter() = default;

Result<CaptureFilter> CaptureFilter::compile(std::string expression) {
  auto programs = std::make_unique<Programs>();
  programs->expression = std::move(expression);
  Programs::Program probe;
  if (const std::string wrong = programs->compile(ethernet, probe); !wrong.empty())
    return fail(Code::usage, "BPF expression \"" + programs->expression + "\": " + wrong, {},
                "the syntax is pcap-filter(7); for weir's own filters use --where");
  return CaptureFilter(std::move(programs));
}

bool CaptureFilter::accepts(const RawPacket& packet) const noexcept {
  const Programs::Program& program = programs_->program(packet.link_type);
  if (!program.compiled) return false;
  pcap_pkthdr header{};
  header.caplen = packet.captured;
  header.len = packet.length;
  return pcap_offline_filter(&program.code, &header, packet.data) != 0;
}

}  // namespace weir

#include "engine/capture_filter.hpp"

#include <pcap/pcap.h>

#include <array>
#include <atomic>
#include <mutex>

#include "packet/decode.hpp"

namespace weir {
namespace {

constexpr int snap_length = 262'144;
constexpr std::uint16_t ethernet = 1;

// libpcap's own number of a link type, which differs from the one in files for a few old ones.
int dlt_of(int link_type) noexcept {
  switch (link_type) {
    case 100: return DLT_ATM_RFC1483;
    case 101: return DLT_RAW;
    case 102: return DLT_SLIP_BSDOS;
    case 103: return DLT_PPP_BSDOS;
    default: return link_type;
  }
}

struct DeadHandle {
  pcap_t* handle;
  explicit DeadHandle(int link_type) : handle(pcap_open_dead(dlt_of(link_type), snap_length)) {}
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
  // What the kernel logged is looked at, not how it hands that over.
  if (packet.link_type == link_netfilter_log) {
    const auto logged = logged_packet(packet);
    return logged && accepts(*logged);
  }
  const Programs::Program& program = programs_->program(packet.link_type);
  if (!program.compiled) return false;
  pcap_pkthdr header{};
  header.caplen = packet.captured;
  header.len = packet.length;
  return pcap_offline_filter(&program.code, &header, packet.data) != 0;
}

const std::string& CaptureFilter::expression() const noexcept {
  return programs_->expression;
}

std::vector<BpfInstruction> CaptureFilter::program(std::uint16_t link_type) const {
  const Programs::Program& program = programs_->program(link_type);
  std::vector<BpfInstruction> instructions;
  if (!program.compiled) return instructions;
  for (unsigned i = 0; i < program.code.bf_len; ++i) {
    const bpf_insn& in = program.code.bf_insns[i];
    instructions.push_back({in.code, in.jt, in.jf, in.k});
  }
  return instructions;
}

}  // namespace weir

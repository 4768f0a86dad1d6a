// A BPF expression over packets of any link type, as tcpdump takes it; compiled by libpcap.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/capture_ring.hpp"
#include "plugin/source.hpp"

namespace weir {

class CaptureFilter {
 public:
  // The expression is checked against Ethernet at once; other link types are compiled when they first come.
  static Result<CaptureFilter> compile(std::string expression);
  CaptureFilter(CaptureFilter&&) noexcept;
  CaptureFilter& operator=(CaptureFilter&&) noexcept;
  ~CaptureFilter();
  // Any thread. A link type for which the expression makes no sense accepts nothing.
  bool accepts(const RawPacket& packet) const noexcept;
  const std::string& expression() const noexcept;
  // The expression as the kernel runs it on packets of the link type; empty when it makes no sense for that.
  std::vector<BpfInstruction> program(std::uint16_t link_type) const;

 private:
  struct Programs;
  explicit CaptureFilter(std::unique_ptr<Programs> programs) noexcept;
  std::unique_ptr<Programs> programs_;
};

}  // namespace weir

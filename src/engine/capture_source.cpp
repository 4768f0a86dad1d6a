#include "engine/capture_source.hpp"

#include <algorithm>

#include "engine/live_source.hpp"
#include "engine/pcap_source.hpp"
#include "os/link.hpp"

namespace weir {
namespace {

// Elsewhere than on Linux, of nothing.
bool has_ring(const std::string& name) {
  return name == "any" || link_state(name);
}

}  // namespace

Result<std::unique_ptr<CaptureSource>> open_capture(const LiveOptions& options, const CaptureFilter* filter,
                                                    const Event& stop,
                                                    std::function<void(const std::string&)> say) {
  const auto other = std::ranges::find_if_not(options.interfaces, has_ring);
  if (other == options.interfaces.end()) {
    WEIR_TRY(std::unique_ptr<CaptureSource> rings, LiveSource::open(options, filter, stop, std::move(say)));
    return rings;
  }
  if (options.interfaces.size() > 1) return tl::unexpected<Error>(no_such_link(*other));
  WEIR_TRY(std::unique_ptr<CaptureSource> source,
           PcapSource::open(options, filter, stop, std::move(say), no_such_link(*other)));
  return source;
}

}  // namespace weir

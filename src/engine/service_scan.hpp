// The detection of services beside a scan: open ports come in, `service` records go out.
#pragma once

#include <atomic>
#include <bitset>
#include <map>
#include <mutex>
#include <string>

#include "engine/outlet.hpp"
#include "engine/service_detection.hpp"
#include "probe/systems.hpp"

namespace weir {

struct OwnFingerprints {
  Fingerprints services;
  Systems systems;
};
// The user's fingerprints, all *.yaml of a folder in the order of their names, in front of those built in.
// Fails with Code::environment where it cannot be read, with Code::usage for what is wrong in a file.
Result<OwnFingerprints> load_fingerprints(const std::string& folder);

class ServiceScan {
 public:
  // Wants and outlet are borrowed. `silent_too`: ports that never answer become records as well.
  ServiceScan(const Emitter::Wants& wants, Outlet& outlet, ServiceOptions options, bool silent_too);

  // Any thread.
  void add(ServiceTarget target) { detection_.add(std::move(target)); }
  // A UDP port that has not answered the scan: asked when a conversation is usual there. What answers is
  // open, which a `port` record says. False: it is not asked.
  bool add_silent(ServiceTarget target);
  // Records of those that stayed silent. After finish_within(), or instead of it.
  void tell_silent();
  // False while what was added is not all written, after so long. Nothing may be added any more.
  bool finish_within(Duration wait) { return detection_.finish_within(wait); }
  std::uint64_t added() const noexcept { return detection_.added(); }
  std::uint64_t done() const noexcept { return detection_.done(); }
  // Silent ones that answered.
  std::uint64_t opened() const noexcept { return opened_; }

 private:
  // Where a conversation is usual.
  static std::bitset<65'536> usual_udp_ports(const ServiceOptions& options);
  void tell(const ServiceFacts& facts);
  void emit_port(const ServiceTarget& target, Time time, Text state, Text reason);

  const std::bitset<65'536> udp_ports_;
  const bool silent_too_;
  Outlet& outlet_;
  std::atomic<std::uint64_t> opened_{0};
  std::mutex mutex_;  // guards the next three
  std::map<std::pair<Addr, std::uint16_t>, ServiceTarget> silent_;
  Delivery delivery_;
  Emitter emitter_;
  ServiceDetection detection_;  // last: its thread uses the others
};

}  // namespace weir

// The detection of services beside a scan: open ports come in, `service` records go out.
#pragma once

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
  // Wants and outlet are borrowed.
  ServiceScan(const Emitter::Wants& wants, Outlet& outlet, ServiceOptions options);

  // Any thread.
  void add(ServiceTarget target) { detection_.add(std::move(target)); }
  // Returns when all that was added is written.
  ServiceCounts finish() { return detection_.finish(); }

 private:
  Delivery delivery_;  // of the detection's thread, as the emitter
  Emitter emitter_;
  ServiceDetection detection_;  // last: its thread uses the others
};

}  // namespace weir

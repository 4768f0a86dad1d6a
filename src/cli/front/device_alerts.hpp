// weir devices: who is told when an alert is raised or is over, and what the exit code makes of it.
#pragma once

#include <functional>

#include "cli/front/inventory.hpp"

namespace weir {

// A record of each, and --exec on its stdin.
class DeviceAlerts {
 public:
  // The writer is borrowed and may be nullptr. Fails with Code::usage.
  static Result<DeviceAlerts> open(const Arguments& arguments, DeviceWriter* writer);
  Result<void> tell(const Inventory& inventory, const std::vector<AlertChange>& changes);
  bool raised() const noexcept { return raised_; }  // ever

 private:
  std::string hook_;
  DeviceWriter* writer_ = nullptr;
  std::unique_ptr<Sink> json_;
  bool raised_ = false;
};

// What of these devices should not be so: on stderr a line for each rule unless quiet, and the exit code.
int judged(const Inventory& inventory, const std::function<bool(const KnownDevice&)>& seen, bool quiet);

}  // namespace weir

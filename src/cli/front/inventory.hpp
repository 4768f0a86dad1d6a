// How weir devices finds its inventory, and writes devices and events.
#pragma once

#include <functional>

#include "cli/front/record_writer.hpp"
#include "devices/inventory.hpp"
#include "devices/inventory_file.hpp"
#include "devices/vendors.hpp"

namespace weir {

// An inventory, and the file behind it if it is kept.
struct KeptInventory {
  std::optional<InventoryFile> file;
  std::unique_ptr<Inventory> inventory;
  Result<void> save(const std::vector<Change>& changes);
};

// That of --data or $WEIR_DATA; for Mode::change, without either, one that is forgotten.
Result<KeptInventory> open_inventory(const Arguments& arguments, InventoryFile::Mode mode);

// Writes devices or events as the options of the output say.
class DeviceWriter {
 public:
  // `type` is device, device_event or device_link; formats that mix types have alerts as well. Fails with
  // Code::usage.
  static Result<std::unique_ptr<DeviceWriter>> open(const Arguments& arguments, const RecordType& type);

  // Those for which `shown` holds, by address.
  Result<void> write(const Inventory& inventory, const std::function<bool(const KnownDevice&)>& shown);
  Result<void> write(const Inventory& inventory, const std::vector<Change>& changes);
  Result<void> write(const Inventory& inventory, const std::vector<Joint>& joints);
  Result<void> alert(const Inventory& inventory, const Change& change);
  Result<void> flush() { return to_->flush(); }
  Result<void> close() { return to_->close(); }

 private:
  DeviceWriter(std::unique_ptr<RecordWriter> to, Vendors vendors)
      : to_(std::move(to)), vendors_(std::move(vendors)) {}

  std::unique_ptr<RecordWriter> to_;
  Vendors vendors_;
};

// What is told when an alert is raised or is over: a record, and --exec on its stdin.
class DeviceAlerts {
 public:
  // The writer is borrowed and may be nullptr. Fails with Code::usage.
  static Result<DeviceAlerts> open(const Arguments& arguments, DeviceWriter* writer);
  // Those of the changes.
  Result<void> tell(const Inventory& inventory, const std::vector<Change>& changes);
  bool raised() const noexcept { return raised_; }  // ever

 private:
  std::string hook_;
  DeviceWriter* writer_ = nullptr;
  std::unique_ptr<Sink> json_;
  bool raised_ = false;
};

// The devices that a list allows: by any hardware address, address in use or name of theirs that is on it;
// a MAC address, an IP address or network, or a name on each line; # begins a comment. Fails with
// Code::usage, the file and the line.
Result<std::function<bool(const KnownDevice&)>> read_allow_list(const std::string& path);

}  // namespace weir

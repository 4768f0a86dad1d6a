// How weir devices finds its inventory, and writes devices, events and alerts.
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
  // `type` is device, device_event, device_link or alert. Formats that mix types have alerts as well, with
  // --fields only when one of these is an alert's own. Fails with Code::usage.
  static Result<std::unique_ptr<DeviceWriter>> open(const Arguments& arguments, const RecordType& type);

  // Those for which `shown` holds, by address.
  Result<void> write(const Inventory& inventory, const std::function<bool(const KnownDevice&)>& shown);
  Result<void> write(const Inventory& inventory, const std::vector<Change>& changes);
  Result<void> write(const Inventory& inventory, const std::vector<Joint>& joints);
  Result<void> write(const Inventory& inventory, const AlertChange& change);
  bool has_alerts() const noexcept { return has_alerts_; }
  Result<void> flush() { return to_->flush(); }
  Result<void> close() { return to_->close(); }

 private:
  DeviceWriter(std::unique_ptr<RecordWriter> to, Vendors vendors, bool has_alerts)
      : to_(std::move(to)), vendors_(std::move(vendors)), has_alerts_(has_alerts) {}

  std::unique_ptr<RecordWriter> to_;
  Vendors vendors_;
  bool has_alerts_;
};

// Who may be there, and who may be a DHCP server or router.
struct AllowList {
  std::function<bool(const KnownDevice&)> allowed;
  std::function<Trust(const KnownDevice&)> trusted;
  Trust roles{};  // that it trusts anybody with
};
// By any hardware address, address in use or name of a device that is on the list: a MAC address, an IP
// address or network, or a name on each line, and behind it what the device may be, as Trust names it; #
// begins a comment. Fails with Code::usage, the file and the line.
Result<AllowList> read_allow_list(const std::string& path);

}  // namespace weir

// Devices and what has changed about them, as records.
#pragma once

#include "core/arena.hpp"
#include "devices/inventory.hpp"
#include "devices/vendors.hpp"
#include "records/alert.hpp"
#include "records/device.hpp"
#include "records/device_link.hpp"

namespace weir {

// Texts and lists are in the arena; the vendor's name is the vendors'.
Device device_record(const Inventory& inventory, const KnownDevice& identity, const Vendors& vendors,
                     Arena& arena);
DeviceEvent event_record(const Inventory& inventory, const Change& change, const Vendors& vendors,
                         Arena& arena);
DeviceLink link_record(const Inventory& inventory, const Joint& joint, Arena& arena);
Alert alert_record(const Inventory& inventory, const AlertChange& change, Arena& arena);

// One line for people, without the time: what has happened to whom.
std::string event_line(const DeviceEvent& event);

}  // namespace weir

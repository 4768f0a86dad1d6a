// Sightings of devices, out of the records that parsers make.
#pragma once

#include <span>

#include "core/schema.hpp"
#include "devices/inventory.hpp"

namespace weir {

// The record types that tell of devices.
std::span<const RecordTypeOf> device_evidence_types() noexcept;

// Tells the inventory what the record says; records of other types say nothing.
void take_evidence(Inventory& inventory, const RecordType& type, const void* record);

}  // namespace weir

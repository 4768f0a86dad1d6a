// The store as a sink.
#pragma once

#include <atomic>
#include <functional>

#include "plugin/sink.hpp"
#include "store/store.hpp"

namespace weir {

// What happens to records while the disk is full: whoever can wait for room does (files); whoever cannot (the
// network) goes on, and what is refused is counted by the store.
enum class WhenDiskFull : std::uint8_t { wait, refuse };

// `stop` ends the waiting. The store is closed by close(); it must outlive the sink.
std::unique_ptr<Sink> make_store_sink(Store& store, WhenDiskFull when_full, const std::atomic<bool>& stop);

}  // namespace weir

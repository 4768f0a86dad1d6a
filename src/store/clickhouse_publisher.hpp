// Publishes into ClickHouse. Every block of records carries a key made of the sensor, the segment and its
// place in that, is there whole or not at all, and always goes to the same shard: a segment that may have
// been tried before is stored by asking for each block whether it is there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/clickhouse.hpp"
#include "store/store.hpp"

namespace weir {

struct ClickHouseSettings {
  ClickHouseUrl url;
  std::string sensor;
  std::function<const RecordType*(std::string_view name)> type_named;
  std::optional<Duration> keep;  // days whose last record is older are dropped
};

// Connects when there is something to publish.
std::unique_ptr<Publisher> make_clickhouse_publisher(ClickHouseSettings settings);

}  // namespace weir

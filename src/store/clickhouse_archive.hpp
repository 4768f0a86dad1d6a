// ClickHouse, asked.
#pragma once

#include "store/archive.hpp"
#include "store/clickhouse.hpp"

namespace weir {

// Connects to the first host, which answers for its cluster. Fails when it does not answer.
Result<std::unique_ptr<Archive>> open_clickhouse(const ClickHouseUrl& url);

}  // namespace weir

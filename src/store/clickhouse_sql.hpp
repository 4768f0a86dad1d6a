// The SQL of ClickHouse, for questions about the tables that clickhouse_publisher makes.
#pragma once

#include "core/sql.hpp"
#include "store/clickhouse.hpp"

namespace weir {

// Lives to the end. Times are numbers of microseconds on servers that have nothing better.
const SqlDialect& clickhouse_sql(ClickHouseVersion version) noexcept;

}  // namespace weir

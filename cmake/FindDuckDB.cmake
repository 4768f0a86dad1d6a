# DuckDB's C API: a system's own where there is one, else what `./dev setup` put into build/npm. Only the header is
# needed to build: the library is loaded when it is first used. Sets DuckDB::Header and DuckDB_LIBRARY.
find_path(DuckDB_INCLUDE_DIR duckdb.h PATHS ${PROJECT_SOURCE_DIR}/build/npm/duckdb)
find_library(DuckDB_LIBRARY duckdb PATHS ${PROJECT_SOURCE_DIR}/build/npm/duckdb)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_INCLUDE_DIR DuckDB_LIBRARY
  REASON_FAILURE_MESSAGE "./dev setup fetches it")

if(DuckDB_FOUND AND NOT TARGET DuckDB::Header)
  add_library(DuckDB::Header INTERFACE IMPORTED)
  target_include_directories(DuckDB::Header SYSTEM INTERFACE ${DuckDB_INCLUDE_DIR})
endif()

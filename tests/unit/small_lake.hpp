// A small lake, written by DuckDB for one test.
#pragma once

#include <filesystem>

#include "store/duckdb.hpp"
#include "temp_folder.hpp"

namespace weir {

class SmallLake {
 public:
  SmallLake() : database_(DuckDatabase::open({}).value()), connection_(database_.connect().value()) {}

  const std::string path() const { return folder_.path(); }
  // Puts the rows of the SELECT into one file of an hour: add("flow", "2026-01-31", 12, "a", "SELECT …").
  void add(const std::string& table, const std::string& date, int hour, const std::string& file,
           const std::string& select) {
    const std::string folder = folder_.path() + "/lake/" + table + "/date=" + date +
                               "/hour=" + (hour < 10 ? "0" : "") + std::to_string(hour);
    std::filesystem::create_directories(folder);
    const auto done = connection_.run("COPY (" + select + ") TO " +
                                      sql_text(folder + "/" + file + ".parquet") + " (FORMAT parquet)");
    if (!done) throw std::runtime_error(done.error().line());
  }
  // One flow every ten seconds of the hour from a handful of addresses, as weir stores them but for the
  // columns left out.
  void add_flows(const std::string& date, int hour) {
    const std::string start =
        "TIMESTAMP '" + date + " 00:00:00' + to_hours(" + std::to_string(hour) + ") + to_seconds(10 * i)";
    add("flow", date, hour, "a",
        "SELECT " + start +
            " AS time, '10.0.' || (i % 2) || '.' || (i % 7) AS src_ip, "
            "CASE i % 3 WHEN 0 THEN '2001:db8::' || (i % 4 + 1) ELSE '192.0.2.1' END AS dst_ip, "
            "(1024 + i)::USMALLINT AS src_port, (CASE i % 2 WHEN 0 THEN 443 ELSE 53 END)::USMALLINT AS "
            "dst_port, "
            "CASE i % 2 WHEN 0 THEN 'tcp' ELSE 'udp' END AS proto, 2.5::DOUBLE AS duration, "
            "(1000 * (i + 1))::UBIGINT AS bytes, (i % 5 + 1)::UBIGINT AS packets FROM range(360) t(i)");
  }
  // The rollups of what add_flows() wrote, split into two rows per key to show that rows are summed up.
  void add_rollups(const std::string& date, int hour) {
    const std::string file = folder_.path() + "/lake/flow/date=" + date + "/hour=" + (hour < 10 ? "0" : "") +
                             std::to_string(hour) + "/a.parquet";
    for (const char* unit : {"minute", "hour"})
      add(std::string("flow_1") + unit[0], date, hour, "a",
          "SELECT date_trunc('" + std::string(unit) +
              "', time) AS time, proto, NULL::VARCHAR AS src_ip, count(*)::UBIGINT AS flows, "
              "sum(bytes)::UBIGINT AS "
              "bytes, sum(packets)::UBIGINT AS packets FROM read_parquet(" +
              sql_text(file) + ") GROUP BY date_trunc('" + unit + "', time), proto, src_port % 2");
  }

 private:
  TempFolder folder_;
  DuckDatabase database_;
  DuckConnection connection_;
};

}  // namespace weir

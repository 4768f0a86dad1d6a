// The filter language: one expression for capture, live and stored records, alerts and scripts.
//   dst_port in {80, 443} and src_ip in 10.0.0.0/8 and bytes > 1M and not host ~ "\.example\.com$"
// Typed against the record schemas. A comparison with a null or missing field is false, and its `not` is
// true. Compiled once, then const: accept() may be called from any thread. docs/filter.md is the user's page.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/schema.hpp"
#include "core/sql.hpp"

namespace weir {

class Filter {
 public:
  // Errors are Code::usage and carry where "ORIGIN:COLUMN" and often a suggestion. A field must exist in at
  // least one of the types; in a type without it the comparison is false. An empty expression accepts
  // everything. The types must outlive the filter.
  static Result<Filter> compile(std::string_view expression, std::span<const RecordType* const> types,
                                std::string_view origin = "--where");

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  // The predicate for one record type, in the form an Emitter takes: accept(predicate, record). It lives as
  // long as the filter (a moved filter included). A type that compile() was not given is refused.
  const void* predicate(const RecordType& type) const noexcept;
  static bool accept(const void* predicate, const void* record) noexcept;
  // False when no record of this type can pass (a needed field is missing): its parser need not run.
  bool possible(const RecordType& type) const noexcept;
  // The same of a record's flow alone (accept() then takes a FlowRef): false only where no record of this
  // type about the flow can pass, so that the flow need not be parsed for it. nullptr: true of every flow.
  // Types about which flows say the same have the same predicate.
  const void* flow_predicate(const RecordType& type) const noexcept;
  // The expression typed and fully parenthesised, with canonical names. It compiles to this filter again.
  const std::string& normal_form() const noexcept;
  // For --explain: the normal form, and per record type the steps and where each one can be decided.
  std::string explain() const;
  // The condition of a WHERE over the columns of one of the types as they are stored (filter/sql.hpp).
  std::string to_sql(const RecordType& type, const SqlDialect& sql = duckdb_sql()) const;
  // The fields of the type that the condition reads, in schema order.
  std::vector<std::string_view> fields(const RecordType& type) const;

 private:
  struct Compiled;
  explicit Filter(std::unique_ptr<Compiled> compiled) noexcept;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace weir

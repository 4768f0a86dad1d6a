// The filter language: one expression for capture, live and stored records, alerts and scripts.
//   dst_port in {80, 443} and src_ip in 10.0.0.0/8 and bytes > 1M and not host ~ "\.example\.com$"
// Typed against the record schemas. A comparison with a null or missing field is false, and its `not` is true.
// Compiled once, then const: accepts() may be called from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/schema.hpp"

namespace weir {

class Filter {
 public:
  // Errors carry where "--where:COLUMN" and a suggestion. A field must exist in at least one of the types; in a
  // type without it the comparison is false. An empty expression accepts everything.
  static Result<Filter> compile(std::string_view expression, std::span<const RecordType* const> types);

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  // The predicate for one record type, in the form an Emitter takes: accept(predicate, record).
  const void* predicate(const RecordType& type) const noexcept;
  static bool accept(const void* predicate, const void* record) noexcept;
  // False when no record of this type can pass (a needed field is missing): its parser need not run.
  bool possible(const RecordType& type) const noexcept;
  // For --explain: the typed expression, and per record type where each part runs.
  std::string explain() const;

 private:
  struct Program;
  explicit Filter(std::unique_ptr<Program> program) noexcept;
  std::unique_ptr<Program> program_;
};

}  // namespace weir

// What the words of an expression mean, given the record types it is for.
#pragma once

#include <optional>
#include <span>

#include "filter/ast.hpp"
#include "filter/source.hpp"

namespace weir::filter {

class Names {
 public:
  explicit Names(std::span<const RecordType* const> types);

  struct Found {
    Reference reference;
    std::string_view with;  // the protocol that the alias demands too; may be empty
  };
  // A field of some type, both directions of one (`port`), `type.field`, or an alias of these.
  std::optional<Found> find(std::string_view word) const;
  // An application protocol: one that has a parser or records.
  bool is_application(std::string_view word) const;
  // An application or IP protocol, or any other record type.
  bool is_protocol(std::string_view word) const;
  // The record types weir knows.
  std::span<const std::string_view> records() const noexcept { return records_; }
  // A record type weir knows, whether this expression is for it or not.
  bool is_record(std::string_view word) const;
  // "no field "dst_prot" (did you mean dst_port?)"
  tl::unexpected<Error> unknown(const Source& source, std::size_t at, std::string_view word) const;

 private:
  std::optional<Reference> field(std::string_view word) const;

  std::span<const RecordType* const> types_;
  std::vector<std::string_view> records_, applications_, protocols_;
};

}  // namespace weir::filter

// Which records a command writes, --records and --where, and options that hold a number or a time.
#pragma once

#include "filter/filter.hpp"
#include "plugin/command.hpp"
#include "plugin/emitter.hpp"

namespace weir {

using RecordTypes = std::vector<const RecordType*>;

inline constexpr Option records_option{.name = "records",
                                       .letter = 'r',
                                       .value = "A,B,C",
                                       .doc = "Only these record types; all, or names from weir schema",
                                       .choices = "@records",
                                       .many = true};
inline constexpr Option where_option{
    .name = "where",
    .value = "EXPR",
    .doc = "Only records for which this holds: dst_port == 443 and bytes > 1M"};
inline constexpr Option explain_option{.name = "explain",
                                       .doc = "Show how --where is understood, and read nothing"};

inline constexpr Option selection_options[] = {records_option, where_option, explain_option};

// Of the types `offered`: those that --records names, or `usual` without it. `command` is for the error.
Result<RecordTypes> selected_types(const Arguments& arguments, const RecordTypes& offered,
                                   const RecordTypes& usual, std::string_view command);
// The types, as far as they pass the filter, which `where` was compiled to; it is borrowed.
Emitter::Wants wants_of(const RecordTypes& types, const Filter& filter, std::string_view where);

// Errors name the option.
Result<std::uint64_t> number_of(const Arguments& arguments, std::string_view option, std::uint64_t least,
                                std::uint64_t most);
Result<Duration> duration_of(const Arguments& arguments, std::string_view option);

}  // namespace weir
